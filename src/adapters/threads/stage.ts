/**
 * Where a rehearsal is played (src/runtime/rehearsal.ts): a thread that loads its cells over a link and
 * stores its decisions over it, with the store's end of that link in the same thread and nothing behind
 * it. Ports, frames, batches and answers are those of the task to come, so that the compiler has seen
 * them too [SU-32].
 */
import { ok } from '../../../machines/model/result.js';
import type { Log } from '../../ports/log.js';
import type { CellLine, PackedStore } from '../../ports/packed.js';
import type { Committed } from '../../ports/store.js';
import type { Played, Stage } from '../../runtime/rehearsal.js';
import { linkPorts } from './link.js';
import { createMesh } from './mesh.js';
import { createRemoteStore } from './remote-store.js';
import { serveStore } from './serve-store.js';

/** Rows of one bite, as the real store has them. */
const BITE_ROWS = 256;

export function openStage(played: Played): Stage {
  const [near, far] = linkPorts();
  const store = createRemoteStore();
  const shard = createMesh({ ...endOf(SHARD), store, storePeer: STORE });
  const keeper = createMesh({ ...endOf(STORE), store: serveStore(storeOf(played)) });
  keeper.attach({ name: SHARD, incarnation: 1 }, far);
  shard.attach({ name: STORE, incarnation: 1 }, near);
  return {
    store,
    close: () => {
      shard.close();
      keeper.close();
      return store.close();
    },
  };
}

const SHARD = 'shard-0';
const STORE = 'store';

function endOf(thread: string) {
  return {
    ...{ thread, incarnation: 1, log: QUIET },
    ...{ deliver: nothing, settle: nothing, answer: () => null },
  };
}

/** Nobody asks it for anything else. */
function storeOf({ lines, keep }: Played): PackedStore {
  const calls: Pick<PackedStore, 'loadLines' | 'commitPacked'> = {
    loadLines: async (_, after) => ok(behind(lines(), after)),
    commitPacked: async (decisions) =>
      decisions.map(([id, , , , , , , , cell, spawns]) => {
        for (const row of spawns) keep(row);
        if (cell !== null) keep(cell);
        return ok<Committed>({ id, outboxSeq: 0, journalSeq: 0 });
      }),
  };
  return calls as PackedStore;
}

function behind(lines: readonly CellLine[], after: string): readonly CellLine[] {
  const from = after === '' ? 0 : lines.findIndex(([address]) => address === after) + 1;
  return lines.slice(from, from + BITE_ROWS);
}

function nothing(): void {}

const QUIET: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
