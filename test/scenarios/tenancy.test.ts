/**
 * Scenarios of tenancy: a whole conversation with a scripted tenant manager, in virtual time, down to
 * groups and frontends that do as they are told. Jitter 0, polls every 5 s, back-off 1 s to 30 s.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { addressOf } from '../../machines/model/ids.js';
import type { Message, TenancySettings } from '../../machines/model/messages.js';
import { tenantOf } from '../../src/policy/tenancy-resource.js';
import { loadText } from '../support/config.js';
import { statusOf, type TenancyNode, tenancyNode } from '../support/tenancy-node.js';
import { brokenPlan, webPlan } from '../support/tenancy-settings.js';

const INTERVAL_MS = 5_000;
const UNREACHABLE = { code: 'unreachable', message: 'answered with 503' } as const;

const configure = (node: TenancyNode, change: Partial<TenancySettings> = {}) =>
  node.configure({ jitter: 0, ...change });

const states = (node: TenancyNode): string =>
  node
    .views('tenant')
    .map(({ name, state }) => `${name} ${state}`)
    .join(', ');

/** Questions and when they were asked, in seconds from now on. */
function watchQuestions(node: TenancyNode): () => readonly string[] {
  const { questions } = node.manager;
  const start = node.clock.now();
  const seen: string[] = [];
  questions.push = (...asked: string[]) => {
    seen.push(...asked.map((one) => `${(node.clock.now() - start) / 1_000} ${one}`));
    return Array.prototype.push.apply(questions, asked);
  };
  return () => seen;
}

const cursorIn = (node: TenancyNode) => node.views('tenancy')[0]?.['cursor'];
const conditionsIn = (node: TenancyNode): string =>
  JSON.stringify(node.views('tenancy')[0]?.['conditions']);

