/** The tenancy machine: what it asks when, what it makes of answers, and what lanes hear of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AskParams, LineParams, RestParams } from '../../machines/tenancy-messages.js';
import { viewOf } from '../../machines/tenancy-messages.js';
import { BELT_WIDTH } from '../../src/policy/tenancy-route.js';
import {
  accepts,
  askedAfter,
  asking,
  DENIED,
  event,
  FAILED,
  following,
  key,
  page,
  records,
  replay,
  settings,
  type Tenancy,
  told,
} from '../support/driven-tenancy.js';
import { webPlan } from '../support/tenancy-settings.js';

const range = (from: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, index) => from + index);

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
  let now = asking({ jitter: 0 });
  const waits: (number | undefined)[] = [];
  for (let attempt = 0; attempt < 8; attempt += 1) {
    const failed = now.send(FAILED);
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
  let polling = following([], { jitter: 0 }).fire('pollDue');
  const waits: (number | undefined)[] = [];
  for (let attempt = 0; attempt < 4; attempt += 1) {
    polling = polling.send(FAILED);
    waits.push(polling.timers['pollDue']);
    polling = polling.fire('pollDue');
  }
  assert.deepEqual(waits, [5_000, 5_000, 5_000, 8_000]);
});

test('[TE-56] tenancy: who refuses us is asked as rarely as may be, and that is told apart [T20]', () => {
  const denied = asking({ jitter: 0 }).send(DENIED);
  assert.equal(denied.timers['replayDue'], 30_000);
  const [condition] = viewOf(denied.context, 'replaying')['conditions'] as readonly object[];
  assert.match(JSON.stringify(condition), /tenant-manager-refuses-us.*tenancy\.auth/);
});

test('[TE-14] tenancy: one question at a time, however slow the answer', () => {
  const slow = following().fire('pollDue').fire('pollDue');
  assert.equal(slow.said('askPage').length, 0);
  assert.equal(slow.send(page([])).fire('pollDue').said('askPage').length, 1);
});

test('[TE-14] tenancy: a full page is followed at once, a partial one is not', () => {
  const events = [event(43, 'created', 1), event(44, 'created', 2)];
  const full = following([], { pollLimit: 2 }).fire('pollDue').send(page(events));
  assert.deepEqual(askedAfter(full), [44]);
  const partial = full.send(page([event(45, 'created', 3)]));
  assert.deepEqual(askedAfter(partial), []);
});

test('[TE-1] tenancy: the cursor passes what is accepted, and nothing else', () => {
  const events = [event(43, 'created', 1), event(44, 'created', 2), event(45, 'created', 3)];
  const taken = following().fire('pollDue').send(page(events));
  assert.equal(told(taken), '1 created, 2 created, 3 created');
  assert.equal(taken.context.cursor, 42);
  const later = accepts(taken, 2, 44);
  assert.deepEqual([later.context.cursor, records(later)], [42, '']);
  const first = accepts(later, 1, 43);
  assert.deepEqual([first.context.cursor, records(first)], [44, '']);
  const all = accepts(first, 3, 45);
  assert.deepEqual([all.context.cursor, records(all)], [45, '(tenancy.page_accepted)']);
  const empty = all.fire('pollDue').send(page([], 45));
  assert.deepEqual([records(empty), empty.context.cursor], ['', 45]);
});

test('[TE-1] tenancy: a replay that changes something is one record, once all of it is accepted', () => {
  const replayed = asking().send(replay([event(0, 'created', 1), event(0, 'created', 2)]));
  assert.deepEqual([told(replayed), records(replayed)], ['1 created, 2 created', '']);
  assert.equal(replayed.context.cursor, null);
  const both = accepts(accepts(replayed, 1), 2);
  assert.deepEqual([records(both), both.context.cursor], ['tenancy.replayed', 42]);
});

test('[TE-12] tenancy: a replay of an unchanged inventory records nothing [T12]', () => {
  const numbers = range(1, 500);
  const created = numbers.map((number) => event(0, 'created', number));
  let now = following([1]).send({ type: 'activated' }).send(replay(created));
  for (const number of numbers) {
    now = accepts(now, number, 0, { changed: false });
    assert.equal(records(now), '');
  }
  assert.equal(now.context.cursor, 42);
});

test('[TE-50] tenancy: a bounded number of events is on its way, and a silent lane holds up nobody', () => {
  const events = range(43, 2 * BELT_WIDTH).map((id) => event(id, 'created', id));
  let now = following([], { pollLimit: 1_000 }).fire('pollDue').send(page(events));
  assert.equal(told(now).split(', ').length, BELT_WIDTH);
  const heard = new Set([43]);
  for (let round = 0; round < 2 * BELT_WIDTH && heard.size < events.length; round += 1) {
    const waiting = now.context.belt.waiting.find(({ event: one }) => one.id !== 43);
    if (waiting === undefined) break;
    heard.add(waiting.event.id);
    now = accepts(now, waiting.event.id, waiting.event.id);
  }
  assert.equal(heard.size, events.length);
  assert.equal(now.context.cursor, 42, 'the first has not answered');
  assert.deepEqual(
    now.context.belt.waiting.map(({ tenant }) => tenant),
    [key(43)],
  );
  assert.equal(told(now.fire('resyncDue')), '43 created', 'it is told again');
  assert.equal(accepts(now, 43, 43).context.cursor, 42 + events.length);
});

test('[TE-2] tenancy: of one resource, the last event of an answer is told', () => {
  const both = [event(43, 'created', 1), event(44, 'created', 2), event(45, 'deleted', 1)];
  assert.equal(told(following().fire('pollDue').send(page(both))), '2 created, 1 deleted');
});

test('[TE-4] tenancy: what a replay does not mention is told so', () => {
  const missed = following([1, 2])
    .send({ type: 'activated' })
    .send(replay([event(0, 'created', 1)], 50, [key(2)]));
  assert.equal(told(missed), '2 missing, 1 created');
  assert.equal(records(accepts(missed, 1, 0, { changed: false })), 'tenancy.replayed');
});

test('[TE-51] tenancy: in strict order one event is on its way, and the first that fails holds up all [T5]', () => {
  const events = [event(43, 'created', 1), event(44, 'created', 2), event(45, 'created', 3)];
  const strict = following([], { ordering: 'strict', jitter: 0 })
    .fire('pollDue')
    .send(page(events));
  assert.equal(told(strict), '1 created');
  const second = accepts(strict, 1, 43);
  assert.equal(told(second), '2 created');
  const blocked = accepts(second, 2, 44, { problem: 'no such group' });
  assert.deepEqual([told(blocked), records(blocked)], ['', '(tenancy.blocked)']);
  assert.equal(blocked.context.cursor, 43);
  assert.match(JSON.stringify(viewOf(blocked.context, '')['conditions']), /tenancy-blocked.*44/);
  const again = blocked.fire('pollDue');
  assert.deepEqual(askedAfter(again), [43]);
  const still = accepts(again.send(page(events.slice(1))), 2, 44, { problem: 'no such group' });
  assert.equal(still.fire('pollDue').timers['pollDue'], 10_000, 'it is tried less and less often');
  const free = accepts(still.fire('pollDue').send(page(events.slice(1))), 2, 44);
  assert.equal(told(free), '3 created');
  assert.equal(accepts(free, 3, 45).context.cursor, 45);
  assert.deepEqual(viewOf(free.context, '')['conditions'], []);
});

test('[TE-51] tenancy: a page that was asked for before the block is not told around it', () => {
  const full = [event(43, 'created', 1), event(44, 'created', 2)];
  const asked = following([], { ordering: 'strict', pollLimit: 2, jitter: 0 })
    .fire('pollDue')
    .send(page(full));
  assert.deepEqual(askedAfter(asked), [44], 'the next page comes while this one is told');
  const blocked = accepts(asked, 1, 43, { problem: 'no such group' });
  const late = blocked.send(page([event(45, 'created', 3)]));
  assert.equal(told(late), '');
  assert.deepEqual([late.context.cursor, late.context.head], [42, 42]);
  const again = late.fire('pollDue');
  assert.deepEqual(askedAfter(again), [42], 'no gap was seen');
});

test('[TE-58] tenancy: of a long replay only so much is in hand, and all of it is told', () => {
  const numbers = range(1, 5_000);
  const all = numbers.map((number) => event(0, 'created', number));
  const first = { ...replay(all.slice(0, 1_000)), left: 4_000 };
  let now = asking().send(first);
  const heard: string[] = [];
  const open = new Set<number>();
  const hear = (): void => {
    for (const one of told(now).split(', ').filter(Boolean)) {
      heard.push(one);
      open.add(Number.parseInt(one, 10));
    }
  };
  const rest = (): number | undefined => now.said<RestParams>('askRest')[0]?.from;
  hear();
  for (let turn = 0; turn < 20_000 && heard.length + open.size > 0; turn += 1) {
    const from = rest();
    if (from !== undefined) {
      const events = all.slice(from, from + 1_000);
      const left = 5_000 - from - events.length;
      const part = { type: 'answer.continued', from, events, missing: [], left };
      assert.equal(
        records(now.send({ ...part, from: from + 1 } as never)),
        '',
        'of another replay',
      );
      now = now.send(part as never);
      assert.ok(now.context.belt.events.length <= 3_000);
    } else {
      const [number] = open;
      if (number === undefined) break;
      open.delete(number);
      now = accepts(now, number);
    }
    hear();
  }
  assert.equal(new Set(heard).size, 5_000);
  assert.equal(records(now), 'tenancy.replayed');
  assert.equal(now.context.cursor, 42);
});

test('[TE-51] tenancy: in a replay even strict order goes on behind one that is parked', () => {
  const created = [event(0, 'created', 1), event(0, 'created', 2)];
  const strict = asking({ ordering: 'strict' }).send(replay(created));
  assert.equal(told(accepts(strict, 1, 0, { problem: 'no such group' })), '2 created');
});

const polled = (now: Tenancy): Tenancy => now.fire('pollDue').send(page([], now.context.head));

test('[TE-53] tenancy: an id that was passed over is asked for again, and then no more', () => {
  const holed = following()
    .fire('pollDue')
    .send(page([event(43, 'created', 1), event(46, 'created', 2)]));
  const again = holed.fire('pollDue', { at: 10_000 });
  assert.deepEqual(askedAfter(again), [43]);
  const late = again.send(page([event(45, 'created', 3), event(46, 'created', 2)]), { at: 10_000 });
  assert.equal(told(late), '3 created', 'what was taken before is not told again');
  const rest = late.fire('pollDue', { at: 15_000 });
  assert.deepEqual(askedAfter(rest), [43], '44 is still open');
  const old = rest.send(page([event(45, 'created', 3), event(46, 'created', 2)]), { at: 80_000 });
  const later = old.fire('pollDue', { at: 120_000 });
  assert.deepEqual(askedAfter(later), [45], 'the newest one is all it looks for');
});

test('[TE-54] tenancy: once a minute it looks whether the tenant manager still has what it told', () => {
  const known = following()
    .fire('pollDue', { at: 5_000 })
    .send(page([event(43, 'created', 1)]), { at: 5_000 });
  assert.deepEqual(askedAfter(known.fire('pollDue', { at: 10_000 })), [43]);
  const checking = known.fire('pollDue', { at: 70_000 });
  assert.deepEqual(askedAfter(checking), [42]);
  const same = checking.send(page([event(43, 'created', 1)]), { at: 70_000 });
  assert.deepEqual([told(same), same.said('askReplay').length], ['', 0]);
  const lost: readonly (readonly [string, object])[] = [
    ['nothing is there', page([], 42)],
    ['another event has its id', page([event(43, 'created', 9)])],
    ['it ends before it', page([], 7)],
  ];
  for (const [why, answer] of lost) {
    const back = checking.send(answer as never, { at: 70_000 });
    assert.equal(back.said('askReplay').length, 1, why);
    assert.equal(told(back), '', why);
  }
});

test('[TE-54] tenancy: the boundary of a replay may be gone; that is found out once', () => {
  const checking = following().fire('pollDue', { at: 100_000 });
  assert.deepEqual(askedAfter(checking), [41]);
  const gone = checking.send(page([], 41), { at: 100_000 });
  assert.equal(gone.said('askReplay').length, 0);
  assert.deepEqual(askedAfter(gone.fire('pollDue', { at: 200_000 })), [42]);
});

test('[TE-54] tenancy: after a day without a good answer, events are not enough', () => {
  const away = polled(following()).fire('pollDue').send(FAILED).fire('pollDue');
  const late = away.send(page([event(43, 'created', 1)]), { at: 25 * 3_600_000 });
  assert.deepEqual([told(late), late.said('askReplay').length], ['', 1]);
  assert.equal(records(late), '(tenancy.replay_needed)');
});

test('[TE-54] tenancy: a manager restored from a backup is replayed, and its ids begin anew', () => {
  const back = following().fire('pollDue').send(page([], 7));
  assert.equal(back.said('askReplay').length, 1);
  const again = back.send(replay([], 7));
  assert.deepEqual([again.context.cursor, again.context.head, again.context.era], [7, 7, 2]);
});

test('[TE-15] tenancy: after a restart, and after a reload, every lane hears the settings', () => {
  const known = following([1]);
  const woken = known.send({ type: 'activated' });
  assert.equal(woken.said('tellSettings').length, 1);
  assert.equal(woken.said('askReplay').length, 1);
  const same = known.send(settings());
  assert.deepEqual([records(same), same.said('tellSettings').length], ['', 0]);
  const bigger = known.send(settings({ generation: 2, onProject: webPlan(5) }));
  assert.equal(records(bigger), '(tenancy.settings_changed)');
  assert.equal(bigger.said('tellSettings').length, 1);
  assert.equal(bigger.send({ type: 'resource.waits' }).said('answerSettings').length, 1);
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

test('[TE-55] tenancy: the reporter hears whether the tenant manager answers', () => {
  const line = (now: Tenancy) =>
    now
      .said<LineParams>('tellReporter')
      .flatMap(({ messages }) => messages)
      .flatMap((one) => (one.type === 'reporter.line' ? [one.up] : []));
  const down = following().fire('pollDue').send(FAILED);
  assert.deepEqual(line(down), [false]);
  assert.deepEqual(line(down.fire('pollDue').send(page([]))), [true]);
});

test('[TE-13] tenancy: switched off in the configuration, it asks nobody', () => {
  const off = following([1]).send({ type: 'activated' }).send({ type: 'tenancy.unconfigured' });
  assert.equal(off.value, 'idle');
  assert.deepEqual(off.timers, {});
  assert.equal(off.send(settings()).said('askReplay').length, 1);
});
