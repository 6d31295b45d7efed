/**
 * What a thread says to main.
 *
 *   ready     the role is taken; links are welcome
 *   failed    it cannot be taken, in one sentence
 *   distrust  that life of a peer sent what cannot be believed; its link is closed
 *   stopped   everything is finished; the thread may be taken down
 *
 * That it lives it says in shared memory (vitals.ts), where it costs nobody a message.
 */
import { ok, type Result } from '../../machines/model/result.js';
import { malformed, type WireFailure } from './failures.js';
import { type Check, isCount, isName, isObject, isText, record } from './shape.js';

export type FromThread =
  | { readonly type: 'ready'; readonly thread: string; readonly incarnation: number }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  | {
      readonly type: 'distrust';
      readonly peer: string;
      readonly incarnation: number;
      readonly message: string;
    }
  | { readonly type: 'stopped'; readonly reason: string };

type FromThreadChecks = {
  readonly [T in FromThread['type']]: Check<Omit<FromThread & { type: T }, 'type'>>;
};

const CHECKS: FromThreadChecks = {
  ready: record({ thread: isName, incarnation: isCount }),
  failed: record({ code: isName, message: isText }),
  distrust: record({ peer: isName, incarnation: isCount, message: isText }),
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
