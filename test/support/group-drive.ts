/** Short words for tests of groups, most of them for one instance of a group of one. */
import assert from 'node:assert/strict';
import type { InstanceMemory } from '../../machines/instance-memory.js';
import type { GroupSpec } from '../../machines/model/desired.js';
import { addressOf } from '../../machines/model/ids.js';
import type { DrainReason } from '../../machines/model/messages.js';
import { TERMS } from './book.js';
import { groupSpec } from './group-spec.js';
import type { GroupWorld, Neighbours } from './group-types.js';
import { createGroupWorld } from './group-world.js';

export const GROUP = addressOf('group', groupSpec().key);

/** A group of one, so that "the instance" is clear; `onCreate` scripts its first create. */
export function started(
  change: Partial<GroupSpec> = {},
  settleMs = 10_000,
  onCreate?: Neighbours['onCreate'],
): GroupWorld {
  const spec = groupSpec({ size: 1, maxSize: 2, ...change });
  const world = createGroupWorld(spec, 11);
  world.neighbours.onCreate = onCreate;
  world.tell(GROUP, { type: 'group.desired', spec });
  world.run(settleMs);
  return world;
}

export function only(world: GroupWorld): InstanceMemory {
  const [first] = world.instances();
  assert.ok(first, 'there is an instance');
  return first;
}

export function named(world: GroupWorld, { id }: InstanceMemory): InstanceMemory {
  const found = world.instances().find((one) => one.id === id);
  assert.ok(found, `${id} is still there`);
  return found;
}

export function verb(world: GroupWorld, { id }: InstanceMemory, type: string, ask = type): void {
  world.tell(addressOf('instance', id), { type, reason: 'by hand', force: false }, ask);
}

export function drain(
  world: GroupWorld,
  { id }: InstanceMemory,
  reason: DrainReason = 'operator',
): void {
  const order = { type: 'instance.drain', reason, lastMayGo: false, force: false };
  world.tell(addressOf('instance', id), order);
}

export function calls(world: GroupWorld, token: string): string[] {
  return world.neighbours.calls.flatMap((call) =>
    'token' in call && call.token === token ? call.type : [],
  );
}

export function events(world: GroupWorld, { id }: InstanceMemory): string[] {
  const own = addressOf('instance', id);
  return world.records.filter(({ actor }) => actor === own).map(({ event }) => event);
}

export function answered(world: GroupWorld, ask: string): unknown {
  return (world.replies[ask] as { readonly ok: boolean } | undefined)?.ok;
}

export function desired(world: GroupWorld, spec: GroupSpec): void {
  world.tell(GROUP, { type: 'group.desired', spec });
}

export function scale(
  world: GroupWorld,
  size: number,
  ask: string,
  forMs: number | null = null,
): void {
  world.tell(GROUP, { type: 'operator.scale', size, ...TERMS, forMs }, ask);
}

export function assertConverged(world: GroupWorld, size: number): void {
  const status = world.neighbours.statuses.at(-1);
  assert.deepEqual(status, {
    group: groupSpec().key,
    size,
    serving: size,
    converged: true,
    removed: false,
  });
  assert.equal(world.neighbours.made.size, size, 'nothing more exists at the provider');
}
