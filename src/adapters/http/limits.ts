/** Bounds of the HTTP doors, and how they relate. */
import { assert } from '../../../machines/model/assert.js';

export interface HttpLimits {
  /** A request's head must be complete by then. */
  readonly headersTimeoutMs: number;
  /** A request with its body must be complete by then; answers may take longer. */
  readonly requestTimeoutMs: number;
  /** How often the two above are looked at. */
  readonly checkEveryMs: number;
  readonly headerBytesMax: number;
  readonly connectionsMax: number;
  /** A connection is closed after so many requests. */
  readonly requestsPerConnectionMax: number;
  readonly bodyBytesMax: number;
  /** Event streams open at once; they hold a connection each. */
  readonly streamsMax: number;
  /** A comment on a silent stream, so that both sides notice a dead connection. */
  readonly heartbeatMs: number;
}

export const HTTP_LIMITS: HttpLimits = {
  headersTimeoutMs: 5_000,
  requestTimeoutMs: 15_000,
  checkEveryMs: 1_000,
  headerBytesMax: 8 * 1024,
  connectionsMax: 256,
  requestsPerConnectionMax: 10_000,
  bodyBytesMax: 1024 * 1024,
  streamsMax: 32,
  heartbeatMs: 15_000,
};

/** After an answer on a bare socket; its reader may need a moment. */
export const HANG_UP_MS = 1_000;

/** Objects of one list answer: when nothing is asked for, and at most. */
export const LIST_DEFAULT = 1_000;
export const LIST_MAX = 10_000;

assert(HTTP_LIMITS.headersTimeoutMs < HTTP_LIMITS.requestTimeoutMs, 'a head comes before a body');
assert(HTTP_LIMITS.streamsMax * 4 <= HTTP_LIMITS.connectionsMax, 'streams leave room for probes');
assert(LIST_DEFAULT <= LIST_MAX, 'the default is allowed');
