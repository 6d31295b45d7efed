/** The tenancy machine: what it asks when, what it makes of answers, and what it reports. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecordParams } from '../../machines/model/effects.js';
import { addressOf } from '../../machines/model/ids.js';
import type { TenantState } from '../../machines/model/messages.js';
import { tenancyMachine } from '../../machines/tenancy.js';
import {
  type KnownSettings,
  owedIn,
  STATUS_BATCH_MAX,
  type StatusResult,
  type TenancyMemory,
} from '../../machines/tenancy-memory.js';
import {
  type AskParams,
  type IntentsParams,
  type PushParams,
  viewOf,
} from '../../machines/tenancy-messages.js';
import type { ResourceEvent } from '../../src/policy/tenancy.js';
import { tenantOf } from '../../src/policy/tenancy-resource.js';
import { type Driven, drive } from '../support/drive.js';
import { uuidOf } from '../support/scripted-tenancy.js';
import { brokenPlan, tenancySettings, webPlan } from '../support/tenancy-settings.js';

type Tenancy = Driven<TenancyMemory>;

const settings = (change: Partial<KnownSettings> = {}) => ({
  type: 'tenancy.settings',
  settings: tenancySettings(change),
});

const key = (number: number): string => tenantOf(uuidOf(number)) ?? '';

function event(id: number, what: 'created' | 'deleted', number: number): ResourceEvent {
  const name = `p${number}`;
  return {
    id,
    eventType: what,
    resourceType: 'project',
    resourceId: uuidOf(number),
    resourceName: name,
  };
}

const replay = (events: readonly ResourceEvent[], lastEventId = 42) => ({
  type: 'answer.read',
  replay: true,
  events: events.map((one) => ({ ...one, id: 0 })),
  lastEventId,
});
const page = (events: readonly ResourceEvent[], lastEventId = events.at(-1)?.id ?? 42) => ({
  type: 'answer.read',
  replay: false,
  events,
  lastEventId,
});
const FAILED = { type: 'answer.failed', message: 'connection refused' };

const tenantSays = (number: number, state: TenantState) => ({
  type: 'tenant.status',
  status: { tenant: key(number), kind: 'project', state, message: '' },
});

function fresh(): Tenancy {
  const input = { address: addressOf('tenancy', 'main') };
  return drive<TenancyMemory>(tenancyMachine, input).send({ type: 'activated' });
}

const asking = (change: Partial<KnownSettings> = {}): Tenancy => fresh().send(settings(change));
const following = (numbers: readonly number[] = [], change: Partial<KnownSettings> = {}): Tenancy =>
  asking(change).send(replay(numbers.map((number) => event(0, 'created', number))));

const records = (tenancy: Tenancy): string =>
  tenancy
    .said<RecordParams>('record')
    .map(({ event: name, publish }) => (publish === undefined ? `(${name})` : name))
    .join(' ');

function told(tenancy: Tenancy, effect = 'tellTenants'): string {
  return tenancy
    .said<IntentsParams>(effect)
    .flatMap(({ letters }) => letters)
    .map(({ to, message }) => `${Number.parseInt(to.slice(-6), 16)} ${message.type.slice(7)}`)
    .join(', ');
}

function pushed(tenancy: Tenancy): string {
  return tenancy
    .said<PushParams>('pushStatuses')
    .flatMap(({ orders }) => orders)
    .map(({ resource, report }) => `${Number.parseInt(resource.id.slice(-6), 16)} ${report.status}`)
    .join(', ');
}

function outcome(tenancy: Tenancy, how: StatusResult['outcome']): Tenancy {
  const [push] = tenancy.said<PushParams>('pushStatuses');
  assert.ok(push !== undefined, 'nothing was pushed');
  const results = push.orders.map(({ tenant, report }) => ({ tenant, report, outcome: how }));
  return tenancy.send(pushedAnswer(results));
}

function pushedAnswer(results: readonly StatusResult[]): { readonly type: string } {
  return { type: 'statuses.pushed', results } as { readonly type: string };
}

const acknowledged = (tenancy: Tenancy) => outcome(tenancy, 'acknowledged');

test('[TE-14] tenancy: asks for a replay first, and for pages only after it [T1]', () => {
  const start = asking();
  assert.equal(start.said<AskParams>('askReplay').length, 1);
  assert.equal(start.said<AskParams>('askPage').length, 0);
  const after = start.send(replay([]));
  assert.equal(after.timers['pollDue'], 5_000);
  const [poll] = after.fire('pollDue').said<AskParams>('askPage');
  assert.deepEqual([poll?.after, poll?.limit], [42, 100]);
});

test('[TE-14] tenancy: a failing replay waits 1, 2, 4, 8, 16, 30, 30 s [T2] [T3]', () => {
  let now = asking();
  const waits: (number | undefined)[] = [];
  for (let attempt = 0; attempt < 8; attempt += 1) {
    const failed = now.send(FAILED, { random: 0 });
    assert.equal(failed.said('askReplay').length, 0);
    waits.push(failed.timers['replayDue']);
    now = failed.fire('replayDue');
    assert.equal(now.said('askReplay').length, 1);
    assert.equal(now.said('askPage').length, 0);
  }
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
});

test('[TE-14] tenancy: waits are jittered, and polls never come faster than their interval', () => {
  const failed = asking().send(FAILED, { random: 0.5 });
  assert.equal(failed.timers['replayDue'], 1_125);
  let polling = following().fire('pollDue');
  const waits: (number | undefined)[] = [];
  for (let attempt = 0; attempt < 4; attempt += 1) {
    polling = polling.send(FAILED, { random: 0 });
    waits.push(polling.timers['pollDue']);
    polling = polling.fire('pollDue');
  }
  assert.deepEqual(waits, [5_000, 5_000, 5_000, 8_000]);
});

test('[TE-14] tenancy: one question at a time, however slow the answer', () => {
  const slow = following().fire('pollDue').fire('pollDue');
  assert.equal(slow.said('askPage').length, 0);
  assert.equal(slow.send(page([])).fire('pollDue').said('askPage').length, 1);
});

test('[TE-14] tenancy: a full page is followed at once, a partial one is not', () => {
  const events = [event(43, 'created', 1), event(44, 'created', 2)];
  const polling = following([], { pollLimit: 2 }).fire('pollDue');
  const full = polling.send(page(events));
  assert.equal(full.said<AskParams>('askPage')[0]?.after, 44);
  const partial = full.send(page([event(45, 'created', 3)]));
  assert.equal(partial.said('askPage').length, 0);
  assert.equal(partial.context.cursor, 45);
});

test('[TE-14] tenancy: ids that run backwards lead to a replay', () => {
  const back = following().fire('pollDue').send(page([], 7));
  assert.equal(back.said('askReplay').length, 1);
  assert.equal(back.context.cursor, 42);
  assert.equal(back.send(replay([], 7)).context.cursor, 7);
});

test('[TE-1] tenancy: the cursor moves in the step that accepts and tells', () => {
  const taken = following()
    .fire('pollDue')
    .send(page([event(43, 'created', 1)]));
  assert.equal(taken.context.cursor, 43);
  assert.equal(records(taken), '(tenancy.page_accepted)');
  assert.equal(told(taken), '1 desired');
  const empty = taken.fire('pollDue').send(page([], 43));
  assert.equal(records(empty), '');
});

test('[TE-1] tenancy: a replay that changes something is one record with all it changed', () => {
  const replayed = following([1, 2]);
  assert.equal(records(replayed), 'tenancy.replayed');
  assert.equal(told(replayed), '1 desired, 2 desired');
});

test('[TE-12] tenancy: a replay of an unchanged inventory records and tells nothing [T12]', () => {
  const numbers = Array.from({ length: 500 }, (_, index) => index + 1);
  const known = following(numbers);
  const again = known
    .send({ type: 'activated' })
    .send(replay(numbers.map((number) => event(0, 'created', number))));
  assert.equal(records(again), '');
  assert.equal(told(again), '');
  assert.equal(pushed(again), '');
});

test('[TE-15] tenancy: after a restart every tenant is told what is wanted of it', () => {
  const known = following([1, 2])
    .fire('pollDue')
    .send(page([event(43, 'deleted', 1)]));
  const woken = known.send({ type: 'activated' });
  assert.equal(told(woken, 'repeatToTenants'), '1 removed, 2 desired');
  assert.equal(woken.said('askReplay').length, 1);
});

test('[TE-15] tenancy: who is not yet where it is wanted is told again now and then', () => {
  const known = following([1, 2]).send(tenantSays(1, 'converged'));
  assert.equal(told(known.fire('resyncDue'), 'repeatToTenants'), '2 desired');
});

test('[TE-2] tenancy: what came and went within one page is never made', () => {
  const both = [event(43, 'created', 1), event(44, 'deleted', 1)];
  assert.equal(told(following().fire('pollDue').send(page(both))), '1 removed');
  const known = following([1]);
  const stale = [event(43, 'created', 1), event(44, 'created', 1)];
  assert.equal(told(known.fire('pollDue').send(page(stale))), '');
});

test('[TE-3] tenancy: a deleted id comes back by a replay only', () => {
  const deleted = following([1])
    .fire('pollDue')
    .send(page([event(43, 'deleted', 1)]));
  const again = deleted.fire('pollDue').send(page([event(44, 'created', 1)]));
  assert.equal(told(again), '');
  const replayed = again.send({ type: 'activated' }).send(replay([event(0, 'created', 1)]));
  assert.equal(told(replayed), '1 desired');
});

test('[TE-4] [TE-13] tenancy: what a replay does not mention stays', () => {
  const empty = following([1, 2]).send({ type: 'activated' }).send(replay([]));
  assert.equal(told(empty), '');
  assert.deepEqual(Object.keys(empty.context.resources), [key(1), key(2)]);
});

test('[TE-4] tenancy: what is over is forgotten when replays have forgotten it', () => {
  const gone = acknowledged(acknowledged(deletion()));
  const mentioned = gone.send({ type: 'activated' }).send(replay([event(0, 'deleted', 1)]));
  assert.equal(told(mentioned), '');
  assert.equal(pushed(mentioned), '');
  const forgotten = mentioned.send({ type: 'activated' }).send(replay([]));
  assert.deepEqual(forgotten.context.resources, {});
});

/** A project the store has never heard of, already deleted, whose tenant says that it is gone. */
function deletion(): Tenancy {
  return asking()
    .send(replay([event(0, 'deleted', 1)]))
    .send(tenantSays(1, 'removed'));
}

