/**
 * Nodes that share a fleet, in virtual time: who decides, what the others know and do, and what hand-overs
 * and outages cost. The provider is one and remembers every call.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../machines/model/json.js';
import { createSimulatedWorld } from '../../src/adapters/simulated-provider/provider.js';
import { verifyFeed } from '../../src/feed/verify.js';
import { feedTextOf } from '../../src/ports/feed-text.js';
import { createVirtualClock } from '../../src/runtime/virtual-clock.js';
import { expectOk } from '../contract/provider.js';
import { feedEvent } from '../support/feed-events.js';
import { SMALL_SITE } from '../support/small-site.js';
import {
  FLEET_TTL_MS,
  proberOf,
  startFleet,
  storeOf,
  type VirtualFleet,
} from '../support/virtual-fleet.js';
import { startVirtualNode } from '../support/virtual-node.js';

/** Probed seldom: what is looked at here takes hours. */
const SITE = SMALL_SITE.replace(
  'interval: 2s, fastInterval: 500ms',
  'interval: 10s, fall: 1',
).concat('deletedRetention: 1m\n');

/** Weights above 0 in a node's VPP. */
function servingIn(fleet: VirtualFleet, index: number): number {
  const vips = [...(fleet.nodes[index]?.lb.vips.values() ?? [])];
  return vips.flatMap(({ servers }) => [...servers.values()]).filter((weight) => weight > 0).length;
}

function running(fleet: VirtualFleet): readonly string[] {
  return [...fleet.world.instances.values()]
    .filter(({ state }) => state === 'running')
    .map(({ providerId }) => providerId);
}

function created(fleet: VirtualFleet): readonly string[] {
  return fleet.world.calls.filter(({ call }) => call === 'create').map(({ subject }) => subject);
}

function holderOf(fleet: VirtualFleet): number {
  const [holder, ...more] = fleet.holders();
  assert.deepEqual(more, []);
  assert.ok(holder !== undefined, 'nobody holds the lease');
  return holder;
}

test('[FL-1] [FL-4] [FL-6] one node decides, every node serves the same instances from its own VPP', async () => {
  const fleet = await startFleet(SITE, 2);
  await fleet.clock.advance(60_000);
  assert.equal(holderOf(fleet), 0);
  assert.equal(running(fleet).length, 3);
  assert.deepEqual([servingIn(fleet, 0), servingIn(fleet, 1)], [3, 3]);
  assert.deepEqual(fleet.nodes[1]?.views('instance'), []);
});

test('[FL-3] nothing is asked of the provider before the feed has the decision', async () => {
  const fleet = await startFleet(SITE, 1);
  await fleet.clock.advance(60_000);
  const before = created(fleet).length;
  const sink = fleet.seats[0]?.link.sink;
  assert.ok(sink !== undefined);
  const append = sink.append.bind(sink);
  const away = { ok: false, failure: { code: 'unavailable', message: 'held' } } as const;
  Object.assign(sink, { append: async (events: readonly unknown[]) => events.map(() => away) });
  fleet.world.kill(running(fleet)[0] ?? '', 'killed');
  await fleet.clock.advance(30_000);
  assert.equal(created(fleet).length, before);
  assert.equal(servingIn(fleet, 0), 2);
  Object.assign(sink, { append });
  await fleet.clock.advance(120_000);
  assert.equal(created(fleet).length, before + 1);
  assert.equal(servingIn(fleet, 0), 3);
});

test('[LE-6] a holder that dies is followed within the lease’s time and 2 s, and nothing is made twice', async () => {
  const fleet = await startFleet(SITE, 2);
  await fleet.clock.advance(60_000);
  const tokens = created(fleet).length;
  const link = fleet.seats[0]?.link;
  assert.ok(link !== undefined);
  link.cut = true;
  let tookMs = 0;
  while (!fleet.holders().includes(1) && tookMs < 60_000) {
    await fleet.clock.advance(250);
    tookMs += 250;
  }
  assert.ok(tookMs <= FLEET_TTL_MS + 2_000, `${tookMs} ms`);
  await fleet.clock.advance(60_000);
  assert.equal(holderOf(fleet), 1);
  assert.equal(created(fleet).length, tokens);
  assert.deepEqual([servingIn(fleet, 0), servingIn(fleet, 1)], [3, 3]);
  const epochs = fleet.broker.events
    .filter(({ type }) => type === 'lease.gained')
    .map(({ epoch }) => epoch);
  assert.equal(epochs.length, 2);
  assert.ok((epochs[1] ?? 0) > (epochs[0] ?? 0));
});

test('[FL-7] what an operator sends again of a past that others have followed holds nothing up', async () => {
  const clock = createVirtualClock();
  const firstStore = storeOf('edge-1', clock);
  const fleet = await startFleet(SITE, 2, { clock, firstStore });
  await fleet.clock.advance(60_000);
  const link = fleet.seats[0]?.link;
  assert.ok(link !== undefined);
  link.cut = true;
  await fleet.clock.advance(20_000);
  link.cut = false;
  await fleet.clock.advance(20_000);
  assert.equal(holderOf(fleet), 1);
  const published = fleet.broker.events.length;
  assert.ok(expectOk(await firstStore.outboxAmend({ verb: 'republish', sinceMs: 0 })).rows > 0);
  await fleet.clock.advance(180_000);
  assert.equal(expectOk(await firstStore.outboxCounts()).pending, 0);
  assert.equal(fleet.broker.events.length, published);
});

