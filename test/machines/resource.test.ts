/** The lane of one resource: what it takes, what it tells its tenant, and what it owes the tenant manager. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { viewOf } from '../../machines/resource-messages.js';
import {
  accepted,
  acknowledged,
  converged,
  created,
  deleted,
  intents,
  MISSING,
  news,
  outcome,
  owed,
  says,
  settings,
  told,
  unknown,
} from '../support/driven-resource.js';
import { records } from '../support/driven-tenancy.js';
import { brokenPlan, NOTHING, webPlan } from '../support/tenancy-settings.js';

test('[TE-1] resource: an event is recorded, told to its tenant, and accepted, in one step', () => {
  const first = unknown().send(told(news(43, 'created')));
  assert.equal(records(first), '(tenancy.event_accepted)');
  assert.equal(intents(first), 'desired');
  assert.equal(accepted(first), '43!');
});

test('[TE-12] resource: what says nothing new is accepted, and nothing more [T12]', () => {
  const again = converged().send(told(news(0, 'created', 2)));
  assert.deepEqual([records(again), intents(again), owed(again)], ['', '', '']);
  assert.equal(accepted(again), '0');
});

test('[TE-1] resource: an event that newer ones have overtaken changes nothing', () => {
  const gone = deleted();
  const late = gone.send(told(news(42, 'created')));
  assert.deepEqual([records(late), accepted(late)], ['', '42']);
  assert.equal(late.context.known?.wanted, 'absent');
  const other = gone.send(told(news(7, 'deleted', 2)));
  assert.equal(other.context.eventId, 7, 'ids count within an era');
});

test('[TE-3] resource: a deleted id comes back by a replay only', () => {
  const gone = deleted();
  const page = gone.send(told(news(44, 'created')));
  assert.equal(intents(page), '(removed)');
  const replayed = page.send(told(news(0, 'created', 2)));
  assert.equal(intents(replayed), 'desired');
});

test('[TE-2] resource: one that is deleted before it was known is told to go, and accounted for', () => {
  const stranger = unknown().send(told(news(43, 'deleted')));
  assert.equal(intents(stranger), 'removed');
  const gone = stranger.send(says('removed'));
  assert.equal(owed(gone), 'in_progress');
  assert.equal(owed(acknowledged(gone)), 'deleted');
});

test('[TE-4] resource: one that a replay does not mention is deleted, once', () => {
  const missed = converged().send(MISSING);
  assert.equal(records(missed), '(tenancy.resource_missed)');
  assert.equal(intents(missed), 'removed');
  const again = missed.send(MISSING);
  assert.deepEqual([records(again), intents(again)], ['', '(removed)']);
});

test('[TE-4] resource: what is over is forgotten when a replay has forgotten it, or in a day', () => {
  const over = acknowledged(acknowledged(deleted().send(says('removed'))));
  assert.equal(over.value, 'buried');
  assert.equal(over.timers['graveDue'], 86_400_000);
  assert.equal(over.send(MISSING).value, 'gone');
  assert.equal(over.send(MISSING).said('forget').length, 1);
  assert.equal(over.fire('graveDue').value, 'gone');
  const mentioned = over.send(told(news(0, 'deleted', 2)));
  assert.deepEqual([mentioned.value, intents(mentioned)], ['buried', '']);
  assert.equal(intents(over.send(told(news(0, 'created', 2)))), 'desired');
});

test('[TE-5] resource: a template that cannot be derived parks it, and a reload frees it', () => {
  const parked = created({ onProject: brokenPlan() });
  assert.equal(records(parked), 'tenancy.event_parked');
  assert.equal(intents(parked), 'problem');
  assert.equal(accepted(parked), '0! parked');
  assert.match(owed(parked), /^error: project "p1": frontend .* no group/);
  assert.equal(viewOf(parked.context, undefined)['parked'], true);
  const freed = acknowledged(parked).send(settings({ generation: 2 }));
  assert.equal(records(freed), 'tenancy.event_unparked');
  assert.equal(intents(freed), 'desired');
  assert.equal(owed(freed.send(says('accepted'))), 'in_progress');
});

test('[TE-5] resource: a name that config has taken parks it', () => {
  const parked = created({ reservedNames: ['p1'] });
  assert.match(parked.context.known?.problem ?? '', /"p1" has the name of a tenant/);
});

test('[TE-5] resource: settings told again reach its tenant again, and decide nothing', () => {
  const same = converged().send(settings({ generation: 2 }));
  assert.deepEqual([records(same), intents(same)], ['', '(desired)']);
});

test('[TE-50] resource: what is parked is tried again after 5, 10, 20 s and so on up to 5 min [T11]', () => {
  let now = created({ onProject: brokenPlan(), jitter: 0 });
  const waits: (number | undefined)[] = [];
  for (let attempt = 0; attempt < 8; attempt += 1) {
    waits.push(now.timers['retryDue']);
    const asked = now.fire('retryDue');
    assert.equal(asked.said('askSettings').length, 1);
    now = asked.send(settings({ onProject: brokenPlan(), jitter: 0 }));
    assert.equal(records(now), '');
  }
  assert.deepEqual(
    waits,
    [5, 10, 20, 40, 80, 160, 300, 300].map((seconds) => seconds * 1_000),
  );
  const free = now.fire('retryDue').send(settings());
  assert.equal(intents(free), 'desired');
  assert.equal(free.timers['retryDue'], undefined);
});

test('[TE-52] resource: an operator has what is parked tried at once, and nothing else', () => {
  const parked = created({ onProject: brokenPlan() }).send({ type: 'resource.unpark' });
  assert.equal(parked.said('askSettings').length, 1);
  assert.equal(parked.said('agree').length, 1);
  for (const other of [converged(), unknown()]) {
    const asked = other.send({ type: 'resource.unpark' });
    assert.equal(asked.said('askSettings').length, 0);
    assert.equal(asked.said('refuse').length, 1);
  }
});

test('[TE-10] resource: an empty template is done with at once, and nothing is made', () => {
  const done = created({ onProject: NOTHING });
  assert.equal(intents(done), '');
  assert.equal(owed(done), 'in_progress');
  const completed = acknowledged(done);
  assert.equal(owed(completed), 'completed');
  const gone = acknowledged(completed).send(told(news(43, 'deleted'), { onProject: NOTHING }));
  assert.equal(intents(gone), '');
  assert.equal(owed(gone), 'deleted');
});

test('[TE-10] resource: a template that is filled later makes what it then asks for', () => {
  const done = acknowledged(acknowledged(created({ onProject: NOTHING })));
  const filled = done.send(settings({ generation: 2, onProject: webPlan() }));
  assert.equal(intents(filled), 'desired');
  assert.equal(owed(filled.send(says('accepted'))), 'in_progress');
});

test('[TE-6] resource: nothing is reported before its tenant has accepted [T1]', () => {
  const asked = created();
  assert.equal(owed(asked), '');
  const taken = asked.send(says('accepted'));
  assert.equal(owed(taken), 'in_progress');
  const silent = acknowledged(taken).send(says('converging'));
  assert.equal(owed(silent), '');
  assert.equal(owed(silent.send(says('converged'))), 'completed');
});

test('[TE-6] resource: a deletion is in progress until its tenant is gone [T7] [T19]', () => {
  const gone = converged().send(told(news(43, 'deleted')));
  assert.equal(owed(gone), '');
  const leaving = gone.send(says('deleting'));
  assert.equal(owed(leaving), 'in_progress');
  assert.equal(owed(acknowledged(leaving).send(says('removed'))), 'deleted');
});

test('[TE-6] resource: a deletion that cannot go on is an error that says so, until it can [T8]', () => {
  const leaving = acknowledged(
    converged()
      .send(told(news(43, 'deleted')))
      .send(says('deleting')),
  );
  const stuck = leaving.send(says('deleting', 'group/web: disk busy'));
  assert.equal(owed(stuck), 'error: project "p1" cannot be deleted yet: group/web: disk busy');
  assert.equal(owed(acknowledged(stuck).send(says('deleting'))), 'in_progress');
});

test('[TE-6] resource: one that cannot be made is an error that says so, until it can', () => {
  const waiting = acknowledged(created().send(says('converging')));
  const stuck = waiting.send(says('converging', 'frontend/web: the pool is full'));
  assert.equal(owed(stuck), 'error: project "p1" waits: frontend/web: the pool is full');
  assert.equal(owed(acknowledged(stuck).send(says('converged'))), 'completed');
});

test('[TE-6] resource: an undeleted tenant is kept for good, and the tenant manager hears of it', () => {
  const leaving = acknowledged(
    converged()
      .send(told(news(43, 'deleted')))
      .send(says('deleting')),
  );
  const kept = leaving.send(says('accepted'));
  assert.equal(records(kept), '(tenancy.deletion_undone)', 'a crash must not delete it after all');
  assert.equal(owed(kept), 'error: its deletion was undone by an operator');
  assert.equal(intents(kept.send(settings())), '(desired)');
  assert.equal(intents(kept.send(told(news(0, 'deleted', 2)))), '(desired)');
});

test('[TE-7] resource: an end is never reported before its beginning [T7]', () => {
  const first = created().send(says('converged'));
  assert.equal(owed(first), 'in_progress');
  assert.equal(owed(acknowledged(first)), 'completed');
});

test('[TE-8] resource: what is acknowledged is recorded, and not reported again after a restart', () => {
  const taken = acknowledged(created().send(says('accepted')));
  assert.equal(records(taken), '(tenancy.status_acknowledged)');
  const woken = converged().send({ type: 'activated' }).send(says('converged'));
  assert.equal(owed(woken), '');
});

test('[TE-8] resource: what was on its way at a restart is reported once more', () => {
  const lost = created().send(says('accepted'));
  assert.equal(owed(lost.send({ type: 'activated' })), 'in_progress');
  assert.equal(owed(lost.fire('outcomeDue')), 'in_progress');
});

test('[TE-8] resource: a status that changes while another is on its way follows it', () => {
  const first = created().send(says('accepted'));
  const moved = first.send(says('degraded')).send(says('converging', 'x'));
  assert.match(owed(moved), /^error/);
  const late = moved.send({
    type: 'status.told',
    report: { status: 'in_progress', message: '' },
    outcome: 'acknowledged',
  } as { readonly type: string });
  assert.equal(owed(late), '', 'the newer one is with the reporter already');
  assert.equal(owed(acknowledged(late).send(says('converged'))), 'completed');
});

test('[TE-9] resource: a degraded tenant stays completed', () => {
  assert.equal(owed(converged().send(says('degraded'))), '');
});

test('[TE-11] resource: a status that is refused waits longer and longer; a new one does not [T9]', () => {
  const poison = outcome(created({ jitter: 0 }).send(says('accepted')), 'refused');
  assert.deepEqual([owed(poison), poison.timers['statusDue']], ['', 1_000]);
  const again = outcome(poison.fire('statusDue'), 'refused');
  assert.equal(again.timers['statusDue'], 2_000);
  const other = again.send(says('converging', 'x'));
  assert.match(owed(other), /^error/);
  assert.equal(outcome(other, 'refused').timers['statusDue'], 1_000);
});

test('[TE-15] resource: a deletion is told again although nothing could be derived any more', () => {
  const broken = settings({ onProject: brokenPlan(), generation: 2 });
  const leaving = converged()
    .send(told(news(43, 'deleted')))
    .send(broken);
  assert.equal(leaving.fire('resyncDue').said('askSettings').length, 1);
  assert.equal(intents(leaving.send(broken)), '(removed)');
});

test('[TE-15] resource: who is not where it is wanted is told again now and then', () => {
  const pending = created();
  assert.equal(pending.fire('resyncDue').said('askSettings').length, 1);
  assert.equal(intents(pending.send(settings())), '(desired)');
  const done = converged();
  const [often = 0, seldom = 0] = [pending, done].map(({ timers }) => timers['resyncDue']);
  assert.ok(seldom > 10 * often, 'less often when all is as it should be');
  assert.equal(
    done.fire('resyncDue').said('askSettings').length,
    1,
    'a word of a reload may be lost',
  );
});