test('[TE-5] tenancy: a template that cannot be derived parks its tenants, and a reload frees them', () => {
  const parked = following([1], { onProject: brokenPlan() });
  assert.equal(records(parked), 'tenancy.replayed tenancy.event_parked');
  assert.equal(told(parked), '1 problem');
  assert.equal(pushed(parked), '1 error');
  assert.equal(viewOf(parked.context, 'following')['parked'], 1);
  const freed = acknowledged(parked).send(settings({ generation: 2 }));
  assert.equal(records(freed), '(tenancy.settings_changed) tenancy.event_unparked');
  assert.equal(told(freed), '1 desired');
  assert.equal(pushed(freed.send(tenantSays(1, 'accepted'))), '1 in_progress');
});

test('[TE-5] tenancy: a name that config has taken parks that project alone', () => {
  const parked = following([1, 2], { reservedNames: ['p1'] });
  assert.equal(told(parked), '1 problem, 2 desired');
  assert.match(parked.context.resources[key(1)]?.problem ?? '', /"p1" has the name of a tenant/);
});

test('[TE-5] tenancy: settings told again change nothing', () => {
  const known = following([1]);
  const same = known.send(settings());
  assert.equal(records(same), '');
  assert.equal(told(same), '');
  const bigger = same.send(settings({ generation: 2, onProject: webPlan(5) }));
  assert.equal(told(bigger), '1 desired');
});

