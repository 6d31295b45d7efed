/**
 * The laws of the diff core, over random dataplanes, judged by a load balancer as strict as VPP.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type DesiredVip, type LbOp, vipKey } from '../../machines/model/lb.js';
import { compareAddresses } from '../../src/lb/address.js';
import { explainPlan } from '../../src/lb/explain.js';
import { createMemory, remember } from '../../src/lb/memory.js';
import { advance, mirrorOf } from '../../src/lb/mirror.js';
import { packDesired, packState, unpackActual } from '../../src/lb/packed/vips.js';
import { diffAll } from '../../src/lb/plan.js';
import { opsOf, type Plan } from '../../src/lb/steps.js';
import { dumbChanges } from '../support/dumb-diff.js';
import { seedOfRun } from '../support/seed.js';
import { keyOf, type StrictLb } from '../support/strict-lb.js';
import { actualOf, compatible, type Scene, sceneOf, world } from './worlds.js';

const SETTINGS = { seed: seedOfRun(), numRuns: 400 };

function planOf(scene: Scene): Plan {
  return diffAll(actualOf(scene), scene.desired.map(packDesired), scene.rules);
}

/** Applies up to `count` ops, keeping the ledger and the memory as lbsync keeps them. */
function run(scene: Scene, plan: Plan, count = Number.POSITIVE_INFINITY): Scene {
  const ledger = new Map(scene.rules.ledger);
  const memory = copyOfMemory(scene);
  let left = count;
  for (const { desired, ops } of plan.steps) {
    for (const op of ops) {
      if (left === 0) break;
      left -= 1;
      if (op.op === 'vip.add') ledger.set(vipKey(op.vip), op.attributes);
      const failure = scene.lb.apply(op);
      assert.equal(failure, undefined, `${JSON.stringify(op)} refused in\n${explainPlan(plan)}`);
      if (op.op === 'vip.del') ledger.delete(vipKey(op.vip));
      remember(memory, op, desired);
    }
  }
  return { ...scene, rules: { ...scene.rules, ledger, memory } };
}

function copyOfMemory({ rules }: Scene) {
  const memory = createMemory();
  for (const [key, episodes] of rules.memory.flushed) memory.flushed.set(key, new Map(episodes));
  for (const key of rules.memory.building) memory.building.add(key);
  return memory;
}

function serversOf({ vips }: StrictLb) {
  return new Map([...vips].map(([key, { attributes, servers }]) => [key, { attributes, servers }]));
}

function weightOf(lb: StrictLb, key: string): number | undefined {
  const found = lb.vips.get(key);
  return found === undefined ? undefined : [...found.servers.values()].reduce((a, b) => a + b, 0);
}

/** What must be there in the end for a VIP without findings. */
function assertReached(scene: Scene, wanted: DesiredVip): void {
  const found = scene.lb.vips.get(keyOf(wanted.vip));
  assert.ok(found, `${keyOf(wanted.vip)} is missing`);
  const weights = new Map(wanted.servers.map((as) => [as.address, as.weight]));
  assert.deepEqual(new Map([...found.servers].sort()), new Map([...weights].sort()));
  const { dscp, ...others } = wanted.attributes;
  const told = scene.rules.ledger.get(keyOf(wanted.vip));
  assert.equal(found.attributes.encap, others.encap);
  assert.equal(found.attributes.tableLength, others.tableLength);
  if (others.encap === 'l3dsr') assert.equal(found.attributes.dscp, dscp);
  if (told !== undefined) assert.equal(found.attributes.srcIpSticky, others.srcIpSticky);
}

test('[LB-1] plan: from any state it reaches the wanted one, and nothing is refused', () => {
  fc.assert(
    fc.property(world, (given) => {
      const scene = sceneOf(given);
      const plan = planOf(scene);
      const after = run(scene, plan);
      const left = new Set(plan.findings.map(({ key }) => key));
      for (const wanted of scene.desired) {
        if (!left.has(keyOf(wanted.vip))) assertReached(after, wanted);
      }
      if (left.size > 0 || !given.exclusive) return;
      assert.deepEqual(dumbChanges(scene.lb.state().vips, scene.desired), []);
    }),
    SETTINGS,
  );
});

test('[LB-1] plan: the dumb implementation wants exactly the changes the plan makes', () => {
  fc.assert(
    fc.property(world, (given) => {
      const scene = sceneOf({ ...given, exclusive: true });
      const plan = planOf(scene);
      const recreated = plan.steps.filter(({ kind }) => kind === 'remove').map(({ key }) => key);
      if (plan.findings.length > 0 || recreated.length > 0) return;
      const wanted = dumbChanges(scene.lb.state().vips, scene.desired);
      const ops = opsOf(plan).filter((op) => !('flush' in op && op.flush));
      assert.equal(wanted.length === 0, ops.length === 0, explainPlan(plan));
    }),
    SETTINGS,
  );
});