/** Until the other has it; while nobody has, nothing more is begun at the provider [LE-9]. */
async function handOver(fleet: VirtualFleet, to: number, turn: number): Promise<void> {
  let begun: number | undefined;
  for (let passedMs = 0; passedMs < FLEET_TTL_MS + 2_000; passedMs += 250) {
    await fleet.clock.advance(250);
    if (fleet.holders().includes(to)) return;
    if (fleet.holders().length > 0) continue;
    begun ??= effectsOf(fleet);
    assert.equal(effectsOf(fleet), begun, `turn ${turn}`);
  }
  const states = fleet.nodes.flatMap(({ host }) => [host.views('lease'), host.views('outbox')]);
  assert.fail(`turn ${turn}: nobody took over: ${JSON.stringify(states)}`);
}

function effectsOf({ world }: VirtualFleet): number {
  return world.calls.filter(({ call }) => call === 'create' || call === 'delete').length;
}

test('[LE-7] [LE-8] [LE-9] 100 hand-overs with instances dying all along: no intent is executed twice', async () => {
  const fleet = await startFleet(SITE, 2);
  // A create takes longer than the last holder has.
  fleet.world.latencyMs = { create: 1_500, delete: 700 };
  await fleet.clock.advance(60_000);
  for (let turn = 0; turn < 100; turn += 1) {
    const holder = holderOf(fleet);
    const link = fleet.seats[holder]?.link;
    assert.ok(link !== undefined);
    // Sometimes just before it is cut off, sometimes while nobody decides.
    if (turn % 3 === 0) fleet.world.kill(running(fleet)[turn % 3] ?? '', 'killed');
    await fleet.clock.advance((turn * 137) % 900);
    link.cut = true;
    if (turn % 3 === 1) fleet.world.kill(running(fleet)[0] ?? '', 'killed');
    await handOver(fleet, 1 - holder, turn);
    link.cut = false;
    await fleet.clock.advance(12_000);
  }
  await fleet.clock.advance(180_000);
  assert.equal(running(fleet).length, 3);
  // A create that was under way when its holder lost the lease is found, not asked for again.
  assert.equal(new Set(created(fleet)).size, created(fleet).length);
  const gained = fleet.broker.events.filter(({ type }) => type === 'lease.gained');
  const epochs = gained.map(({ epoch }) => epoch);
  assert.ok(epochs.length > 100);
  const verified = expectOk(await verifyFeed(fleet.broker.connect('reader').source));
  assert.deepEqual(verified.problems, [], 'holders go on from each other');
  assert.ok(epochs.every((epoch, at) => at === 0 || epoch > (epochs[at - 1] ?? 0)));
  assert.deepEqual([servingIn(fleet, 0), servingIn(fleet, 1)], [3, 3]);
});

test('[FL-8] a node that was alone brings what it has: the next knows it, and nothing is made again', async () => {
  const clock = createVirtualClock();
  const world = createSimulatedWorld();
  const store = storeOf('edge-1', clock);
  const prober = proberOf(world);
  const alone = await startVirtualNode(SITE, 1, { clock, world, prober, store });
  await clock.advance(60_000);
  assert.equal(alone.views('instance').length, 3);
  await alone.host.stop();
  const fleet = await startFleet(SITE, 2, { clock, world, firstStore: store });
  await clock.advance(30_000);
  const [link] = fleet.seats.map((seat) => seat.link);
  assert.ok(link !== undefined);
  link.cut = true;
  await clock.advance(60_000);
  assert.equal(holderOf(fleet), 1);
  assert.deepEqual(fleet.nodes[1]?.views('instance').length, 3);
  assert.equal(created(fleet).length, 3);
});

test('[FL-10] ten minutes without a broker: nobody decides, every VPP goes on, and then all is made good', async () => {
  const fleet = await startFleet(SITE, 2);
  await fleet.clock.advance(60_000);
  const before = created(fleet).length;
  fleet.broker.down = true;
  await fleet.clock.advance(30_000);
  assert.deepEqual(fleet.holders(), []);
  const [dying = ''] = running(fleet);
  fleet.world.kill(dying, 'killed');
  await fleet.clock.advance(600_000);
  assert.equal(created(fleet).length, before);
  assert.deepEqual([servingIn(fleet, 0), servingIn(fleet, 1)], [2, 2]);
  fleet.broker.down = false;
  await fleet.clock.advance(300_000);
  assert.equal(running(fleet).length, 3);
  assert.equal(created(fleet).length, before + 1);
  assert.deepEqual([servingIn(fleet, 0), servingIn(fleet, 1)], [3, 3]);
});

