/** The tenancy machine: what it asks when, and what it makes of answers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AskParams, viewOf } from '../../machines/tenancy-messages.js';
import {
  acknowledged,
  asking,
  deletion,
  event,
  FAILED,
  following,
  key,
  page,
  pushed,
  records,
  replay,
  settings,
  tenantSays,
  told,
} from '../support/driven-tenancy.js';
import { brokenPlan, webPlan } from '../support/tenancy-settings.js';

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
