/** Runs one health check once. Answers with a value for every outcome and never rejects. */
import type { HealthCheckSpec } from '../../machines/model/desired.js';
import type { ProbeResult } from '../../machines/model/messages.js';

export interface Prober {
  /** Ends within `check.timeoutMs` (plus scheduling); the connection is closed by reset. */
  probe(target: ProbeTarget, check: HealthCheckSpec): Promise<ProbeResult>;
}

export interface ProbeTarget {
  readonly address: string;
  readonly port: number;
}
