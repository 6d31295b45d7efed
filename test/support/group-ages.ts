/** Groups whose rules of disruption matter: specs, and what a test asks of their members. */
import type { InstanceMemory } from '../../machines/instance-memory.js';
import type { DisruptionSpec, GroupSpec } from '../../machines/model/desired.js';
import type { InstanceState } from '../../machines/model/messages.js';
import { rulesWith } from './books.js';
import { desired } from './group-drive.js';
import { groupSpec, MINUTE_MS } from './group-spec.js';
import type { GroupWorld } from './group-types.js';
import { createGroupWorld } from './group-world.js';

export const HOUR_MS = 60 * MINUTE_MS;

/** A resync as rare as it may be, so that nothing but an age or a window wakes the group. */
export function agedSpec(
  rules: Parameters<typeof rulesWith>[0] | DisruptionSpec,
  change: Partial<GroupSpec> = {},
): GroupSpec {
  const disruption = 'budget' in rules ? rules : rulesWith(rules);
  return groupSpec({ disruption, resyncIntervalMs: 24 * HOUR_MS, ...change });
}

export function living(spec: GroupSpec, settleMs = 10_000): GroupWorld {
  const world = createGroupWorld(spec, 7);
  desired(world, spec);
  world.run(settleMs);
  return world;
}

export function otherTemplate(spec: GroupSpec, infraHash: string, generation: number): GroupSpec {
  return { ...spec, template: { ...spec.template, infraHash }, generation };
}

export function inState(world: GroupWorld, ...states: InstanceState[]): readonly InstanceMemory[] {
  return world.instances().filter(({ state }) => states.includes(state));
}

/** Runs for so long and looks at every step of it. */
export function watching(
  world: GroupWorld,
  { forMs, everyMs }: { readonly forMs: number; readonly everyMs: number },
  look: () => void,
): void {
  for (let spent = 0; spent < forMs; spent += everyMs) {
    world.run(everyMs);
    look();
  }
}

/** `reason after milliseconds` of every drain that has ended, by instance. */
export function drains(
  world: GroupWorld,
): readonly { readonly id: string; readonly reason: string; readonly lastedMs: number }[] {
  return world.records.flatMap(({ event, actor, atMs }) => {
    if (event !== 'instance.drained') return [];
    const begun = world.records.find(
      (one) => one.actor === actor && one.event === 'instance.draining',
    );
    const drain = begun?.numbers['drain'] as { readonly reason: string } | undefined;
    return [{ id: actor, reason: drain?.reason ?? '', lastedMs: atMs - (begun?.atMs ?? 0) }];
  });
}
