/** The tenancy machine: what it reports of its tenants, in which order, and how often. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { STATUS_BATCH_MAX } from '../../machines/tenancy-memory.js';
import type { PushParams } from '../../machines/tenancy-messages.js';
import {
  acknowledged,
  asking,
  deletion,
  event,
  following,
  key,
  outcome,
  page,
  pushed,
  pushedAnswer,
  records,
  replay,
  settings,
  tenantSays,
  told,
} from '../support/driven-tenancy.js';
import { webPlan } from '../support/tenancy-settings.js';

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
