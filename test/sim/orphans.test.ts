/** What a provider has and nobody knows, on a whole node under a virtual clock. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupKeyOf, type InstanceId, type TenantId } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import type { ProviderTags } from '../../machines/model/messages.js';
import { SMALL_SITE } from '../support/small-site.js';
import { startVirtualNode, type VirtualNode } from '../support/virtual-node.js';

const MINUTE_MS = 60_000;
const DELETING = `${SMALL_SITE}\norphans: delete\n`;

/** Something at the provider that no instance asked for. */
function plant(node: VirtualNode, providerId: string, tags: Partial<ProviderTags> = {}): void {
  const known: ProviderTags = {
    installation: 'virtual',
    node: 'virtual',
    tenant: 'acme' as TenantId,
    group: groupKeyOf('acme', 'web'),
    instance: 'i-0000-00000000abcd' as InstanceId,
    epoch: 1,
  };
  const token = `token-of-${providerId}`;
  const made = { providerId, token, address: '127.64.9.9', state: 'running' as const };
  node.world.instances.set(providerId, { ...made, tags: { ...known, ...tags } });
}

const types = (views: readonly JsonObject[]): readonly string[] =>
  views
    .flatMap(({ conditions }) => conditions as readonly JsonObject[])
    .map(({ type }) => String(type));

const orphans = (node: VirtualNode): readonly JsonObject[] =>
  node.views('sweep').flatMap((view) => view['orphans'] as readonly JsonObject[]);

const has = (node: VirtualNode, providerId: string): boolean =>
  node.world.instances.has(providerId);

test('[OR-1] [OR-6] node: an orphan is found and reported, and never touched by default', async () => {
  const node = await startVirtualNode(SMALL_SITE);
  await node.clock.advance(MINUTE_MS);
  assert.deepEqual(orphans(node), []);
  plant(node, 'stray');
  plant(node, 'foreign', { installation: 'elsewhere' });
  plant(node, 'newer', { epoch: 9 });
  await node.clock.advance(5 * MINUTE_MS);
  assert.deepEqual(
    orphans(node).map(({ providerId, why }) => `${providerId} ${why}`),
    ['stray unknown'],
  );
  assert.deepEqual(types(node.views('sweep')), ['orphans']);
  await node.clock.advance(120 * MINUTE_MS);
  assert.deepEqual(
    ['stray', 'foreign', 'newer'].map((id) => has(node, id)),
    [true, true, true],
  );
  node.world.instances.delete('stray');
  await node.clock.advance(5 * MINUTE_MS);
  assert.deepEqual(orphans(node), []);
});

test('[OR-4] [OR-7] node: with orphans: delete it goes after its quarantine, over failing lists', async () => {
  const node = await startVirtualNode(DELETING);
  await node.clock.advance(MINUTE_MS);
  plant(node, 'stray');
  plant(node, 'foreign', { installation: 'elsewhere' });
  await node.clock.advance(28 * MINUTE_MS);
  assert.equal(has(node, 'stray'), true);
  const failure = { code: 'unavailable', message: 'page 2 of 3 is missing' } as const;
  node.world.failures.push({ call: 'list', failure }, { call: 'list', failure });
  await node.clock.advance(8 * MINUTE_MS);
  assert.equal(has(node, 'stray'), true, 'a failed list deletes nobody');
  assert.deepEqual(types(node.views('sweep')), ['orphans', 'orphan-sweep-failing']);
  await node.clock.advance(8 * MINUTE_MS);
  assert.equal(has(node, 'stray'), false);
  await node.clock.advance(5 * MINUTE_MS);
  assert.equal(has(node, 'foreign'), true);
  assert.deepEqual(types(node.views('sweep')), []);
  const events = await node.store.journal(0, 10_000);
  const named = (events.ok ? events.value : []).map(({ event }) => event);
  assert.deepEqual(
    named.filter((event) => event.startsWith('orphans.')),
    ['orphans.found', 'orphans.deleting', 'orphans.gone'],
  );
});

test('[OR-2] node: what a refused create made after all is met by its row, and leaves', async () => {
  const node = await startVirtualNode(SMALL_SITE.replace('size: 3', 'size: 0'));
  await node.clock.advance(MINUTE_MS);
  const failure = { code: 'quota', message: 'no room' } as const;
  node.world.failures.push({ call: 'create', failure, lost: true });
  await node.configure(SMALL_SITE);
  await node.clock.advance(MINUTE_MS);
  assert.equal(node.world.instances.size, 4, 'three that are wanted, one that nobody knows of');
  await node.clock.advance(5 * MINUTE_MS);
  assert.equal(node.world.instances.size, 3);
  assert.deepEqual(orphans(node), [], 'it had an owner');
});

test('[OR-1] node: instances of another life are known, those of a lost store are not', async () => {
  const hasty = `${DELETING}orphanQuarantine: 0s\n`;
  let node = await startVirtualNode(hasty);
  await node.clock.advance(MINUTE_MS);
  const before = [...node.world.instances.keys()];
  node = await node.crash();
  await node.clock.advance(8 * MINUTE_MS);
  assert.deepEqual([...node.world.instances.keys()], before);
  assert.deepEqual(types(node.views('sweep')), []);
  const past = { world: node.world, startAtMs: node.clock.now(), life: 3 };
  const another = await startVirtualNode(SMALL_SITE, 1, past);
  await another.clock.advance(MINUTE_MS);
  assert.deepEqual(
    orphans(another).map(({ providerId }) => providerId),
    before,
  );
});