/** Types of conditions that a node's lease shows. */
function leaseConditions(fleet: VirtualFleet, index: number): readonly unknown[] {
  const views = fleet.nodes[index]?.views('lease') ?? [];
  return views.flatMap(({ conditions }) => conditions as JsonObject[]).map(({ type }) => type);
}

test('[FL-11] a log that lost its end, and has grown past it since: all read it again, and it is healed by its holder', async () => {
  const clock = createVirtualClock();
  const firstStore = storeOf('edge-1', clock);
  const fleet = await startFleet(SITE, 2, { clock, firstStore });
  await fleet.clock.advance(60_000);
  const tokens = created(fleet).length;
  const had = fleet.broker.events.length;
  fleet.broker.lose(had - 8);
  // It grows past where everybody has read before anybody looks.
  const others = Array.from({ length: 20 }, (_, at) =>
    feedEvent(at, {
      ...{ eventId: `other-${at}`, node: 'edge-9', aggregateKind: 'frontend' },
      orderingKey: 'frontend/x',
    }),
  );
  await fleet.broker.connect('edge-9').sink.append(others.map(feedTextOf));
  await fleet.clock.advance(60_000);
  for (const index of [0, 1]) {
    assert.deepEqual(leaseConditions(fleet, index), ['fleet-log-lost-end'], `edge-${index + 1}`);
  }
  assert.deepEqual([servingIn(fleet, 0), servingIn(fleet, 1)], [3, 3]);
  expectOk(await firstStore.outboxAmend({ verb: 'republish', sinceMs: 0 }));
  await fleet.clock.advance(120_000);
  for (const index of [0, 1]) assert.deepEqual(leaseConditions(fleet, index), []);
  const link = fleet.seats[0]?.link;
  assert.ok(link !== undefined);
  link.cut = true;
  await fleet.clock.advance(60_000);
  assert.equal(holderOf(fleet), 1);
  assert.equal(created(fleet).length, tokens, 'the next holder knows every one');
  assert.deepEqual([servingIn(fleet, 0), servingIn(fleet, 1)], [3, 3]);
});

test('[FL-11] what a log lost with its holder is a condition until the next one goes on without it', async () => {
  const fleet = await startFleet(SITE, 2);
  await fleet.clock.advance(60_000);
  fleet.broker.lose(fleet.broker.events.length - 8);
  const [link] = fleet.seats.map((seat) => seat.link);
  assert.ok(link !== undefined);
  link.cut = true;
  await fleet.clock.advance(2_000);
  assert.deepEqual(leaseConditions(fleet, 1), ['fleet-log-lost-end']);
  await fleet.clock.advance(90_000);
  assert.equal(holderOf(fleet), 1);
  assert.deepEqual(leaseConditions(fleet, 1), []);
  assert.equal(running(fleet).length, 3);
  assert.deepEqual([servingIn(fleet, 0), servingIn(fleet, 1)], [3, 3]);
});

test('[ID-40] a node whose agents’ authority is not the holder’s says so, before it has to take over', async () => {
  const fleet = await startFleet(SITE, 3, { agentCas: ['one', 'one', 'other'] });
  await fleet.clock.advance(60_000);
  assert.deepEqual(
    [0, 1, 2].map((index) => leaseConditions(fleet, index)),
    [[], [], ['agent-ca-differs']],
  );
});

for (const policy of ['halt', 'quarantine', 'ignore'] as const) {
  test(`[FL-12] an event of the fleet that nobody here knows, with ${policy}`, async () => {
    const fleet = await startFleet(SITE, 2);
    const [first, second] = fleet.seats;
    assert.ok(first !== undefined && second !== undefined);
    // The holder is of a newer release.
    first.unknownTypes = 'ignore';
    second.unknownTypes = policy;
    await fleet.clock.advance(30_000);
    const epoch = fleet.broker.events.at(-1)?.epoch ?? 0;
    const strange = {
      eventId: 'strange',
      type: 'group.polished',
      epoch,
      orderingKey: 'group/acme/web',
    };
    await first.link.sink.append([feedTextOf(feedEvent(1_000, strange))]);
    fleet.world.kill(running(fleet)[0] ?? '', 'killed');
    await fleet.clock.advance(90_000);
    const found = policy === 'ignore' ? [] : ['fleet-log-unknown-type'];
    assert.deepEqual(leaseConditions(fleet, 1), found);
    // The one that was made since is not known to who stopped there; VPP goes on with the others.
    assert.deepEqual([servingIn(fleet, 0), servingIn(fleet, 1)], [3, policy === 'halt' ? 2 : 3]);
    first.link.cut = true;
    await fleet.clock.advance(60_000);
    assert.equal(fleet.holders().includes(1), policy !== 'halt');
    second.unknownTypes = 'quarantine';
    first.link.cut = false;
    await fleet.clock.advance(120_000);
    assert.equal(fleet.holders().length, 1);
    assert.deepEqual([servingIn(fleet, 0), servingIn(fleet, 1)], [3, 3]);
    assert.equal(new Set(created(fleet)).size, created(fleet).length);
  });
}