test('[TE-10] tenancy: an empty template is done with at once, and nothing is made', () => {
  const org = { ...event(0, 'created', 1), resourceType: 'org' } as const;
  const done = asking().send(replay([org]));
  assert.equal(told(done), '');
  assert.equal(pushed(done), '1 in_progress');
  const completed = acknowledged(done);
  assert.equal(pushed(completed), '1 completed');
  const deleted = acknowledged(completed)
    .fire('pollDue')
    .send(page([{ ...org, id: 43, eventType: 'deleted' }]));
  assert.equal(told(deleted), '');
  assert.equal(pushed(deleted), '1 deleted');
});

test('[TE-10] tenancy: a template that is filled later makes what it then asks for', () => {
  const org = { ...event(0, 'created', 1), resourceType: 'org' } as const;
  const filled = acknowledged(acknowledged(asking().send(replay([org])))).send(
    settings({ generation: 2, onOrg: webPlan() }),
  );
  assert.equal(told(filled), '1 desired');
  assert.equal(pushed(filled.send(tenantSays(1, 'accepted'))), '1 in_progress');
});

test('[TE-6] tenancy: nothing is reported before a tenant has accepted [T1]', () => {
  const told1 = following([1]);
  assert.equal(pushed(told1), '');
  const accepted = told1.send(tenantSays(1, 'accepted'));
  assert.equal(pushed(accepted), '1 in_progress');
  const silent = acknowledged(accepted).send(tenantSays(1, 'converging'));
  assert.equal(pushed(silent), '');
  assert.equal(pushed(silent.send(tenantSays(1, 'converged'))), '1 completed');
});

