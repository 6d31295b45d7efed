/** The outbox machine alone: every short history of passes and wake-ups, and its waits. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecordParams } from '../../machines/model/effects.js';
import { type OutboxMemory, outboxMachine, type PassReport } from '../../machines/outbox.js';
import { type Driven, drive } from '../support/drive.js';
import { OUTBOX_SETTINGS } from '../support/outbox-world.js';

type Outbox = Driven<OutboxMemory>;

const DRAINED: PassReport = { published: 1, lastSeq: 1, buried: [], more: false, pending: 0 };
const BURIAL = { seq: 1, eventId: 'e', type: 't', orderingKey: 'k', attempts: 8, error: 'refused' };
const REPORTS: Readonly<Record<string, PassReport>> = {
  drained: DRAINED,
  more: { ...DRAINED, more: true },
  lanes: { ...DRAINED, waitMs: 2_000, pending: 1 },
  sinkDown: { ...DRAINED, more: true, stopped: { by: 'sink', message: 'sink away' } },
  storeDown: { ...DRAINED, more: true, stopped: { by: 'store', message: 'disk away' } },
  buried: { ...DRAINED, buried: [BURIAL] },
};

const appended = { type: 'outbox.appended', seq: 1 };

function unset(): Outbox {
  return drive<OutboxMemory>(outboxMachine, { address: 'outbox/main' });
}

function draining(): Outbox {
  return unset().send({ type: 'outbox.settings', ...{ settings: OUTBOX_SETTINGS } });
}

function finish(outbox: Outbox, name: string): Outbox {
  return outbox.send({ type: 'pass.finished', ...{ report: REPORTS[name] } });
}

function recordsOf(outbox: Outbox): readonly string[] {
  return outbox.said<RecordParams>('record').map(({ event }) => event);
}

test('[OB-7] [OB-8] [OB-3] outbox: holds in every history of up to six events', () => {
  /** `owed`: something was appended since the last pass began. */
  const explore = (before: Outbox, owed: boolean, depth: number): void => {
    if (depth === 0) return;
    const visit = (after: Outbox, appendedNow: boolean): void => {
      const started = after.said('runPass').length;
      assert.ok(started <= 1, 'OB-8');
      assert.equal(started === 1, after.value === 'draining' && after.effects.length > 0, 'OB-8');
      const owes = started === 0 && (owed || appendedNow);
      if (after.value === 'idle') assert.ok(!owes, 'OB-7');
      if (appendedNow && before.value === 'open') assert.equal(after.value, 'open', 'OB-3');
      const mayMove = Object.keys(after.timers).length > 0 || after.value === 'draining';
      assert.ok(mayMove, 'OB-7: it never stands still for good');
      explore(after, owes, depth - 1);
    };
    visit(before.send(appended), true);
    if (before.value === 'draining') {
      for (const name of Object.keys(REPORTS)) visit(finish(before, name), false);
    }
    for (const name of Object.keys(before.timers)) visit(before.fire(name), false);
  };
  explore(draining(), false, 6);
});

test('[OB-7] outbox: without settings it waits, and starts with a pass', () => {
  const waiting = unset().send(appended);
  assert.deepEqual([waiting.value, waiting.effects], ['unset', []]);
  assert.deepEqual(draining().said('runPass'), [{ settings: OUTBOX_SETTINGS }]);
});

const cases: readonly {
  readonly after: readonly string[];
  readonly state: string;
  readonly waits: object;
}[] = [
  { after: ['drained'], state: 'idle', waits: { pollInterval: 15_000 } },
  { after: ['more'], state: 'draining', waits: {} },
  { after: ['lanes'], state: 'waiting', waits: { retryDue: 2_000 } },
  { after: ['sinkDown'], state: 'open', waits: { retryDue: 1_125 } },
  { after: ['storeDown'], state: 'waiting', waits: { retryDue: 1_125 } },
  { after: ['sinkDown', 'sinkDown'], state: 'open', waits: { retryDue: 2_250 } },
  {
    after: ['sinkDown', 'sinkDown', 'more', 'sinkDown'],
    state: 'open',
    waits: { retryDue: 1_125 },
  },
  {
    after: Array.from({ length: 12 }, () => 'sinkDown'),
    state: 'open',
    waits: { retryDue: 67_500 },
  },
];

for (const { after, state, waits } of cases) {
  test(`[OB-9] outbox: ${state} after ${after.length} passes ending ${after.slice(-4).join(', ')}`, () => {
    let outbox = draining();
    for (const name of after) {
      if (outbox.value !== 'draining') outbox = outbox.fire('retryDue');
      outbox = finish(outbox, name);
    }
    assert.equal(outbox.value, state);
    assert.deepEqual(outbox.timers, waits);
  });
}

test('[OB-3] outbox: the circuit is recorded when it opens and when it closes, once each', () => {
  const down = finish(draining(), 'sinkDown');
  assert.deepEqual(recordsOf(down), ['outbox.circuitOpened']);
  const still = finish(down.fire('retryDue'), 'sinkDown');
  assert.deepEqual(recordsOf(still), []);
  const other = finish(still.fire('retryDue'), 'storeDown');
  assert.deepEqual(recordsOf(other), [], 'the store being away says nothing of the sink');
  const back = finish(other.fire('retryDue'), 'drained');
  assert.deepEqual(recordsOf(back), ['outbox.circuitClosed']);
  assert.equal(back.value, 'idle');
  assert.equal(back.context.lastError, null);
});

test('[OB-4] outbox: burials are recorded with what was buried', () => {
  const buried = finish(draining(), 'buried');
  assert.deepEqual(buried.said('record'), [
    {
      ...{ event: 'outbox.dead_lettered', rule: 'OB-4', numbers: { rows: [BURIAL] } },
      publish: { aggregateKind: 'outbox', aggregateId: 'main', data: { rows: [BURIAL] } },
    },
  ]);
  const own = { ...DRAINED, buried: [{ ...BURIAL, orderingKey: 'outbox/main' }] };
  const [record] = draining()
    .send({ type: 'pass.finished', ...{ report: own } })
    .said<RecordParams>('record');
  assert.equal(record?.publish, undefined, 'its own refused events make no more of them');
});

test('[OB-12] outbox: a verb that changed rows is recorded and done at once, wherever it stands', () => {
  const amendment = { verb: 'requeue', row: '1' };
  const amended = (rows: number) => ({ type: 'rows.amended', ...{ amendment, rows } });
  const idle = finish(draining(), 'drained');
  const asked = idle.send({ type: 'outbox.amend', ...{ amendment } });
  assert.deepEqual(asked.said('amend'), [{ amendment, replyTo: undefined }]);
  for (const [from, to] of [
    [idle, 'draining'],
    [finish(draining(), 'lanes'), 'draining'],
    [finish(draining(), 'sinkDown'), 'open'],
    [draining(), 'draining'],
  ] as const) {
    const after = from.send(amended(1));
    assert.equal(after.value, to);
    assert.deepEqual(recordsOf(after), ['outbox.requeued']);
    assert.deepEqual(recordsOf(from.send(amended(0))), [], 'nothing was changed');
  }
  const busy = finish(draining().send(amended(1)), 'drained');
  assert.equal(busy.value, 'draining', 'one that came during a pass causes another');
});

test('[OB-7] outbox: new settings hold from the next pass on', () => {
  const settings = { ...OUTBOX_SETTINGS, batchSize: 9 };
  const running = draining().send({ type: 'outbox.settings', ...{ settings } });
  assert.deepEqual(running.effects, []);
  assert.deepEqual(finish(running, 'more').said('runPass'), [{ settings }]);
});
