/** The shrink guard, driven by hand: what it lets go, holds, and gives back to operators. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type GrantParams, guardMachine } from '../../machines/guard.js';
import { type GuardMemory, heldOf } from '../../machines/guard-memory.js';
import { type AnswerParams, guardShape } from '../../machines/guard-messages.js';
import type { RecordParams } from '../../machines/model/effects.js';
import type { GuardMessage, ShrinkWish } from '../../machines/model/guard.js';
import { type Address, addressOf, type InstanceId } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import { type Driven, drive } from '../support/drive.js';

type Guard = Driven<GuardMemory>;

const group = (name: string): Address => addressOf('group', `acme/${name}`);
const tell = (guard: Guard, message: GuardMessage, from: Address, at = 10_000): Guard =>
  guard.send(message, { from, at, replyTo: 'ask' });
const level = (population: number, wish: Partial<ShrinkWish> | null = null): GuardMessage => {
  const full = { to: 0, count: population, sinceMs: 1, reason: 'scale-down', ...wish };
  return { type: 'guard.level', population, wish: wish === null ? null : full };
};

/** Ten groups of ten, and a quarter of them may go. */
function begun(): Guard {
  const guard = drive<GuardMemory>(guardMachine, {});
  const settings = { share: 0.25, min: 3, windowMs: 600_000 };
  let next = tell(guard, { type: 'guard.settings', settings }, addressOf('reload', 'main'));
  for (let index = 0; index < 10; index += 1) next = tell(next, level(10), group(`g${index}`));
  return next;
}

const settled = (): Guard => begun().fire('warmUp');
const granted = (guard: Guard) =>
  guard.said<GrantParams>('grant').flatMap(({ wishes }) => wishes.map(({ object }) => object));
const recorded = (guard: Guard) => guard.said<RecordParams>('record').map(({ event }) => event);
const held = (guard: Guard) => heldOf(guard.context).map(({ object }) => object);
const ask = (guard: Guard, name: string, at?: number): Guard =>
  tell(guard, level(10, {}), group(name), at);

test('[SG-6] guard: what fits is let go, on record first; what does not is held', () => {
  const first = ask(settled(), 'g0');
  assert.deepEqual(recorded(first), ['guard.let_go']);
  assert.deepEqual(granted(first), [group('g0')]);
  const second = ask(first, 'g1');
  assert.deepEqual(granted(second), [group('g1')]);
  const third = ask(second, 'g2');
  assert.deepEqual(recorded(third), ['guard.held']);
  assert.deepEqual(granted(third), []);
  const shape = guardShape(third.context, 10_000);
  assert.deepEqual([shape['used'], shape['limit']], [20, 25]);
  const [condition] = shape['conditions'] as JsonObject[];
  assert.match(String(condition?.['message']), /removal of 10 instances waits.*acme\/g2 \(10\)/);
});

test('[SG-2] guard: asked again, it says again and counts once', () => {
  const first = ask(settled(), 'g0');
  const again = ask(ask(first, 'g0', 20_000), 'g0', 30_000);
  assert.deepEqual(granted(again), [group('g0')]);
  assert.equal(guardShape(again.context, 30_000)['used'], 10);
});

test('[SG-7] guard: what is held stays held when the window has moved on and over a restart', () => {
  let guard = ask(ask(ask(settled(), 'g0'), 'g1'), 'g2');
  guard = ask(guard, 'g2', 700_000);
  assert.deepEqual(granted(guard), []);
  guard = guard.send({ type: 'activated' }, { at: 800_000 }).fire('warmUp', { at: 805_000 });
  assert.deepEqual(held(guard), [group('g2')]);
  const other = ask(guard, 'g3', 810_000);
  assert.deepEqual(granted(other), [group('g3')], 'a new small one goes');
  assert.deepEqual(held(other), [group('g2')]);
});

