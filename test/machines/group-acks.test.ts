/**
 * Group, instances and their real frontend before a lazy lbsync: whatever its reports do on their way,
 * the provider deletes nothing that VPP still has (test/support/group-laws.ts).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { wantedOf } from '../../machines/group-memory.js';
import type { FrontendSpec } from '../../machines/model/desired.js';
import { addressOf } from '../../machines/model/ids.js';
import { assertConverged, desired, scale } from '../support/group-drive.js';
import { groupSpec, MINUTE_MS, WEB } from '../support/group-spec.js';
import type { GroupWorld } from '../support/group-types.js';
import { createGroupWorld } from '../support/group-world.js';
import { seedOfRun } from '../support/seed.js';

const SPEC = groupSpec({ drain: { timeoutMs: MINUTE_MS, holdMaxMs: 15 * MINUTE_MS } });

const FRONTEND: FrontendSpec = {
  name: WEB,
  address: '192.0.2.1',
  protocol: 'tcp',
  port: 443,
  encap: 'auto',
  dscp: 0,
  srcIpSticky: false,
  weightScale: 'reduced',
  flushOnDown: true,
  unknown: 'keep',
  allDown: 'keep',
  activeWhile: 0.3,
  failBack: { at: 0.5, holdForMs: 10_000 },
  priority: 100,
  startupMaxDelayMs: 30_000,
  pools: [
    {
      name: 'primary',
      members: [{ ref: { kind: 'group', group: SPEC.key, maxSize: SPEC.maxSize }, weight: 100 }],
    },
  ],
  generation: 1,
};

const ACTS = [
  'crash',
  'startOver',
  'down',
  'up',
  'scale',
  'replace',
  'drain',
  'drain',
  'ack',
  'freeze',
  'thaw',
  'leave',
  'join',
  'remove',
] as const;

interface Act {
  readonly act: (typeof ACTS)[number];
  readonly whom: number;
  readonly waitMs: number;
}

const actArb: fc.Arbitrary<Act> = fc.record({
  act: fc.constantFrom(...ACTS),
  whom: fc.nat({ max: 6 }),
  waitMs: fc.oneof(
    fc.nat({ max: 100 }),
    fc.nat({ max: 2_000 }),
    fc.nat({ max: 30_000 }),
    fc.nat({ max: 3 * MINUTE_MS }),
  ),
});

let generation = 1;

/** What a reload does when the frontend has the group, when it has not, and when it is gone. */
function reload(world: GroupWorld, how: 'join' | 'leave' | 'remove'): void {
  generation += 1;
  const to = addressOf('frontend', WEB);
  const pools = how === 'join' ? FRONTEND.pools : [{ name: 'primary', members: [] }];
  if (how === 'remove') world.tell(to, { type: 'frontend.removed' });
  else world.tell(to, { type: 'frontend.desired', spec: { ...FRONTEND, pools, generation } });
  const frontends = how === 'join' ? [WEB] : [];
  desired(world, { ...SPEC, frontends, generation });
}

function perform(world: GroupWorld, { act, whom }: Act): void {
  const all = world.instances();
  const target = all[whom % Math.max(1, all.length)];
  if (act === 'crash') return world.crash();
  if (act === 'startOver') return world.neighbours.startOver();
  if (act === 'freeze') return void world.neighbours.frozen.add(WEB);
  if (act === 'thaw') return void world.neighbours.frozen.delete(WEB);
  if (act === 'leave' || act === 'join' || act === 'remove') return reload(world, act);
  if (act === 'scale') return scale(world, whom, 'scale');
  if (target === undefined) return;
  if (act === 'down' || act === 'up') return world.neighbours.setHealth(target.id, act);
  const verb = { replace: 'operator.replace', drain: 'operator.drain', ack: 'operator.ackDrain' };
  const message = { type: verb[act], reason: 'history', force: false };
  world.tell(addressOf('instance', target.id), message, act);
}

function begin(seed: number): GroupWorld {
  const world = createGroupWorld(SPEC, seed, 'real');
  reload(world, 'join');
  return world;
}

test('[GR-19] [IN-12] [IN-13] group: reports in any order delete nothing that VPP has', () => {
  let deleted = 0;
  fc.assert(
    fc.property(fc.nat(), fc.array(actArb, { maxLength: 20 }), (seed, acts) => {
      const world = begin(seed);
      world.neighbours.onDelete(() => {
        deleted += 1;
      });
      world.run(MINUTE_MS);
      for (const act of acts) {
        perform(world, act);
        world.run(act.waitMs);
      }
      world.neighbours.frozen.clear();
      for (const { id } of world.instances()) world.neighbours.setHealth(id, 'up');
      // Said twice: whoever is leaving at this very moment does not hear it.
      reload(world, 'join');
      world.run(MINUTE_MS);
      reload(world, 'join');
      world.run(60 * MINUTE_MS);
      assertConverged(world, wantedOf(world.group()));
    }),
    { seed: seedOfRun(), numRuns: 60 },
  );
  assert.ok(deleted > 20, `the law was hardly tried: ${deleted} deletes`);
});
