/** The override machine: one object's book, written down before anything follows from it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecordParams } from '../../machines/model/effects.js';
import { addressOf } from '../../machines/model/ids.js';
import type { OverrideMessage } from '../../machines/model/overrides.js';
import {
  type LevelTo,
  OVERRIDES_MAX,
  type OverrideAnswer,
  type OverrideMemory,
  overrideMachine,
} from '../../machines/override.js';
import { TERMS } from '../support/book.js';
import { type Driven, drive } from '../support/drive.js';

type Book = Driven<OverrideMemory>;

const OBJECT = addressOf('backend', 'b1');

const fresh = (): Book =>
  drive<OverrideMemory>(overrideMachine, { address: addressOf('override', OBJECT) }).send({
    type: 'activated',
  });

const order = (kind: string, forMs: number | null = 60_000): OverrideMessage => ({
  type: 'override.order',
  order: { kind, value: true, configured: false, ...TERMS, forMs },
  replyTo: 'ask-1',
});

const clear = (...kinds: readonly string[]): OverrideMessage => ({
  ...{ type: 'override.clear', kinds, by: 'operator', owner: 'eve', reason: 'over' },
  replyTo: 'ask-2',
});

const told = (book: Book) =>
  book.said<LevelTo>('tellObject').map(({ to, message }) => [to, Object.keys(message.overrides)]);
const answers = (book: Book) => book.said<OverrideAnswer>('agree');
const records = (book: Book) => book.said<RecordParams>('record');
const names = (book: Book) => book.effects.map(({ type }) => type);

test('[OV-1] override: an order is recorded, told after the commit, and answered after it', () => {
  const set = fresh().send(order('pause'));
  assert.deepEqual(names(set), ['record', 'tellObject', 'agree']);
  assert.deepEqual(told(set), [[OBJECT, ['pause']]]);
  const [record] = records(set);
  assert.equal(record?.event, 'override.set');
  assert.equal(record?.numbers['until'], '1970-01-01T00:01:02.000Z');
  assert.equal(record?.publish?.aggregateId, OBJECT);
  assert.deepEqual(answers(set)[0]?.replyTo, 'ask-1');
  assert.equal(answers(set)[0]?.body['owner'], 'ops');
});

test('[OV-4] override: ends at its time; the journal has what ended, the object what is left', () => {
  const both = fresh().send(order('pause')).send(order('enabled', null));
  const early = both.fire('wakeDue', { at: 61_999 });
  assert.deepEqual(names(early), ['tellAgain']);
  const ended = early.fire('wakeDue', { at: 62_000 });
  assert.deepEqual(told(ended), [[OBJECT, ['enabled']]]);
  const [record] = records(ended);
  assert.deepEqual([record?.event, record?.rule], ['override.ended', 'OV-4']);
  assert.equal(record?.numbers['by'], 'expiry');
  assert.equal(ended.value, 'holding');
  assert.ok((ended.timers['wakeDue'] ?? 0) >= 45_000, 'nothing to wait for but to say it again');
});

test('[OV-4] override: the last one takes the book with it, in the same decision', () => {
  const ended = fresh().send(order('pause')).fire('wakeDue', { at: 62_000 });
  assert.deepEqual(names(ended), ['record', 'tellObject', 'forget']);
  assert.deepEqual(told(ended), [[OBJECT, []]]);
});

test('[OV-5] override: ordered again it has the new end', () => {
  const again = fresh().send(order('pause')).send(order('pause', 3_600_000));
  assert.equal(again.context.book['pause']?.untilMs, 3_603_000);
  const fired = again.fire('wakeDue', { at: 62_000 });
  assert.deepEqual(names(fired), ['tellAgain']);
});

test('[OV-1] override: cleared by an operator, who is answered; what does not stand is not found', () => {
  const both = fresh().send(order('pause')).send(order('enabled'));
  const cleared = both.send(clear('pause'));
  assert.deepEqual(told(cleared), [[OBJECT, ['enabled']]]);
  assert.deepEqual(answers(cleared)[0], {
    replyTo: 'ask-2',
    body: { ok: true, object: OBJECT, kind: 'pause', endedBy: 'operator' },
  });
  assert.equal(records(cleared)[0]?.numbers['owner'], 'eve');
  for (const none of [cleared.send(clear('pause')), fresh().send(clear('pause'))]) {
    assert.deepEqual(names(none), ['answer']);
    const { body } = none.said<OverrideAnswer>('answer')[0] ?? assert.fail();
    assert.equal(body['ok'], false);
  }
});

test('[OV-2] override: restored it tells its object again and changes nothing', () => {
  const held = fresh().send(order('pause'));
  const again = held.send({ type: 'activated' });
  assert.deepEqual(names(again), ['tellAgain']);
  assert.deepEqual(again.context, held.context);
});

test('[OV-6] override: a full book takes no further kind, and says so; what it has may change', () => {
  let book = fresh();
  for (let index = 0; index < OVERRIDES_MAX; index += 1) book = book.send(order(`w${index}`));
  const refused = book.send(order('one more'));
  assert.deepEqual(names(refused), ['answer']);
  assert.equal(Object.keys(refused.context.book).length, OVERRIDES_MAX);
  assert.deepEqual(names(book.send(order('w7'))), ['record', 'tellObject', 'agree']);
});
