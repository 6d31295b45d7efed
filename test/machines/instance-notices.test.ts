/** Rules IN-1, IN-15..IN-18: hosts that go, force, quarantine, and whom a group trusts about health. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InstanceMemory } from '../../machines/instance-memory.js';
import { viewOf } from '../../machines/instance-messages.js';
import { addressOf } from '../../machines/model/ids.js';
import { opinionOf } from '../../src/policy/instance-health.js';
import { TERMS } from '../support/book.js';
import { agentSpec, attended } from '../support/group-agents.js';
import { agedSpec, HOUR_MS, inState, living } from '../support/group-ages.js';
import { answered, assertConverged, desired, named, verb } from '../support/group-drive.js';
import { MINUTE_MS, WEB } from '../support/group-spec.js';
import type { GroupWorld } from '../support/group-types.js';
import { createGroupWorld } from '../support/group-world.js';

function first(world: GroupWorld): InstanceMemory {
  return world.instances()[0] ?? assert.fail('there is one');
}

function tell(world: GroupWorld, { id }: InstanceMemory, message: object, ask?: string): void {
  world.tell(addressOf('instance', id), message as never, ask);
}

function notice(world: GroupWorld, one: InstanceMemory, inMs: number, id = 'n-1'): void {
  tell(world, one, { type: 'instance.notice', notice: { id, deadlineMs: world.now() + inMs } });
}

function quarantine(world: GroupWorld, one: InstanceMemory, forMs: number | null, ask = 'q'): void {
  const message = { type: 'operator.quarantine', force: false, ...TERMS, forMs };
  tell(world, one, message, ask);
}

test('[IN-1] instance: a notice brings a drain forward, never back', () => {
  const world = living(agedSpec({}));
  const one = first(world);
  verb(world, one, 'operator.drain');
  world.run(1_000);
  assert.match(JSON.stringify(world.replies['operator.drain']), /"state":"draining"/);
  const was = named(world, one).drain?.deadlineMs ?? 0;
  notice(world, one, HOUR_MS);
  world.run(1_000);
  assert.equal(named(world, one).drain?.deadlineMs, was);
  const soonMs = world.now() + MINUTE_MS;
  notice(world, one, MINUTE_MS, 'n-2');
  world.run(1_000);
  notice(world, one, 2 * MINUTE_MS, 'n-3');
  world.run(1_000);
  assert.equal(named(world, one).drain?.deadlineMs, soonMs);
  world.crash();
  world.run(soonMs - world.now() - 500);
  assert.equal(named(world, one).state, 'draining');
  world.run(2_000);
  assert.equal(named(world, one).state, 'deleted');
  // The third changed nothing: the feed has the other two.
  const told = world.records.filter(({ event }) => event === 'instance.termination_notice');
  assert.deepEqual(
    told.map(({ publish }) => publish?.aggregateId),
    [one.id, one.id],
  );
});

test('[IN-15] instance: when its host goes no frontend is waited for, and that is on record', () => {
  const world = living(agedSpec({}));
  const one = first(world);
  world.neighbours.frozen.add(WEB);
  notice(world, one, MINUTE_MS);
  world.run(MINUTE_MS - 1_000);
  assert.equal(named(world, one).state, 'draining');
  const told = world.records.map(({ event }) => event);
  const at = told.indexOf('instance.termination_notice');
  assert.ok(at >= 0 && at < told.indexOf('instance.draining'), told.join(' '));
  world.run(10_000);
  assert.equal(named(world, one).state, 'deleted');
  assert.equal(named(world, one).drain?.endedBy, 'provider-deadline');
});

test('[IN-15] instance: by force it goes at its deadline, without force it is held as long as it takes', () => {
  for (const force of [true, false]) {
    const world = living(agedSpec({}));
    const one = first(world);
    world.neighbours.frozen.add(WEB);
    tell(world, one, { type: 'operator.drain', deadlineMs: MINUTE_MS, reason: 'x', force });
    world.run(MINUTE_MS - 1_000);
    assert.equal(named(world, one).state, 'draining');
    world.run(10_000);
    assert.equal(named(world, one).state, force ? 'deleted' : 'draining');
    if (force) assert.equal(named(world, one).drain?.endedBy, 'forced');
  }
});

// --- quarantine -------------------------------------------------------------------------------

test('[IN-18] quarantine: out of rotation, replaced, alive; drained when its time is up', () => {
  const world = living(agedSpec({}));
  const one = first(world);
  quarantine(world, one, HOUR_MS);
  world.run(MINUTE_MS);
  assert.equal(answered(world, 'q'), true);
  assert.match(JSON.stringify(world.replies['q']), /"state":"quarantined"/);
  assert.equal(named(world, one).state, 'quarantined');
  assert.equal(world.neighbours.asOf(WEB, one.id)?.phase, 'drain');
  assert.equal(inState(world, 'serving').length, 3);
  assert.equal(world.neighbours.made.size, 4);
  assert.equal(world.neighbours.statuses.at(-1)?.converged, true);
  world.crash();
  world.run(HOUR_MS - 2 * MINUTE_MS);
  assert.equal(named(world, one).state, 'quarantined');
  world.run(2 * MINUTE_MS);
  assert.equal(named(world, one).drain?.reason, 'quarantine-over');
  world.run(10 * MINUTE_MS);
  assertConverged(world, 3);
});

test('[IN-18] quarantine: released it serves again, and the group has one too many for a while', () => {
  const world = living(agedSpec({}, { size: 1 }));
  const one = first(world);
  quarantine(world, one, null);
  world.run(2 * HOUR_MS);
  assert.equal(named(world, one).state, 'quarantined');
  verb(world, one, 'operator.release');
  world.run(1_000);
  assert.equal(answered(world, 'operator.release'), true);
  assert.equal(
    world.neighbours.asOf(WEB, named(world, one).id)?.phase,
    'drain',
    'the oldest leaves',
  );
  world.run(10 * MINUTE_MS);
  assertConverged(world, 1);
});

test('[IN-18] quarantine: released while its place is not filled it stays', () => {
  const world = living(agedSpec({}, { resyncIntervalMs: MINUTE_MS }));
  const one = first(world);
  world.neighbours.onCreate = 'quota';
  quarantine(world, one, null);
  world.run(MINUTE_MS);
  verb(world, one, 'operator.release');
  world.run(20 * MINUTE_MS);
  assert.equal(named(world, one).state, 'serving');
  assert.equal(world.neighbours.asOf(WEB, one.id)?.phase, 'in');
  assertConverged(world, 3);
});

test('[IN-18] quarantine: released after its time to boot, having never served, it gets that time anew', () => {
  const world = createGroupWorld(agedSpec({}, { size: 1 }), 7);
  world.neighbours.newborn = 'down';
  desired(world, agedSpec({}, { size: 1 }));
  world.run(MINUTE_MS);
  const one = first(world);
  assert.equal(one.state, 'registered');
  world.neighbours.onCreate = 'quota';
  quarantine(world, one, null);
  world.run(HOUR_MS);
  verb(world, one, 'operator.release');
  world.run(MINUTE_MS);
  assert.equal(named(world, one).state, 'registered');
  const bootMs = one.spec.bootTimeoutMs;
  world.run(bootMs - 2 * MINUTE_MS);
  assert.equal(named(world, one).state, 'registered');
  world.run(2 * MINUTE_MS);
  assert.equal(named(world, one).drain?.reason, 'unhealthy');
});

test('[IN-18] quarantine: ends with its group, by a drain, a notice or a death; only what lives is kept', () => {
  const ends = {
    'group.removed': (world: GroupWorld) =>
      world.tell(addressOf('group', first(world).spec.key), {
        type: 'group.removed',
        reason: 'group-removed',
      }),
    'operator.drain': (world: GroupWorld, one: InstanceMemory) =>
      verb(world, one, 'operator.drain'),
    notice: (world: GroupWorld, one: InstanceMemory) => notice(world, one, MINUTE_MS),
    death: (world: GroupWorld, one: InstanceMemory) => world.neighbours.die(one.id),
  };
  for (const [how, end] of Object.entries(ends)) {
    const world = living(agedSpec({}));
    const one = first(world);
    quarantine(world, one, null);
    world.run(1_000);
    end(world, one);
    world.run(20 * MINUTE_MS);
    const state = world.instances().find(({ id }) => id === one.id)?.state;
    assert.ok(state === undefined || state === 'deleted', `${how}: ${state}`);
    if (state === undefined) continue;
    quarantine(world, one, null, 'late');
    verb(world, one, 'operator.release', 'release');
    world.run(1_000);
    assert.deepEqual([answered(world, 'late'), answered(world, 'release')], [false, false]);
  }
});

// --- health -----------------------------------------------------------------------------------

test('[IN-16] [IN-17] opinion: by source, probe and agent', () => {
  const rows = [
    ['probe', true, 'up', 'unhealthy', 'well'],
    ['probe', true, 'down', 'healthy', 'unwell'],
    ['probe', true, 'unknown', undefined, 'unclear'],
    ['probe', true, 'paused', undefined, 'unclear'],
    ['probe', false, undefined, undefined, 'well'],
    ['agent', true, 'down', 'healthy', 'well'],
    ['agent', true, 'up', 'unheard', 'unclear'],
    ['agent', true, 'up', 'registered', 'unclear'],
    ['agent', true, 'up', undefined, 'unclear'],
    ['agent', false, undefined, 'unhealthy', 'sick'],
    ['agent', false, undefined, 'silent', 'sick'],
    ['both', true, 'up', 'silent', 'well'],
    ['both', true, 'up', 'unheard', 'well'],
    ['both', true, 'up', 'unhealthy', 'sick'],
    ['both', true, 'down', 'healthy', 'unwell'],
    ['both', true, 'down', 'silent', 'sick'],
    ['both', true, 'unknown', 'silent', 'unclear'],
    ['both', false, undefined, 'healthy', 'well'],
    ['both', false, undefined, undefined, 'unclear'],
  ] as const;
  for (const [source, probed, probe, agent, expected] of rows) {
    const found = opinionOf({ source, probed, probe, agent });
    assert.equal(found, expected, `${source} ${probed} ${probe} ${agent}`);
  }
});

test('[IN-16] agent: one that says it is unhealthy is replaced at once, one that recovers is kept', () => {
  const { world, report, run } = attended();
  const one = first(world);
  world.neighbours.newborn = 'unknown';
  report(one.id, { healthy: false, detail: 'disk' });
  world.run(1_000);
  assert.equal(named(world, one).state, 'suspect');
  assert.ok(world.instances().some(({ replaces }) => replaces === one.id));
  report(one.id);
  run(10 * MINUTE_MS);
  assert.equal(named(world, one).state, 'serving');
  assert.equal(inState(world, 'serving').length, 3);
});

test('[IN-16] agent: a booting one waits for its first word of health, and its grace is kept', () => {
  const spec = agentSpec();
  const patient = { ...spec, health: { ...spec.health, graceMs: 10 * MINUTE_MS } };
  const { world, report, run } = attended(patient);
  const one = first(world);
  report(one.id, { healthy: false });
  run(5 * MINUTE_MS, [one.id]);
  assert.equal(named(world, one).state, 'suspect');
  assert.equal(world.instances().length, 3, 'not replaced in its grace');
  run(5 * MINUTE_MS, [one.id]);
  assert.ok(world.instances().some(({ replaces }) => replaces === one.id));
});

test('[IN-16] both: silence beside a passing probe is a condition, and takes nobody away', () => {
  const { world, run } = attended(agentSpec('both'));
  const one = first(world);
  run(20 * MINUTE_MS, [one.id]);
  assert.equal(named(world, one).state, 'serving');
  assert.equal(world.instances().length, 3);
  assert.match(JSON.stringify(viewOf(named(world, one))), /"type":"agent-silent"/);
  world.neighbours.setHealth(one.id, 'down');
  world.run(1_000);
  assert.ok(world.instances().some(({ replaces }) => replaces === one.id));
});

test('[IN-17] agent: after a restart silence counts for nothing for three intervals', () => {
  const { world } = attended();
  world.run(170_000);
  world.crash();
  world.run(175_000);
  assert.equal(inState(world, 'serving').length, 3);
  world.run(10_000);
  assert.equal(inState(world, 'serving').length, 0);
});

test('[IN-3] agent: one that speaks while its create is of unknown outcome is looked for at once', () => {
  const world = living(agentSpec('agent', { size: 0 }));
  world.neighbours.onCreate = 'made-unavailable';
  const key = addressOf('group', agentSpec().key);
  world.tell(key, { type: 'operator.createInstance', key: 'job', reason: 'x' });
  world.run(100);
  const one = first(world);
  assert.equal(one.state, 'creating');
  world.tell(addressOf('agent', one.id), { type: 'agent.registered' });
  world.run(100);
  assert.equal(named(world, one).state, 'registered');
});

test('[IN-15] instance: force may also come later, to a drain or a removal that is held', () => {
  for (const heldIn of ['draining', 'drained'] as const) {
    const world = living(agedSpec({}));
    const one = first(world);
    if (heldIn === 'draining') world.neighbours.frozen.add(WEB);
    tell(world, one, { type: 'operator.drain', deadlineMs: MINUTE_MS, reason: 'x', force: false });
    world.run(1_000);
    world.neighbours.frozen.add(WEB);
    world.run(2 * MINUTE_MS);
    assert.equal(named(world, one).state, heldIn);
    const forcing = { type: 'operator.drain', deadlineMs: HOUR_MS, reason: 'y', force: true };
    tell(world, one, forcing, 'forcing');
    world.run(MINUTE_MS);
    assert.deepEqual([answered(world, 'forcing'), named(world, one).state], [true, 'deleted']);
    assert.equal(named(world, one).drain?.endedBy, 'forced');
  }
});