test('[TE-6] tenancy: a deletion is in progress until its tenant is gone [T7] [T19]', () => {
  const known = acknowledged(following([1]).send(tenantSays(1, 'converged')));
  const completed = acknowledged(known);
  const deleted = completed.fire('pollDue').send(page([event(43, 'deleted', 1)]));
  assert.equal(told(deleted), '1 removed');
  assert.equal(pushed(deleted), '');
  const leaving = deleted.send(tenantSays(1, 'deleting'));
  assert.equal(pushed(leaving), '1 in_progress');
  const gone = acknowledged(leaving).send(tenantSays(1, 'removed'));
  assert.equal(pushed(gone), '1 deleted');
});

test('[TE-6] tenancy: an undeleted tenant is kept, and the tenant manager hears of it', () => {
  const leaving = following([1])
    .fire('pollDue')
    .send(page([event(43, 'deleted', 1)]))
    .send(tenantSays(1, 'converged'))
    .send(tenantSays(1, 'deleting'));
  const kept = acknowledged(leaving).send(tenantSays(1, 'accepted'));
  assert.equal(pushed(kept), '1 error');
  const replayed = kept.send({ type: 'activated' });
  assert.equal(told(replayed, 'repeatToTenants'), '1 desired');
  assert.equal(told(replayed.send(replay([event(0, 'deleted', 1)]))), '');
});

test('[TE-7] tenancy: an end is never reported before its beginning [T7]', () => {
  const first = following([1]).send(tenantSays(1, 'converged'));
  assert.equal(pushed(first), '1 in_progress');
  assert.equal(pushed(acknowledged(first)), '1 completed');
  const gone = deletion();
  assert.equal(pushed(gone), '1 in_progress');
  assert.equal(pushed(acknowledged(gone)), '1 deleted');
});