describe('tenancy: replay and pages', () => {
  test('[TS-1] an org and two projects: one replay, two statuses each, the next question 5 s later', async () => {
    const node = await tenancyNode();
    const questions = watchQuestions(node);
    node.manager.create('org', 'edge');
    node.manager.create('project', 'one');
    node.manager.create('project', 'two');
    await configure(node, { onOrg: webPlan() });
    assert.deepEqual(
      ['edge', 'one', 'two'].map((name) =>
        node.manager.reports.filter((one) => one.startsWith(name)),
      ),
      ['edge', 'one', 'two'].map((name) => [`${name} in_progress`, `${name} completed`]),
    );
    await node.clock.advance(INTERVAL_MS);
    assert.deepEqual(questions(), ['0 replay', '5 after 3 limit 100']);
  });

  test('[TS-2] four failures: waits of 1, 2, 4 and 8 s, and no page before the replay', async () => {
    const node = await tenancyNode();
    const questions = watchQuestions(node);
    node.manager.down = UNREACHABLE;
    await configure(node);
    await node.clock.advance(14_999);
    node.manager.down = undefined;
    await node.clock.advance(1);
    assert.deepEqual(questions(), ['0 replay', '1 replay', '3 replay', '7 replay', '15 replay']);
  });

  test('[TS-3] eight failures: 121 s until the ninth attempt', async () => {
    const node = await tenancyNode();
    const questions = watchQuestions(node);
    node.manager.down = UNREACHABLE;
    await configure(node);
    await node.clock.advance(121_000);
    assert.equal(questions().length, 9);
    assert.equal(questions()[8], '121 replay');
  });

  test('[TS-4] what a replay could not accept is tried again after 5 and 10 s, without a further replay', async () => {
    const node = await tenancyNode();
    const questions = watchQuestions(node);
    node.manager.create('org', 'poison');
    node.manager.create('project', 'one');
    await configure(node, { onOrg: brokenPlan() });
    assert.equal(states(node), 'poison degraded, one converged');
    assert.match(node.manager.reports.join(), /poison error/);
    const [parked] = node.views('resource').filter((one) => one['parked'] === true);
    assert.equal(Date.parse(String(parked?.['nextAttemptAt'])) - node.clock.now(), 5_000);
    await node.clock.advance(5_000);
    const again = node.views('resource').find((one) => one['parked'] === true);
    assert.equal(Date.parse(String(again?.['nextAttemptAt'])) - node.clock.now(), 10_000);
    await configure(node, { onOrg: webPlan(), generation: 2 });
    assert.equal(states(node), 'poison converged, one converged');
    assert.equal(questions().filter((one) => one.endsWith('replay')).length, 1);
  });

  test('[TS-5] strict order: the second of three cannot be accepted, so the third waits, until it can', async () => {
    const node = await tenancyNode();
    await configure(node, { ordering: 'strict', reservedNames: ['two'] });
    const questions = watchQuestions(node);
    for (const name of ['one', 'two', 'three']) node.manager.create('project', name);
    await node.clock.advance(INTERVAL_MS);
    assert.equal(states(node), 'one converged, two degraded');
    assert.equal(cursorIn(node), 1);
    assert.match(conditionsIn(node), /tenancy-blocked/);
    await node.clock.advance(INTERVAL_MS);
    assert.equal(questions().at(-1), '10 after 1 limit 100');
    assert.doesNotMatch(states(node), /three/);
    await configure(node, { ordering: 'strict', generation: 2 });
    await node.clock.advance(20_000);
    assert.equal(states(node), 'one converged, two converged, three converged');
    assert.deepEqual([cursorIn(node), conditionsIn(node)], [3, '[]']);
  });

  test('[TS-6] per resource: the second of three cannot be accepted, and nobody waits', async () => {
    const node = await tenancyNode();
    await configure(node, { reservedNames: ['two'] });
    for (const name of ['one', 'two', 'three']) node.manager.create('project', name);
    await node.clock.advance(INTERVAL_MS);
    assert.equal(states(node), 'one converged, two degraded, three converged');
    assert.equal(cursorIn(node), 3);
  });

  test('[TS-10] 1,000 events that waited are accepted without waiting for a further poll', async () => {
    const node = await tenancyNode();
    await configure(node, { onProject: { groups: [], frontends: [] } });
    for (let number = 1; number <= 1_000; number += 1) node.manager.create('project', `p${number}`);
    await node.clock.advance(INTERVAL_MS);
    assert.equal(cursorIn(node), 1_000);
    assert.equal(node.manager.questions.length, 1 + 11);
  });

  test('[TS-12] 500 projects replayed after a restart: nothing is made, fed or reported', async () => {
    const first = await tenancyNode();
    for (let number = 1; number <= 500; number += 1) first.manager.create('project', `p${number}`);
    await configure(first);
    assert.equal(first.manager.reports.length, 1_000);
    const feed = await first.feed();
    const second = await first.restart();
    await configure(second);
    await second.clock.advance(3 * INTERVAL_MS);
    assert.equal(second.views('tenant').filter(({ state }) => state === 'converged').length, 500);
    assert.equal(second.manager.reports.length, 1_000);
    assert.deepEqual(await second.feed(), feed);
  });

  test('[TS-13] a project that came and went while the daemon was away is gone here as well', async () => {
    const first = await tenancyNode();
    const gone = first.manager.create('project', 'gone');
    first.manager.create('project', 'stays');
    await configure(first);
    first.manager.remove(gone);
    first.manager.erase(gone);
    const second = await first.restart();
    await configure(second);
    await second.clock.advance(INTERVAL_MS);
    assert.equal(states(second), 'stays converged');
    assert.equal((await second.feed()).filter((type) => type === 'tenant.removed').length, 1);
  });

  test('[TS-14] an event of a commit that came late is taken, and nothing twice', async () => {
    const node = await tenancyNode();
    await configure(node);
    for (const name of ['one', 'two', 'three']) node.manager.create('project', name);
    node.manager.hidden.add(2);
    await node.clock.advance(INTERVAL_MS);
    assert.equal(states(node), 'one converged, three converged');
    node.manager.hidden.clear();
    const reports = node.manager.reports.length;
    await node.clock.advance(INTERVAL_MS);
    assert.match(states(node), /two converged/);
    assert.deepEqual(node.manager.reports.slice(reports), ['two in_progress', 'two completed']);
  });

  test('[TS-15] restored from a backup: within a minute all is as the tenant manager has it', async () => {
    const node = await tenancyNode();
    node.manager.create('project', 'old');
    await configure(node);
    const late = node.manager.create('project', 'late');
    node.manager.remove(late);
    node.manager.create('project', 'lost');
    await node.clock.advance(INTERVAL_MS);
    assert.equal(states(node), 'old converged, lost converged');
    node.manager.restore(1);
    node.manager.create('project', 'new');
    await node.clock.advance(70_000);
    assert.equal(states(node), 'old converged, new converged');
    assert.equal(cursorIn(node), 2);
    await node.clock.advance(INTERVAL_MS);
    node.manager.create('project', 'newer');
    await node.clock.advance(INTERVAL_MS);
    assert.match(states(node), /newer converged/);
  });

  test('[TS-16] away for more than a day: what was forgotten meanwhile is found by a replay', async () => {
    const node = await tenancyNode();
    const gone = node.manager.create('project', 'gone');
    await configure(node);
    node.manager.down = UNREACHABLE;
    await node.clock.advance(25 * 3_600_000);
    node.manager.remove(gone);
    node.manager.erase(gone);
    node.manager.down = undefined;
    const asked = node.manager.questions.length;
    await node.clock.advance(70_000);
    assert.deepEqual(node.manager.questions.slice(asked + 1, asked + 2), ['replay']);
    assert.equal(states(node), '');
  });
});

