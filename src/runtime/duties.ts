/**
 * Duties coming and going in one thread: brought to life from the store, or gone without another step.
 * Orders are carried out in the order they came.
 *
 * Rules: [FL-2] without duties nothing of this exists; [FL-4] off duty nothing of a duty runs, on duty
 * again it is what the fleet's rows say.
 */
import type { StoreFailure } from '../../machines/model/failures.js';
import type { Address } from '../../machines/model/ids.js';
import { ok, type Result } from '../../machines/model/result.js';
import { bringUp, layDown } from './activation.js';
import type { Kernel } from './kernel.js';
import type { Services } from './services.js';

export interface Duties {
  /** A duty, and not ours now. */
  isOff(address: Address): boolean;
  takeUp(): Promise<Result<void, StoreFailure>>;
  layDown(): Promise<void>;
}

const NONE: Duties = {
  isOff: () => false,
  takeUp: async () => ok(undefined),
  layDown: async () => undefined,
};

export function createDuties(kernel: Kernel, services: Services): Duties {
  const { duty, store, types } = kernel.options;
  if (duty === undefined) return NONE;
  const kinds = types.filter(({ stored }) => stored).map(({ kind }) => kind);
  let onDuty = false;
  let last: Promise<unknown> = Promise.resolve();

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };

  return {
    isOff: (address) => !onDuty && duty.covers(address),
    takeUp: () =>
      inTurn(async () => {
        if (onDuty) return ok(undefined);
        const loaded = kinds.length === 0 ? ok([]) : await store.load(kinds);
        if (!loaded.ok) return loaded;
        onDuty = true;
        const rows = loaded.value.filter(({ address }) => duty.covers(address));
        bringUp(kernel, rows, 'duty');
        return ok(undefined);
      }),
    layDown: () =>
      inTurn(async () => {
        if (!onDuty) return;
        onDuty = false;
        kernel.gate?.drop();
        const cells = [...kernel.cells.values()].filter(({ address }) => duty.covers(address));
        for (const cell of cells) layDown(kernel, cell);
        await services.layDown(duty.covers);
      }),
  };
}