test('[TE-8] tenancy: what is acknowledged is not reported again, even after a restart', () => {
  const done = acknowledged(acknowledged(following([1]).send(tenantSays(1, 'converged'))));
  assert.equal(records(done), '(tenancy.statuses_acknowledged)');
  const woken = done.send({ type: 'activated' }).send(tenantSays(1, 'converged'));
  assert.equal(pushed(woken), '');
});

test('[TE-8] tenancy: a status that changes while another is on its way follows it', () => {
  const first = following([1]).send(tenantSays(1, 'accepted'));
  const moved = first.send(tenantSays(1, 'converged'));
  assert.equal(pushed(moved), '');
  const [push] = first.said<PushParams>('pushStatuses');
  const results = (push?.orders ?? []).map(({ tenant, report }) => ({
    tenant,
    report,
    outcome: 'acknowledged' as const,
  }));
  assert.equal(pushed(moved.send(pushedAnswer(results))), '1 completed');
});

test('[TE-9] tenancy: a degraded tenant stays completed', () => {
  const done = acknowledged(acknowledged(following([1]).send(tenantSays(1, 'converged'))));
  assert.equal(pushed(done.send(tenantSays(1, 'degraded'))), '');
});

test('[TE-11] tenancy: a status that is refused waits longer and longer, alone [T9]', () => {
  const poison = outcome(following([1, 2]).send(tenantSays(1, 'accepted')), 'refused');
  assert.equal(pushed(poison), '');
  assert.equal(records(poison), '(tenancy.statuses_failed)');
  assert.equal(poison.timers['statusDue'], 1_125);
  const other = poison.send(tenantSays(2, 'accepted'));
  assert.match(pushed(other), /^2 in_progress/);
  const again = outcome(poison.fire('statusDue'), 'refused');
  assert.equal(again.timers['statusDue'], 2_250);
});

test('[TE-11] tenancy: a silent tenant manager is not asked for the rest either', () => {
  const away = outcome(following([1, 2]).send(tenantSays(1, 'accepted')), 'unreachable');
  assert.equal(pushed(away.send(tenantSays(2, 'accepted'))), '');
  assert.equal(pushed(away.fire('statusDue')), '1 in_progress');
});

test('[TE-11] tenancy: statuses go in batches, those that failed least first', () => {
  const numbers = Array.from({ length: STATUS_BATCH_MAX + 4 }, (_, index) => index + 1);
  const poison = outcome(following(numbers).send(tenantSays(1, 'accepted')), 'refused');
  const all = numbers.reduce((now, number) => now.send(tenantSays(number, 'accepted')), poison);
  const [first] = poison.send(tenantSays(2, 'accepted')).said<PushParams>('pushStatuses');
  const results = (first?.orders ?? []).map(({ tenant, report }) => {
    const how = tenant === key(1) ? 'refused' : 'acknowledged';
    return { tenant, report, outcome: how } as const;
  });
  const batch = all.send(pushedAnswer(results));
  assert.equal(pushed(batch), batchOf(numbers.slice(2, 2 + STATUS_BATCH_MAX)));
  assert.equal(pushed(acknowledged(batch)), batchOf([...numbers.slice(2 + STATUS_BATCH_MAX), 1]));
});

const batchOf = (numbers: readonly number[]): string =>
  numbers.map((number) => `${number} in_progress`).join(', ');

test('[TE-13] tenancy: the fleet hears once that the tenant manager is silent, and once that it is back', () => {
  let now = following([1]);
  const heard: string[] = [];
  for (let attempt = 0; attempt < 720; attempt += 1) {
    now = now.fire('pollDue').send(FAILED);
    if (records(now) !== '') heard.push(records(now));
    assert.equal(told(now), '');
  }
  const [condition] = viewOf(now.context, 'following')['conditions'] as readonly object[];
  assert.match(JSON.stringify(condition), /720 questions in a row failed/);
  now = now.fire('pollDue').send(page([]));
  heard.push(records(now));
  assert.deepEqual(heard, ['tenancy.degraded', 'tenancy.recovered']);
  assert.deepEqual(viewOf(now.context, 'following')['conditions'], []);
});

