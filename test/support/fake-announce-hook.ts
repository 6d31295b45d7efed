/** An announce hook that remembers what it was called with; programs are told apart by their first word. */
import type { HookCall } from '../../machines/model/announce.js';
import { fail, ok } from '../../machines/model/result.js';
import type { AnnounceHook } from '../../src/ports/announce-hook.js';

export interface FakeAnnounceHook extends AnnounceHook {
  readonly calls: HookCall[];
  /** Every call fails until this is taken back. */
  broken: boolean;
}

export function fakeAnnounceHook(): FakeAnnounceHook {
  const hook: FakeAnnounceHook = {
    calls: [],
    broken: false,
    call: async ({ command: [program = ''] }, call) => {
      if (program === 'missing') return fail({ code: 'unavailable', message: 'no such program' });
      if (program === 'hangs') return fail({ code: 'timeout', message: 'still running' });
      if (program === 'fails' || hook.broken) {
        return fail({ code: 'failed', message: 'exit 1: no neighbour' });
      }
      if (program !== 'deaf') hook.calls.push(call);
      return ok(undefined);
    },
    close: async () => undefined,
  };
  return hook;
}