test('[LB-2] plan: a VIP that serves and shall serve does so after every op', () => {
  fc.assert(
    fc.property(world, (given) => {
      const scene = sceneOf(given);
      const plan = planOf(scene);
      const removed = new Set(plan.steps.filter((s) => s.kind === 'remove').map((s) => s.key));
      const serving = scene.desired
        .filter(({ servers }) => servers.some((as) => as.weight > 0))
        .map(({ vip }) => keyOf(vip))
        .filter((key) => (weightOf(scene.lb, key) ?? 0) > 0 && !removed.has(key));
      for (const op of opsOf(plan)) {
        scene.lb.apply(op);
        for (const key of serving) {
          assert.ok((weightOf(scene.lb, key) ?? 0) > 0, `${key} went dark\n${explainPlan(plan)}`);
        }
      }
    }),
    SETTINGS,
  );
});

test('[LB-3] plan: a second diff is empty', () => {
  fc.assert(
    fc.property(world, (given) => {
      const scene = sceneOf(given);
      const after = run(scene, planOf(scene));
      assert.equal(opsOf(planOf(after)).length, 0, explainPlan(planOf(after)));
    }),
    SETTINGS,
  );
});

test('[LB-3] plan: stopped after any op, a diff from there converges to the same state', () => {
  fc.assert(
    fc.property(world, (raw) => {
      const given = { ...raw, desired: compatible(raw.desired) };
      const straight = sceneOf(given);
      run(straight, planOf(straight));
      const total = opsOf(planOf(sceneOf(given))).length;
      for (let stop = 0; stop <= total; stop += 1) {
        const scene = sceneOf(given);
        const halfway = run(scene, planOf(scene), stop);
        const resumed = run(halfway, planOf(halfway));
        assert.equal(opsOf(planOf(resumed)).length, 0);
        assert.deepEqual(serversOf(resumed.lb), serversOf(straight.lb), `stopped after op ${stop}`);
      }
    }),
    { ...SETTINGS, numRuns: 60 },
  );
});

test('[LB-4] plan: a server is deleted only at weight 0, and with the flush that took it there', () => {
  fc.assert(
    fc.property(world, (given) => {
      const scene = sceneOf(given);
      for (const op of opsOf(planOf(scene))) {
        if (op.op === 'as.del') {
          assert.equal(scene.lb.vips.get(keyOf(op.vip))?.servers.get(op.as), 0);
        }
        scene.lb.apply(op);
      }
    }),
    SETTINGS,
  );
});

test('[LB-5] plan: within each stage of a VIP the addresses ascend', () => {
  fc.assert(
    fc.property(world, (given) => {
      const scene = sceneOf(given);
      for (const { kind, ops } of planOf(scene).steps) {
        if (kind === 'update') assertStages(scene, ops);
      }
    }),
    SETTINGS,
  );
});

function assertStages(scene: Scene, ops: readonly LbOp[]): void {
  let last = { stage: 0, as: '' };
  for (const op of ops) {
    if (!('as' in op)) continue;
    const before = scene.lb.vips.get(keyOf(op.vip))?.servers.get(op.as) ?? -1;
    const stage = op.op === 'as.del' ? 2 : op.weight > before ? 0 : 1;
    assert.ok(stage >= last.stage, 'a later stage comes first');
    if (stage === last.stage && last.as !== '') assert.ok(compareAddresses(last.as, op.as) < 0);
    last = { stage, as: op.as };
  }
}

test('[LB-6] plan: a VIP that is neither wanted nor in the ledger is never touched', () => {
  fc.assert(
    fc.property(world, (given) => {
      const scene = sceneOf({ ...given, exclusive: false });
      const wanted = new Set(scene.desired.map(({ vip }) => keyOf(vip)));
      for (const op of opsOf(planOf(scene))) {
        assert.ok('vip' in op);
        const key = keyOf(op.vip);
        assert.ok(wanted.has(key) || scene.rules.ledger.has(key), `${key} is foreign`);
        if (op.op === 'vip.del') assert.ok(scene.rules.ledger.has(key), `${key} is not ours`);
      }
    }),
    SETTINGS,
  );
});

test('[LB-6] plan: what is held, and what may not go yet, is left alone', () => {
  fc.assert(
    fc.property(world, fc.array(fc.boolean(), { minLength: 6 }), (given, coins) => {
      const scene = sceneOf({ ...given, exclusive: true });
      const keys = [...scene.lb.vips.keys()];
      const held = new Set(keys.filter((_, index) => coins[index] === true));
      const rules = { ...scene.rules, held, removable: new Set<string>() };
      for (const op of opsOf(planOf({ ...scene, rules }))) {
        assert.ok('vip' in op && !held.has(keyOf(op.vip)));
        const recreated = scene.desired.some(({ vip }) => keyOf(vip) === keyOf(op.vip));
        if (op.op === 'vip.del') assert.ok(recreated, `${keyOf(op.vip)} had no leave to go`);
      }
    }),
    SETTINGS,
  );
});