test('[SG-7] [SG-3] guard: an operator confirms all that is held, and that does not count', () => {
  let guard = settled();
  for (const name of ['g0', 'g1', 'g2', 'g3']) guard = ask(guard, name);
  const order: GuardMessage = { type: 'operator.confirm', reason: 'moved', owner: 'ops' };
  const confirmed = tell(guard, order, addressOf('reload', 'main'), 20_000);
  assert.deepEqual(granted(confirmed), [group('g2'), group('g3')]);
  const [record] = confirmed.said<RecordParams>('record');
  assert.equal(record?.rule, 'operator');
  assert.equal(record?.numbers['owner'], 'ops');
  assert.equal(confirmed.said<AnswerParams>('agree')[0]?.body['ok'], true);
  assert.equal(guardShape(confirmed.context, 20_000)['used'], 20);
  assert.deepEqual(held(confirmed), []);
  const again = tell(confirmed, order, addressOf('reload', 'main'), 21_000);
  const [answer] = again.said<AnswerParams>('answer');
  assert.equal(answer?.body['ok'], false);
});

test('[SG-5] guard: a wish that was given up, or another one, takes the place of the one before', () => {
  const guard = ask(ask(ask(settled(), 'g0'), 'g1'), 'g2');
  assert.deepEqual(held(tell(guard, level(10), group('g2'))), []);
  const smaller = tell(guard, level(10, { to: 8, count: 2, sinceMs: 2 }), group('g2'));
  assert.deepEqual(granted(smaller), [group('g2')]);
});

test('[SG-8] guard: nothing is held before the groups had time to say how many they are', () => {
  const guard = drive<GuardMemory>(guardMachine, {});
  const early = tell(guard, level(10, {}), group('g0'));
  assert.deepEqual([recorded(early), granted(early)], [[], []]);
  const settings = { share: 0.25, min: 3, windowMs: 600_000 };
  let told = tell(early, { type: 'guard.settings', settings }, addressOf('reload', 'main'));
  assert.deepEqual([recorded(told), granted(told)], [[], []]);
  for (const name of ['g1', 'g2', 'g3']) told = tell(told, level(10), group(name));
  assert.deepEqual(granted(told), [group('g0')], 'ten of forty are a quarter');
  const alone = tell(early, { type: 'guard.settings', settings }, addressOf('reload', 'main'));
  assert.deepEqual(recorded(alone.fire('warmUp')), ['guard.held']);
});

test('[SG-7] guard: a confirmation of at most so many lets go none when more came to wait', () => {
  const waiting = ask(ask(ask(settled(), 'g0'), 'g1'), 'g2');
  const more = ask(waiting, 'g3');
  const confirming = { type: 'operator.confirm', owner: 'ops', reason: 'x' } as const;
  const late = tell(more, { ...confirming, atMost: 10 }, group('g0'));
  assert.deepEqual([granted(late), recorded(late), held(late).length], [[], [], 2]);
  const [answer] = late.said<AnswerParams>('answer');
  assert.equal(answer?.body['ok'], false);
  assert.deepEqual(granted(tell(more, { ...confirming, atMost: 20 }, group('g0'))).length, 2);
  assert.deepEqual(granted(tell(waiting, { ...confirming, atMost: 10 }, group('g0'))).length, 1);
});

test('[SG-11] guard: instances on demand count one by one, are held by name, and are confirmed with the rest', () => {
  const departures = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => ({
      ...{ id: `i-0000-00000000${from + index}` as InstanceId, sinceMs: 5 },
      ...{ reason: 'job done', force: false },
    }));
  const asked = (guard: Guard, from: number, count: number, population = 1): Guard =>
    tell(
      guard,
      { type: 'guard.level', population, wish: null, departures: departures(from, count) },
      group('g0'),
    );
  // 120 instances: thirty may go.
  const first = asked(settled(), 1000, 29, 30);
  assert.equal(granted(first).length, 29);
  assert.equal(guardShape(first.context, 10_000)['used'], 29);
  const told = first.said<GrantParams>('grant').flatMap(({ wishes }) => wishes)[0];
  assert.deepEqual(told?.of, { group: group('g0'), id: 'i-0000-000000001000' });
  const again = asked(first, 1000, 29);
  assert.equal(guardShape(again.context, 10_000)['used'], 29, 'told again they are counted once');
  const more = asked(again, 2000, 3);
  assert.deepEqual(held(more), ['instance/i-0000-000000002001', 'instance/i-0000-000000002002']);
  const fewer = asked(more, 2001, 1);
  assert.deepEqual(held(fewer), ['instance/i-0000-000000002001'], 'what is asked for no more');
  const confirmed = tell(
    fewer,
    { type: 'operator.confirm', owner: 'ops', reason: 'yes' },
    addressOf('group', 'x'),
  );
  assert.deepEqual(granted(confirmed), ['instance/i-0000-000000002001']);
});
