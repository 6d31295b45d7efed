/**
 * What a thread says to main.
 *
 *   ready      the role is taken; links are welcome
 *   failed     it cannot be taken, in one sentence
 *   heartbeat  the event loop turns: how late this beat was, and how much waits
 *   stopped    everything is finished; the thread may be taken down
 */
import { ok, type Result } from '../../machines/model/result.js';
import { malformed, type WireFailure } from './failures.js';
import { type Check, isCount, isName, isNumber, isObject, isText, record } from './shape.js';

export type FromThread =
  | { readonly type: 'ready'; readonly thread: string; readonly incarnation: number }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  | {
      readonly type: 'heartbeat';
      readonly beat: number;
      readonly lagMs: number;
      readonly waiting: number;
    }
  | { readonly type: 'stopped'; readonly reason: string };

type FromThreadChecks = {
  readonly [T in FromThread['type']]: Check<Omit<FromThread & { type: T }, 'type'>>;
};

const CHECKS: FromThreadChecks = {
  ready: record({ thread: isName, incarnation: isCount }),
  failed: record({ code: isName, message: isText }),
  heartbeat: record({ beat: isCount, lagMs: isNumber, waiting: isCount }),
  stopped: record({ reason: isText }),
};

export function decodeFromThread(value: unknown): Result<FromThread, WireFailure> {
  return isFromThread(value) ? ok(value) : malformed('no control message from a thread');
}

function isFromThread(value: unknown): value is FromThread {
  if (!isObject(value)) return false;
  const { type } = value as { readonly type?: unknown };
  return typeof type === 'string' && Object.hasOwn(CHECKS, type)
    ? CHECKS[type as FromThread['type']](value)
    : false;
}