test('[LB-7] plan: without leave to re-create, a VIP that is there is not taken down', () => {
  fc.assert(
    fc.property(world, (given) => {
      const desired = given.desired.map((wanted) => ({ ...wanted, mayRecreate: false }));
      const scene = sceneOf({ ...given, desired });
      const wanted = new Set(desired.map(({ vip }) => keyOf(vip)));
      const taken = opsOf(planOf(scene)).filter(
        (op) => op.op === 'vip.del' && wanted.has(keyOf(op.vip)),
      );
      assert.deepEqual(taken, []);
    }),
    SETTINGS,
  );
});

test('[LB-8] plan: one (server, episode) is flushed at most once, however often we diff', () => {
  fc.assert(
    fc.property(world, fc.array(fc.nat(5), { maxLength: 6 }), (given, stops) => {
      let scene = sceneOf(given);
      for (const stop of [...stops, 99]) scene = run(scene, planOf(scene), stop);
      const seen = new Set<string>();
      const ours = new Map(scene.desired.map((wanted) => [keyOf(wanted.vip), wanted]));
      for (const op of scene.lb.acknowledged) {
        if (op.op === 'vip.del')
          for (const key of seen) if (key.startsWith(`${keyOf(op.vip)} `)) seen.delete(key);
        if (op.op !== 'as.weight' || !op.flush) continue;
        const episode = ours.get(keyOf(op.vip))?.servers.find((as) => as.address === op.as);
        if (episode?.flushEpisode === undefined) continue;
        const id = `${keyOf(op.vip)} ${op.as}`;
        assert.ok(!seen.has(id), `${id} was flushed twice`);
        seen.add(id);
      }
    }),
    SETTINGS,
  );
});

test('[LB-10] plan: the order of the input does not matter', () => {
  fc.assert(
    fc.property(world, (given) => {
      const scene = sceneOf(given);
      const mirrored = {
        ...scene,
        desired: scene.desired
          .map((wanted) => ({ ...wanted, servers: wanted.servers.toReversed() }))
          .reverse(),
      };
      const actual = new Map([...actualOf(scene)].reverse());
      assert.deepEqual(
        diffAll(actual, mirrored.desired.map(packDesired), scene.rules).steps.map(
          ({ key, ops }) => ({ key, ops }),
        ),
        planOf(scene).steps.map(({ key, ops }) => ({ key, ops })),
      );
    }),
    SETTINGS,
  );
});

test('[LB-11] plan: removals come last unless they make room on their own prefix', () => {
  fc.assert(
    fc.property(world, (given) => {
      const { steps } = planOf(sceneOf(given));
      for (const [index, step] of steps.entries()) {
        if (step.kind !== 'remove') continue;
        const later = steps.slice(index + 1).filter(({ kind }) => kind !== 'remove');
        const room = later.some(({ vip }) => vip.address === step.vip.address);
        assert.ok(later.length === 0 || room, `${step.key} goes too early`);
      }
    }),
    SETTINGS,
  );
});

test('[LB-14] mirror: advanced by acknowledged ops it equals a fresh read', () => {
  fc.assert(
    fc.property(world, (given) => {
      const scene = sceneOf(given);
      const mirror = actualOf(scene);
      for (const op of opsOf(planOf(scene))) {
        if (scene.lb.apply(op) === undefined) advance(mirror, op);
        const read = mirrorOf(packState(scene.lb.state()));
        assert.deepEqual(
          [...mirror].sort().map(([key, vip]) => [key, { ...unpackActual(vip), dscp: 0 }]),
          [...read].sort().map(([key, vip]) => [key, { ...unpackActual(vip), dscp: 0 }]),
        );
      }
    }),
    { ...SETTINGS, numRuns: 150 },
  );
});

test('[LB-13] plan: of two VIPs that exclude each other the present one stays, then priority wins', () => {
  const of = (port: number, priority: number): DesiredVip => ({
    frontend: `f${port}` as DesiredVip['frontend'],
    vip: { address: '192.0.2.1', prefixLength: 32, protocol: port === 0 ? 'any' : 'tcp', port },
    attributes: { encap: 'gre4', dscp: 0, srcIpSticky: false, tableLength: 16 },
    servers: [],
    revision: 1,
    priority,
  });
  const [all, one] = [of(0, 2), of(80, 1)];
  const cases = [
    { present: [], desired: [all, one], built: [keyOf(one.vip)], blocked: [keyOf(all.vip)] },
    { present: [all], desired: [all, one], built: [], blocked: [keyOf(one.vip)] },
  ];
  for (const { present, desired, built, blocked } of cases) {
    const plan = planOf(sceneOf({ present, desired, ours: [true], exclusive: false }));
    assert.deepEqual(
      plan.steps.map(({ key }) => key),
      built,
    );
    assert.deepEqual(
      plan.findings.map(({ key, code }) => [key, code]),
      blocked.map((key) => [key, 'blocked']),
    );
  }
});
