/** Tenancy and tenants together: from a scripted tenant manager's events to its statuses, and back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf } from '../../machines/model/ids.js';
import type { Message } from '../../machines/model/messages.js';
import { tenantOf } from '../../src/policy/tenancy-resource.js';
import type { Store, StoredCell } from '../../src/ports/store.js';
import { statusOf, type TenancyNode, tenancyNode } from '../support/tenancy-node.js';
import { brokenPlan, webPlan } from '../support/tenancy-settings.js';

const INTERVAL_MS = 5_000;

const states = (node: TenancyNode): string =>
  node
    .views('tenant')
    .map(({ name, state }) => `${name} ${state}`)
    .join(', ');

const tenantAddress = (id: string) => addressOf('tenant', tenantOf(id) ?? '');

test('[TE-6] [CS-1] tenancy: one org and two projects are made and reported [T1]', async () => {
  const node = await tenancyNode();
  node.manager.create('org', 'edge');
  node.manager.create('project', 'one');
  node.manager.create('project', 'two');
  await node.configure();
  assert.equal(states(node), 'one converged, two converged');
  assert.deepEqual(node.manager.questions, ['replay']);
  assert.deepEqual(node.manager.reports.toSorted(), [
    'edge completed',
    'edge in_progress',
    'one completed',
    'one in_progress',
    'two completed',
    'two in_progress',
  ]);
  await node.clock.advance(INTERVAL_MS);
  assert.deepEqual(node.manager.questions, ['replay', 'after 3 limit 100']);
});

test('[TE-12] [TE-8] [CS-2] tenancy: a restart of 100 converged projects changes and reports nothing [T12]', async () => {
  const first = await tenancyNode();
  for (let number = 1; number <= 100; number += 1) first.manager.create('project', `p${number}`);
  await first.configure();
  assert.equal(first.manager.reports.length, 200);
  const feed = await first.feed();
  const second = await first.restart();
  await second.configure();
  await second.clock.advance(3 * INTERVAL_MS);
  assert.equal(second.views('tenant').filter(({ state }) => state === 'converged').length, 100);
  assert.equal(second.manager.reports.length, 200);
  assert.deepEqual(await second.feed(), feed);
});

test('[TE-1] tenancy: what came while the daemon was away is made after it [T12]', async () => {
  const first = await tenancyNode();
  await first.configure();
  first.manager.create('project', 'late');
  const second = await first.restart();
  await second.clock.settle();
  assert.equal(states(second), 'late converged');
});

test('[TN-5] [CS-4] tenancy: a deleted project goes in order, and its status last [T7] [T19]', async () => {
  const node = await tenancyNode();
  const id = node.manager.create('project', 'one');
  await node.configure();
  node.orders.length = 0;
  node.manager.reports.length = 0;
  node.mute.add('group');
  node.manager.remove(id);
  await node.clock.advance(INTERVAL_MS);
  assert.deepEqual(node.orders, ['group removed']);
  assert.deepEqual(node.manager.reports, ['one in_progress']);
  assert.equal(states(node), 'one draining');
  node.mute.clear();
  await node.tell(tenantAddress(id), statusOf('group', `${tenantOf(id)}/web`, true));
  assert.equal(node.orders.at(-1), 'frontend removed');
  assert.deepEqual(node.manager.reports, ['one in_progress', 'one deleted']);
  assert.equal(states(node), '');
  const feed = await node.feed();
  assert.deepEqual(feed.slice(-3), [
    'tenant.deletion_accepted',
    'tenant.draining',
    'tenant.removed',
  ]);
});

test('[TN-3] tenancy: the time a daemon is away degrades nobody, staying out of step does', async () => {
  const first = await tenancyNode();
  const id = first.manager.create('project', 'one');
  await first.configure();
  first.mute.add('group');
  const group = `${tenantOf(id)}/web`;
  const status = { group, size: 3, serving: 2, converged: false, removed: false };
  await first.tell(tenantAddress(id), { type: 'group.status', status } as Message);
  const second = await first.restart(3_600_000);
  await second.clock.advance(50_000);
  assert.equal(states(second), 'one converged');
  await second.clock.advance(20_000);
  assert.equal(states(second), 'one degraded');
  assert.equal((await second.feed()).filter((type) => type === 'tenant.degraded').length, 1);
});

test('[TN-4] tenancy: a deletion outlives a restart, and its window does not start again', async () => {
  const first = await tenancyNode();
  const id = first.manager.create('project', 'one');
  await first.configure({ undoWindowMs: 300_000 });
  first.manager.remove(id);
  await first.clock.advance(INTERVAL_MS);
  assert.equal(states(first), 'one deleting');
  await first.clock.advance(200_000);
  const second = await first.restart();
  await second.configure({ undoWindowMs: 300_000 });
  assert.equal(states(second), 'one deleting');
  await second.clock.advance(110_000);
  assert.equal(states(second), '');
  assert.equal(second.manager.reports.at(-1), 'one deleted');
});

test('[TN-6] tenancy: an undeleted project stays, through replays and restarts', async () => {
  const first = await tenancyNode();
  const id = first.manager.create('project', 'one');
  await first.configure({ undoWindowMs: 300_000 });
  first.manager.remove(id);
  await first.clock.advance(INTERVAL_MS);
  await first.tell(tenantAddress(id), { type: 'tenant.undelete' });
  assert.equal(states(first), 'one converged');
  assert.equal(first.manager.reports.at(-1), 'one error: its deletion was undone by an operator');
  const second = await first.restart();
  await second.configure({ undoWindowMs: 300_000 });
  await second.clock.advance(600_000);
  assert.equal(states(second), 'one converged');
});

test('[TE-13] [CS-8] tenancy: with the tenant manager away, tenants stay and heal', async () => {
  const node = await tenancyNode();
  node.manager.create('project', 'one');
  await node.configure();
  node.manager.down = { code: 'unreachable', message: 'nobody there' };
  const orders = node.orders.length;
  await node.clock.advance(3_600_000);
  assert.equal(states(node), 'one converged');
  assert.equal(node.orders.length, orders);
  assert.equal((await node.feed()).filter((type) => type === 'tenancy.degraded').length, 1);
  node.manager.down = undefined;
  node.manager.create('project', 'two');
  await node.clock.advance(60_000);
  assert.equal(states(node), 'one converged, two converged');
});

test('[TE-5] [CS-10] tenancy: a poison template parks its kind, and a reload frees it without a restart', async () => {
  const node = await tenancyNode();
  node.manager.create('project', 'one');
  await node.configure({ onProject: brokenPlan() });
  assert.equal(node.views('resource')[0]?.['parked'], true);
  assert.equal(states(node), 'one degraded');
  assert.match(
    node.manager.reports.at(-1) ?? '',
    /^one error: project "one": frontend .* no group/,
  );
  await node.configure({ onProject: webPlan(), generation: 2 });
  assert.equal(states(node), 'one converged');
  assert.equal(node.manager.reports.at(-1), 'one completed');
});

test('[TE-11] tenancy: a project whose status is refused keeps nobody else waiting [T9]', async () => {
  const node = await tenancyNode();
  const poison = node.manager.create('project', 'poison');
  node.manager.refuseStatusOf = poison;
  await node.configure();
  node.manager.create('project', 'late');
  await node.clock.advance(INTERVAL_MS);
  assert.equal(node.manager.reports.filter((report) => report === 'late completed').length, 1);
  node.manager.refuseStatusOf = undefined;
  await node.clock.advance(120_000);
  assert.equal(node.manager.statuses.get(poison), 'completed');
});

/** A row as version 1 of its machine left it. */
async function rewrite(
  store: Store,
  kind: 'tenancy' | 'resource',
  change: (row: StoredCell) => object,
): Promise<void> {
  const rows = await store.load([kind]);
  for (const row of rows.ok ? rows.value : []) {
    const cell = { ...row, version: row.version + 1, machineVersion: 1, ...change(row) };
    const [outcome] = await store.commit([
      {
        ...{ id: `old-${row.address}`, at: 0, actor: row.address, cause: 'test' },
        ...{ thread: 'main', incarnation: 1, forget: false, configGeneration: 1 },
        ...{ cell, spawns: [], records: [] },
      },
    ]);
    assert.ok(outcome?.ok, JSON.stringify(outcome));
  }
}

for (const status of ['quiet', 'given', 'resting']) {
  test(`[ST-21] tenancy: rows of version 1 go on, a status that was ${status} included`, async () => {
    const first = await tenancyNode();
    first.manager.create('project', 'one');
    first.manager.statusDown = { code: 'refused', message: 'later' };
    await first.configure();
    await first.host.stop();
    await rewrite(first.store, 'resource', () => ({
      value: { live: { lane: 'free', tenant: 'pending', status } },
      timers: [{ id: 'xstate.after.resyncDue.resource.live.tenant.pending', dueAtMs: 1 }],
    }));
    const belt = { replay: true, events: [], told: 0, waiting: { gone: {} }, missing: [] };
    await rewrite(first.store, 'tenancy', ({ context }) => ({ context: { ...context, belt } }));
    first.manager.statusDown = undefined;
    const second = await first.restart();
    await second.configure();
    await second.clock.advance(60_000);
    assert.deepEqual(second.manager.reports.slice(-2), ['one in_progress', 'one completed']);
    assert.equal(second.views('tenancy')[0]?.['unaccepted'], 0);
    const { quarantined } =
      second.host.actorViews().find(({ address }) => address === 'tenancy/main') ?? {};
    assert.equal(quarantined, false);
  });
}
