/** Scenarios IG-*: several groups of a whole node, its provider's pace, its configuration and its lease. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../machines/model/json.js';
import { fail } from '../../machines/model/result.js';
import { SMALL_SITE } from '../support/small-site.js';
import { startFleet } from '../support/virtual-fleet.js';
import { startVirtualNode, type VirtualNode } from '../support/virtual-node.js';

const MINUTE_MS = 60_000;

/** One group of three for each name, each with a provider of its own. */
function siteOf(names: readonly string[], provider = 'createRate: off'): string {
  const each = (line: (name: string) => string) => names.map(line).join(', ');
  const group = (name: string) => `{ template: ${name}, size: 3, drain: { timeout: 10s } }`;
  return `
providers: { ${each((name) => `${name}: { driver: simulated, ${provider} }`)} }
templates: { ${each((name) => `${name}: { provider: ${name}, spec: {} }`)} }
tenants: { acme: { groups: { ${each((name) => `${name}: ${group(name)}`)} } } }
dataplane: { startupMinDelay: 0s }
guards: { shrink: { share: 100% } }
`;
}

const groupsOf = (node: VirtualNode) => node.views('group').map(({ name }) => name);
const serving = (node: VirtualNode) =>
  Object.fromEntries(node.views('group').map(({ name, serving }) => [name, serving]));

/** Seconds from the first create to each. */
async function createdAt(node: VirtualNode): Promise<readonly number[]> {
  const journal = await node.store.journal(0, 10_000);
  assert.ok(journal.ok);
  const times = journal.value
    .filter(({ event }) => event === 'instance.created')
    .map(({ at }) => at);
  return times.map((at) => Math.round((at - (times[0] ?? 0)) / 100) / 10);
}

test('[IG-9] one create a second: three begin a second apart', async () => {
  const node = await startVirtualNode(siteOf(['web'], 'createRate: 1/s'));
  await node.clock.advance(10_000);
  assert.deepEqual(await createdAt(node), [0, 1, 2]);
});

test('[IG-9] a create that is refused costs the next one no second', async () => {
  const refusal = 'script: { errors: [{ call: create, code: quota, times: 1 }] }';
  const node = await startVirtualNode(siteOf(['web'], `createRate: 1/s, ${refusal}`));
  await node.clock.advance(20_000);
  const journal = await node.store.journal(0, 10_000);
  const times = (name: string) =>
    journal.ok ? journal.value.filter(({ event }) => event === name).map(({ at }) => at) : [];
  const [refusedMs = 0, ...more] = times('instance.failed');
  const [first = 0, second = 0, third = 0] = times('instance.created');
  assert.deepEqual(more, []);
  assert.ok(first - refusedMs < 500, 'the second of the three is asked for at once');
  assert.ok(second - first >= 1_000 && second - first < 1_500, 'the third a second later');
  assert.ok(third - second >= 1_000, 'and so the first one again');
});

test('[IG-19] three groups, the second one’s provider refuses: the others are not held up, its trouble is told', async () => {
  const text = siteOf(['one', 'two', 'three']).replace(
    'two: { driver: simulated, createRate: off }',
    'two: { driver: simulated, createRate: off, script: { errors: [{ call: create, code: quota, times: 3 }] } }',
  );
  const node = await startVirtualNode(text);
  await node.clock.advance(1_000);
  assert.deepEqual(serving(node), { one: 3, two: 0, three: 3 });
  const two = node.views('group').find(({ name }) => name === 'two');
  const [trouble] = (two?.['conditions'] ?? []) as readonly JsonObject[];
  assert.match(String(trouble?.['message']), /quota/);
  await node.clock.advance(MINUTE_MS);
  assert.deepEqual(serving(node), { one: 3, two: 3, three: 3 });
  const journal = await node.store.journal(0, 10_000);
  const failed = journal.ok ? journal.value.filter(({ event }) => /create_failed/.test(event)) : [];
  assert.deepEqual([...new Set(failed.map(({ actor }) => actor))], ['group/acme/two']);
});

test('[IG-55] a configuration that cannot be read lacks nothing; one that can and has the group no more drains it', async () => {
  const text = siteOf(['web', 'api']);
  const node = await startVirtualNode(text);
  await node.clock.advance(MINUTE_MS);
  const without = siteOf(['web']);
  for (const broken of [`${without}\n  - not: [yaml`, without.replace('size: 3', 'size: many')]) {
    const result = await node.configure(broken);
    assert.match(String(result['status']), /load_failed|validation_failed/, broken);
    await node.clock.advance(10 * MINUTE_MS);
    assert.equal(node.world.instances.size, 6);
    assert.ok(!node.world.calls.some(({ call }) => call === 'delete'));
  }
  assert.equal((await node.configure(without))['status'], 'full_success');
  await node.clock.advance(1_000);
  const leaving = node.views('instance').filter(({ group }) => group === 'api');
  assert.ok(
    leaving.every(({ state }) => state === 'draining'),
    JSON.stringify(leaving),
  );
  await node.clock.advance(MINUTE_MS);
  assert.deepEqual(groupsOf(node), ['web']);
  assert.equal(node.world.instances.size, 3);
});

test('[IG-48] a holder that goes silent is followed by exactly one of two', async () => {
  const fleet = await startFleet(SMALL_SITE, 3);
  await fleet.clock.advance(MINUTE_MS);
  assert.deepEqual(fleet.holders(), [0]);
  const link = fleet.seats[0]?.link;
  assert.ok(link !== undefined);
  link.cut = true;
  const seen = new Set<string>();
  for (let step = 0; step < 80; step += 1) {
    await fleet.clock.advance(250);
    seen.add(fleet.holders().join());
  }
  const [next, ...more] = fleet.holders();
  assert.ok(next === 1 || next === 2);
  assert.deepEqual(more, []);
  assert.deepEqual(
    [...seen].filter((one) => one.includes(',')),
    [],
    'never two at once',
  );
  assert.ok(seen.size <= 3, [...seen].join(' | '));
});

test('[IG-48] a holder that stops gives it back: another has it at its next look', async () => {
  const fleet = await startFleet(SMALL_SITE, 2);
  await fleet.clock.advance(MINUTE_MS);
  const leaver = fleet.nodes[0];
  assert.ok(leaver !== undefined);
  const stopped = leaver.host.stop();
  await fleet.clock.advance(2_000);
  await stopped;
  assert.deepEqual(fleet.holders(), [1]);
});

test('[IG-48] [LE-10] who has the lease and cannot take it up gives it back, and another decides', async () => {
  const fleet = await startFleet(SMALL_SITE, 2);
  await fleet.clock.advance(MINUTE_MS);
  const [first, second] = fleet.seats.map(({ link }) => link);
  assert.ok(first !== undefined && second !== undefined);
  const read = second.source.read;
  const failure = { code: 'unavailable', message: 'its disk is full' } as const;
  Object.assign(second.source, { read: async () => fail(failure) });
  first.cut = true;
  await fleet.clock.advance(7_000);
  assert.equal(fleet.broker.lease.holder(), 'edge-2');
  first.cut = false;
  await fleet.clock.advance(20_000);
  assert.deepEqual(fleet.holders(), [0]);
  Object.assign(second.source, { read });
  first.cut = true;
  await fleet.clock.advance(40_000);
  assert.deepEqual(fleet.holders(), [1]);
});
