/** The host's small parts on their own: stepper, mailbox, placement, asks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assign, setup } from 'xstate';
import { Defect } from '../../machines/model/assert.js';
import { effect } from '../../machines/model/effects.js';
import { addressOf, groupKeyOf, instanceIdFor, parseInstanceId } from '../../machines/model/ids.js';
import { createAsks, threadOfReply } from '../../src/runtime/asks.js';
import { createPlacement } from '../../src/runtime/placement.js';
import { createStepper } from '../../src/runtime/stepper.js';
import { createVirtualClock } from '../../src/runtime/virtual-clock.js';
import { seedOfRun } from '../support/seed.js';

const lamp = setup({
  types: {
    context: {} as { presses: number },
    events: {} as { type: 'press' } | { type: 'break' } | { type: 'spin' },
    input: {} as { presses?: number },
  },
  actions: {
    count: assign({ presses: ({ context }) => context.presses + 1 }),
    shine: effect<{ readonly presses: number }>(),
    fail: () => assert.fail('an action body must never run'),
  },
  guards: {
    broken: (): boolean => {
      throw new Error('guard threw');
    },
    always: () => true,
  },
  delays: { dusk: 1_000 },
}).createMachine({
  id: 'lamp',
  context: ({ input }) => ({ presses: input.presses ?? 0 }),
  initial: 'off',
  states: {
    off: {
      on: {
        press: { target: 'on', actions: 'count' },
        break: { guard: 'broken', target: 'on' },
        spin: 'spinning',
      },
    },
    on: {
      entry: { type: 'shine', params: ({ context }) => ({ presses: context.presses }) },
      after: { dusk: 'off' },
      on: { press: 'off' },
    },
    spinning: { always: { guard: 'always', target: 'spun' } },
    spun: { always: { guard: 'always', target: 'spinning' } },
  },
});

test('[RT-1] stepper: a step yields effects and timers as data and performs nothing', () => {
  const stepper = createStepper(lamp);
  const start = stepper.initial({ presses: 4 });
  const on = stepper.step(start.configuration, start.context, { type: 'press' });
  assert.equal(on.configuration.value, 'on');
  assert.deepEqual(on.effects, [{ type: 'shine', params: { presses: 5 } }]);
  assert.deepEqual(on.timers, [{ op: 'arm', id: 'xstate.after.dusk.lamp.on', delayMs: 1_000 }]);
  const off = stepper.step(on.configuration, on.context, { type: 'press' });
  assert.deepEqual(off.timers, [{ op: 'cancel', id: 'xstate.after.dusk.lamp.on' }]);
});

test('[RT-1] stepper: a machine that throws, or never comes to rest, has not moved', () => {
  const stepper = createStepper(lamp);
  const { configuration, context } = stepper.initial({});
  const after = (type: string) => stepper.step(configuration, context, { type });
  assert.throws(() => after('break'), /guard threw/);
  assert.throws(() => after('spin'), /loop/i);
  assert.equal(after('press').configuration.value, 'on');
});

test('[RT-1] stepper: a restored snapshot takes the next event; an unknown state is refused', () => {
  const stepper = createStepper(lamp);
  const off = stepper.step(stepper.restore('on'), { presses: 7 }, { type: 'press' });
  assert.equal(off.configuration.value, 'off');
  assert.throws(() => stepper.restore('melted'));
});

test('[RT-13] placement: an instance and its backend land beside their group, on every thread count', () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[a-z]{1,12}$/),
      fc.nat(200),
      fc.integer({ min: 1, max: 8 }),
      (name, index, shards) => {
        const placement = createPlacement(shards);
        const key = groupKeyOf(name, 'web');
        const id = instanceIdFor(key, '0190aaaa-bbbb-7ccc-8ddd-eeeeffff0000', index);
        assert.equal(parseInstanceId(id), id);
        const home = placement.threadOf(addressOf('group', key));
        assert.equal(placement.threadOf(addressOf('instance', id)), home);
        assert.equal(placement.threadOf(addressOf('backend', id)), home);
      },
    ),
    { seed: seedOfRun(), numRuns: 500 },
  );
});

test('[RT-13] placement: one more shard moves about its own share of the groups, to itself alone', () => {
  const three = createPlacement(3);
  const four = createPlacement(4);
  const groups = Array.from({ length: 2_000 }, (_, n) => addressOf('group', `t${n}/web`));
  const moved = groups.filter((group) => three.threadOf(group) !== four.threadOf(group));
  assert.ok(moved.every((group) => four.threadOf(group) === 'shard-3'));
  assert.ok(moved.length > 300 && moved.length < 700, `${moved.length} of 2000 moved`);
});

test('[RT-14] ask: answered exactly once; late, lost and double answers change nothing', async () => {
  const clock = createVirtualClock();
  const asks = createAsks('main', clock);
  const first = asks.open(100);
  assert.ok(asks.settle(first.replyTo, { ok: true, value: 1 }));
  assert.equal(asks.settle(first.replyTo, { ok: true, value: 2 }), false);
  assert.deepEqual(await first.answer, { ok: true, value: 1 });
  const second = asks.open(100);
  await clock.advance(100);
  const answer = await second.answer;
  assert.ok(!answer.ok && answer.failure.code === 'timeout');
  const third = asks.open(100);
  asks.failAll({ code: 'thread-lost', message: 'shard-1 died' });
  const lost = await third.answer;
  assert.ok(!lost.ok && lost.failure.code === 'thread-lost');
});

test('[RT-14] ask: an answer meant for an earlier life of the thread settles nothing', () => {
  const clock = createVirtualClock();
  const before = createAsks('shard-1:7', clock).open(100);
  const asks = createAsks('shard-1:8', clock);
  const now = asks.open(100);
  assert.equal(asks.settle(before.replyTo, { ok: true, value: 1 }), false);
  assert.equal(threadOfReply(now.replyTo), 'shard-1');
  assert.ok(asks.settle(now.replyTo, { ok: true, value: 2 }));
});

test('[RT-15] virtual clock: work that never rests is a defect, not a hang', async () => {
  const clock = createVirtualClock();
  const spin = (): void => clock.soon(spin);
  clock.soon(spin);
  await assert.rejects(clock.settle(), Defect);
});