describe('tenancy: statuses', () => {
  test('[TS-7] a deletion is in progress, then its status is withdrawn; it is never completed', async () => {
    const node = await tenancyNode();
    const id = node.manager.create('project', 'one');
    await configure(node);
    node.manager.reports.length = 0;
    node.manager.remove(id);
    await node.clock.advance(INTERVAL_MS);
    assert.deepEqual(node.manager.reports, ['one in_progress', 'one deleted']);
  });

  test('[TS-8] a deletion that cannot go on is an error that says so, and ends when it can', async () => {
    const node = await tenancyNode();
    const id = node.manager.create('project', 'one');
    await configure(node);
    node.mute.add('group');
    node.manager.remove(id);
    await node.clock.advance(INTERVAL_MS);
    const group = `${tenantOf(id)}/web`;
    const status = { group, size: 0, serving: 1, converged: false, removed: false };
    await node.tell(addressOf('tenant', tenantOf(id) ?? ''), {
      type: 'group.status',
      status: { ...status, problem: 'disk busy' },
    } as Message);
    await node.clock.advance(90_000);
    const said = node.manager.reports.at(-1) ?? '';
    assert.match(said, /^one error: project "one" cannot be deleted yet: group\/.*disk busy$/);
    node.mute.clear();
    await node.tell(addressOf('tenant', tenantOf(id) ?? ''), statusOf('group', group, true));
    assert.equal(node.manager.reports.at(-1), 'one deleted');
  });

  test('[TS-9] every status is answered with 500: three events are handled once, the statuses are owed', async () => {
    const node = await tenancyNode();
    await configure(node);
    node.manager.statusDown = UNREACHABLE;
    for (const name of ['one', 'two', 'three']) node.manager.create('project', name);
    await node.clock.advance(INTERVAL_MS);
    const orders = node.orders.length;
    assert.equal(cursorIn(node), 3);
    assert.equal(states(node), 'one converged, two converged, three converged');
    const tried = node.manager.reports.length;
    await node.clock.advance(60_000);
    assert.equal(node.orders.length, orders, 'handled once');
    assert.ok(node.manager.reports.length - tried <= 12, 'one status per answered question');
    node.manager.statusDown = undefined;
    node.manager.reports.length = 0;
    await node.clock.advance(2 * INTERVAL_MS);
    assert.deepEqual(node.manager.reports.filter((one) => one.endsWith('completed')).toSorted(), [
      'one completed',
      'three completed',
      'two completed',
    ]);
  });

  test('[TS-11] a status of one resource is refused for ever: all others are reported', async () => {
    const node = await tenancyNode();
    node.manager.refuseStatusOf = node.manager.create('project', 'poison');
    await configure(node);
    for (const name of ['one', 'two']) node.manager.create('project', name);
    await node.clock.advance(600_000);
    assert.equal([...node.manager.statuses.values()].join(), 'completed,completed');
    const tries = node.manager.reports.filter((one) => one.startsWith('poison')).length;
    assert.ok(tries > 3 && tries < 40, `${tries} tries`);
  });

  test('[TS-19] a deletion with a drain of 120 s: its status goes when the last part has gone', async () => {
    const node = await tenancyNode();
    const id = node.manager.create('project', 'one');
    await configure(node);
    node.mute.add('group');
    node.mute.add('frontend');
    node.manager.reports.length = 0;
    node.manager.remove(id);
    await node.clock.advance(120_000);
    assert.deepEqual(node.manager.reports, ['one in_progress']);
    const tenant = addressOf('tenant', tenantOf(id) ?? '');
    await node.tell(tenant, statusOf('group', `${tenantOf(id)}/web`, true));
    assert.deepEqual(node.manager.reports, ['one in_progress'], 'the VIP is still there');
    await node.tell(tenant, statusOf('frontend', `${tenantOf(id)}/web`, true));
    assert.deepEqual(node.manager.reports, ['one in_progress', 'one deleted']);
  });
});

