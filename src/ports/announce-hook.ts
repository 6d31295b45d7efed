/**
 * The operator's program that announces VIPs. Every call answers with a value and never rejects: exit 0
 * is success; `failed` any other end, with what the program said last on stderr; `timeout`: it was ended
 * after `timeoutMs` of running, with everything it had started; `unavailable`: it could not be run.
 *
 * Calls beyond a bound wait for their turn, in order; waiting is not running.
 */
import type { HookCall, HookFailure } from '../../machines/model/announce.js';
import type { Result } from '../../machines/model/result.js';

export interface AnnounceHook {
  /** The call reaches the program as one line of JSON on stdin. */
  call(
    program: { readonly command: readonly string[]; readonly timeoutMs: number },
    call: HookCall,
  ): Promise<Result<void, HookFailure>>;
  /** What still runs is ended; what still waits is `unavailable`. */
  close(): Promise<void>;
}
