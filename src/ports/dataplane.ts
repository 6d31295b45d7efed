/**
 * One load balancer over one connection. Every call answers with a value and never rejects; after
 * `LB_UNREACHABLE` or `LB_TIMEOUT` the connection is closed and `connect` starts afresh.
 */
import type { LbFailure } from '../../machines/model/failures.js';
import type { LbOp } from '../../machines/model/lb.js';
import type { PackedState } from '../../machines/model/lb-packed.js';
import type { Result } from '../../machines/model/result.js';

export interface DataplaneHello {
  readonly version: string;
  /** Process id VPP reports; a change means it restarted (constant inside containers). */
  readonly pid: number;
}

export interface Dataplane {
  connect(): Promise<Result<DataplaneHello, LbFailure>>;
  /** Everything VPP has: conf, VIPs, live ASes. Removed ASes are filtered out. */
  read(): Promise<Result<PackedState, LbFailure>>;
  /** One request, acknowledged. Invalid requests are refused here and never reach VPP. */
  apply(op: LbOp): Promise<Result<void, LbFailure>>;
  /** Liveness. */
  ping(): Promise<Result<DataplaneHello, LbFailure>>;
  /** Called when an open connection is lost, with the reason. */
  onDown(listener: (reason: string) => void): void;
  close(): Promise<void>;
}