test('[TE-13] tenancy: switched off in the configuration, it asks nobody and keeps its tenants', () => {
  const off = following([1]).send({ type: 'activated' }).send({ type: 'tenancy.unconfigured' });
  assert.equal(off.value, 'idle');
  assert.deepEqual(Object.keys(off.context.resources), [key(1)]);
  assert.deepEqual(off.timers, {});
  assert.equal(off.send(settings()).said('askReplay').length, 1);
});

const WORLD: readonly (readonly [string, (tenancy: Tenancy) => Tenancy])[] = [
  ['page 1', (now) => now.send(page([event(next(now), 'created', 1)]))],
  ['page -1', (now) => now.send(page([event(next(now), 'deleted', 1)]))],
  ['page 2', (now) => now.send(page([event(next(now), 'created', 2)]))],
  ['replay 1', (now) => now.send(replay([event(0, 'created', 1)], now.context.cursor ?? 42))],
  ['replay -1', (now) => now.send(replay([event(0, 'deleted', 1)], now.context.cursor ?? 42))],
  ['failed', (now) => now.send(FAILED)],
  ['accepted', (now) => now.send(tenantSays(1, 'accepted'))],
  ['converged', (now) => now.send(tenantSays(1, 'converged'))],
  ['deleting', (now) => now.send(tenantSays(1, 'deleting'))],
  ['removed', (now) => now.send(tenantSays(1, 'removed'))],
  ['broken', (now) => now.send(settings({ onProject: brokenPlan(), generation: 2 }))],
  ['restart', (now) => now.send({ type: 'activated' })],
];

const next = (tenancy: Tenancy): number => (tenancy.context.cursor ?? 42) + 1;

test('[TE-1] [TE-7] [TE-8] tenancy: every history of four moves keeps the laws', () => {
  const seen = new Map<string, number>();
  const visit = (now: Tenancy, depth: number, path: string): void => {
    const { lastSuccessAtMs: _at, trouble: _why, ...rest } = now.context;
    const state = JSON.stringify([now.value, rest]);
    if ((seen.get(state) ?? -1) >= depth) return;
    seen.set(state, depth);
    if (depth === 0) return;
    for (const [name, move] of WORLD) {
      const after = settled(now, move(now), `${path} > ${name}`);
      visit(after, depth - 1, `${path} > ${name}`);
    }
  };
  visit(following([1]), 4, 'following');
  assert.ok(seen.size > 50, `${seen.size} states`);
});

/** Checks one step, and acknowledges whatever it reports until nothing is owed. */
function settled(before: Tenancy, after: Tenancy, path: string): Tenancy {
  const hasRecord = after.said('record').length > 0;
  assert.ok(told(after) === '' || hasRecord, `${path}: told without a record`);
  const kept = Object.keys(before.context.resources).filter(
    (tenant) => before.context.resources[tenant]?.reported?.status !== 'deleted',
  );
  for (const tenant of kept) {
    assert.ok(after.context.resources[tenant] !== undefined, `${path}: ${tenant} is lost`);
  }
  let now = after;
  for (let round = 0; now.said('pushStatuses').length > 0; round += 1) {
    assert.ok(round < 4, `${path}: reports never end`);
    for (const { orders } of now.said<PushParams>('pushStatuses')) {
      for (const { tenant, report } of orders) {
        const known = now.context.resources[tenant]?.reported ?? null;
        assert.notDeepEqual(report, known, `${path}: reported twice`);
        const isEnd = report.status === 'completed' || report.status === 'deleted';
        assert.ok(!(isEnd && known === null), `${path}: an end before its beginning`);
      }
    }
    now = acknowledged(now);
  }
  assert.equal(owedIn(now.context).length, 0, `${path}: still owed`);
  return now;
}
