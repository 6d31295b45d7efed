/**
 * Which thread hosts an address: a pure function of the address and the number of shards, the same
 * on every thread, so that no directory is needed.
 *
 * Unit of placement is the group: its instances and their backends carry its slot in their id and
 * land beside it, so their conversation never crosses threads. Overrides live beside what they
 * override. Shards are chosen by rendezvous
 * hashing: another number of shards moves the fewest groups.
 */
import {
  type ActorKind,
  type Address,
  keyOf,
  kindOf,
  slotOfInstance,
  slotOfKey,
} from '../../machines/model/ids.js';

export type ThreadName = string;

export interface Placement {
  readonly shards: readonly ThreadName[];
  threadOf(address: Address): ThreadName;
}

const FIXED: Readonly<Partial<Record<ActorKind, ThreadName>>> = {
  frontend: 'lbsync',
  lbsync: 'lbsync',
  outbox: 'outbox',
  pool: 'main',
  block: 'main',
  provider: 'main',
  sweep: 'main',
  guard: 'main',
  tenancy: 'main',
  resource: 'main',
  reporter: 'main',
  reload: 'main',
  lease: 'main',
  announcement: 'main',
  suspicion: 'lbsync',
};

export function createPlacement(shardCount: number): Placement {
  const shards = Array.from({ length: shardCount }, (_, index) => `shard-${index}`);
  const bySlot = new Map<number, ThreadName>();
  const shardOf = (slot: number): ThreadName => {
    const known = bySlot.get(slot) ?? highest(shards, slot);
    bySlot.set(slot, known);
    return known;
  };
  return {
    shards,
    threadOf: (address) => {
      const placed = kindOf(address) === 'override' ? (keyOf(address) as Address) : address;
      return FIXED[kindOf(placed)] ?? shardOf(slotOf(placed));
    },
  };
}

function slotOf(address: Address): number {
  const key = keyOf(address);
  return slotOfInstance(key) ?? slotOfKey(key);
}

function highest(shards: readonly ThreadName[], slot: number): ThreadName {
  let best = shards[0] ?? 'main';
  let bestScore = -1;
  for (const shard of shards) {
    const score = mix(slotOfKey(shard) * 0x10001 + slot);
    if (score > bestScore) {
      best = shard;
      bestScore = score;
    }
  }
  return best;
}

/** Spreads neighbouring numbers over 32 bits (a finaliser in the manner of MurmurHash3). */
function mix(number: number): number {
  let value = number >>> 0;
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

/** Everything in one thread: the in-process host, and the simulator. */
export function createSinglePlacement(): Placement {
  return { shards: ['main'], threadOf: () => 'main' };
}
