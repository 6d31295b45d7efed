/** A store in memory some of whose rows are, from a moment on, of a release that nobody here can read. */
import type { Address } from '../../machines/model/ids.js';
import type { Store, StoredCell } from '../../src/ports/store.js';
import { memoryStore } from './toy-node.js';

export interface DamagedStore extends Store {
  damage(address: string): void;
}

export function damagedStore(): DamagedStore {
  const store = memoryStore();
  const damaged = new Set<string>();
  const asRead = (cells: readonly StoredCell[]) =>
    cells.map((cell) => (damaged.has(cell.address) ? { ...cell, machineVersion: 99 } : cell));
  return {
    ...store,
    damage: (address) => void damaged.add(address),
    load: async (kinds, take) => {
      const loaded = await store.load(kinds, take && ((cells) => take(asRead(cells))));
      return loaded.ok ? { ok: true, value: asRead(loaded.value) } : loaded;
    },
    loadFamily: async (address: Address) => {
      const loaded = await store.loadFamily(address);
      return loaded.ok ? { ok: true, value: asRead(loaded.value) } : loaded;
    },
  };
}
