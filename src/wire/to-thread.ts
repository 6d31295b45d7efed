/**
 * What main says to a thread. Control is posted as objects, not as bytes, because a `link` carries
 * a port; the decoder believes no more than it would of bytes.
 *
 *   start   take this role; beat in the shared memory; keep `quarantine` from running
 *   link    here are the two ports to a peer; hello first
 *   unlink  that life of the peer is over: fail everything pending on it with the reason
 *   stop    finish within the deadline, say `stopped`
 */
import type { Address } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import { ok, type Result } from '../../machines/model/result.js';
import { malformed, type WireFailure } from './failures.js';
import {
  type Check,
  isAddress,
  isCount,
  isName,
  isObject,
  isPlain,
  isText,
  listOf,
  oneOf,
  record,
} from './shape.js';
import { isVitals } from './vitals.js';

export const THREAD_ROLES = ['shard', 'store', 'dataplane', 'outbox'] as const;
export type ThreadRole = (typeof THREAD_ROLES)[number];

/** As much of a MessagePort as this layer needs to know. */
export interface PortLike {
  postMessage(value: unknown): void;
}

export type ToThread =
  | {
      readonly type: 'start';
      readonly role: ThreadRole;
      readonly thread: string;
      readonly incarnation: number;
      readonly settings: JsonObject;
      readonly vitals: SharedArrayBuffer;
      readonly heartbeatMs: number;
      readonly quarantine: readonly Address[];
    }
  | {
      readonly type: 'link';
      readonly peer: string;
      readonly incarnation: number;
      readonly bulk: PortLike;
      readonly urgent: PortLike;
    }
  | {
      readonly type: 'unlink';
      readonly peer: string;
      readonly incarnation: number;
      readonly reason: string;
    }
  | { readonly type: 'stop'; readonly deadlineMs: number };

type ToThreadChecks = {
  readonly [T in ToThread['type']]: Check<Omit<ToThread & { type: T }, 'type'>>;
};

const isPort: Check<PortLike> = (value): value is PortLike =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as Partial<PortLike>).postMessage === 'function';

const isSettings: Check<JsonObject> = (value): value is JsonObject =>
  isObject(value) && isPlain(value);

const CHECKS: ToThreadChecks = {
  start: record({
    role: oneOf(...THREAD_ROLES),
    thread: isName,
    incarnation: isCount,
    settings: isSettings,
    vitals: isVitals,
    heartbeatMs: isCount,
    quarantine: listOf(isAddress),
  }),
  link: record({ peer: isName, incarnation: isCount, bulk: isPort, urgent: isPort }),
  unlink: record({ peer: isName, incarnation: isCount, reason: isText }),
  stop: record({ deadlineMs: isCount }),
};

export function decodeToThread(value: unknown): Result<ToThread, WireFailure> {
  return isToThread(value) ? ok(value) : malformed('no control message to a thread');
}

function isToThread(value: unknown): value is ToThread {
  if (!isObject(value)) return false;
  const { type } = value as { readonly type?: unknown };
  return typeof type === 'string' && Object.hasOwn(CHECKS, type)
    ? CHECKS[type as ToThread['type']](value)
    : false;
}
