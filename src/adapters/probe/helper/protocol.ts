/** What crosses between a prober and its helper process: one answer to each request. */
import type { HealthCheckSpec } from '../../../../machines/model/desired.js';
import type { ProbeResult } from '../../../../machines/model/messages.js';
import type { ProbeTarget } from '../../../ports/prober.js';

export interface HelperRequest {
  readonly id: number;
  readonly target: ProbeTarget;
  readonly check: HealthCheckSpec;
}

export interface HelperAnswer {
  readonly id: number;
  readonly result: ProbeResult;
}