describe('tenancy: trouble', () => {
  test('[TS-17] a limit of 0, an interval of −1 s, a back-off of 0, a timeout of −5 s, a limit of 1001', () => {
    const refused: readonly (readonly [key: string, value: string])[] = [
      ['pollLimit', '0'],
      ['pollInterval', '-1s'],
      ['maxBackoff', '0s'],
      ['httpTimeout', '-5s'],
      ['pollLimit', '1001'],
    ];
    for (const [key, value] of refused) {
      const text = `tenancy: { url: "http://127.0.0.1:1", ${key}: ${value} }\n`;
      const loaded = loadText(text);
      assert.ok(!loaded.ok, `${key}: ${value}`);
      assert.match(JSON.stringify(loaded.failure), new RegExp(`tenancy.*${key}`));
    }
  });

  test('[TS-18] stopped in the middle of a wait: nothing more is asked', async () => {
    const node = await tenancyNode();
    node.manager.down = UNREACHABLE;
    await configure(node);
    await node.clock.advance(100_000);
    const asked = node.manager.questions.length;
    const before = node.clock.now();
    await node.host.stop();
    assert.ok(node.clock.now() - before < 100, 'stopping waits for nothing');
    await node.clock.advance(100_000);
    assert.equal(node.manager.questions.length, asked);
  });

  test('[TS-20] who is not let in says so, asks every 30 s, and goes on when it is', async () => {
    const node = await tenancyNode();
    node.manager.down = { code: 'unauthorized', message: 'answered with 401' };
    const questions = watchQuestions(node);
    await configure(node);
    await node.clock.advance(60_000);
    assert.deepEqual(questions(), ['0 replay', '30 replay', '60 replay']);
    assert.match(conditionsIn(node), /tenant-manager-refuses-us/);
    node.manager.down = undefined;
    node.manager.create('project', 'one');
    await node.clock.advance(30_000);
    assert.deepEqual([states(node), conditionsIn(node)], ['one converged', '[]']);
  });

  test('[TS-21] garbage for an hour: nobody is deleted, and it goes on by itself', async () => {
    const node = await tenancyNode();
    node.manager.create('project', 'one');
    await configure(node);
    node.manager.down = { code: 'malformed', message: 'the answer is no JSON object' };
    await node.clock.advance(3_600_000);
    assert.equal(states(node), 'one converged');
    assert.match(conditionsIn(node), /no JSON object/);
    node.manager.down = undefined;
    node.manager.create('project', 'two');
    await node.clock.advance(60_000);
    assert.equal(states(node), 'one converged, two converged');
  });

  test('[TS-22] killed in the middle of a replay: the next life brings all of it, once', async () => {
    const first = await tenancyNode();
    for (let number = 1; number <= 40; number += 1) first.manager.create('project', `p${number}`);
    first.mute.add('frontend');
    await configure(first, { ordering: 'strict' });
    const second = await first.restart();
    second.mute.clear();
    await configure(second);
    await second.clock.advance(90_000);
    assert.equal(second.views('tenant').filter(({ state }) => state === 'converged').length, 40);
    const accepted = (await second.feed()).filter((type) => type === 'tenant.accepted');
    assert.equal(accepted.length, 40);
    assert.equal(new Set(second.manager.statuses.values()).size, 1);
  });
});
