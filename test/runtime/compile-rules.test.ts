/** What the compiler takes and refuses, and what a stepper does at its edges: on both paths alike. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type AnyStateMachine,
  assign,
  createMachine,
  emit,
  enqueueActions,
  fromPromise,
  log,
  sendTo,
  spawnChild,
} from 'xstate';
import { groupMachine } from '../../machines/group.js';
import { createStepper, type Stepper } from '../../src/runtime/stepper.js';

const machineOf = (config: object) => createMachine(config as never) as AnyStateMachine;

/** The machine compiled, and on XState's core. */
function bothOf(machine: AnyStateMachine): readonly (readonly [string, Stepper])[] {
  return [
    ['compiled', createStepper(machine)],
    ['core', createStepper(machine, { path: 'generic' })],
  ];
}

const states = { idle: { on: { go: 'busy' } }, busy: { type: 'final' } };
const doing = (action: unknown) => ({
  initial: 'idle',
  states: { idle: { on: { go: { actions: action } } } },
});
const outside = fromPromise(() => Promise.resolve());

const REFUSED: readonly (readonly [string, object])[] = [
  [
    'a history state',
    { initial: 'a', states: { a: { initial: 'b', states: { b: {}, h: { type: 'history' } } } } },
  ],
  ['invoke', { initial: 'a', states: { a: { invoke: { src: outside } } } }],
  ['output', { initial: 'a', output: 1, states: { a: { type: 'final' } } }],
  ['xstate.spawnChild', doing(spawnChild(outside))],
  ['xstate.emit', doing(emit({ type: 'told' }))],
  ['xstate.log', doing(log('told'))],
  ['xstate.sendTo', doing(sendTo('someone', { type: 'told' }))],
  ['xstate.enqueueActions', doing(enqueueActions(() => undefined))],
  ['no guard called missing', { on: { go: { guard: 'missing' } } }],
  ['an event that XState keeps to itself', { on: { 'xstate.error.actor.x': {} } }],
  [
    'targets that cannot be active together',
    {
      initial: 'a',
      states: { a: { on: { go: { target: ['#(machine).a', '#(machine).b'] } } }, b: {} },
    },
  ],
];

for (const [what, config] of REFUSED) {
  test(`[RT-52] compiler: ${what} is refused, and named`, () => {
    const stepper = createStepper(machineOf(config));
    assert.equal(stepper.compiled, false);
    assert.deepEqual(stepper.refusals, [what]);
  });
}

for (const action of ['spawnChild', 'emit', 'log', 'sendTo']) {
  test(`[RT-52] stepper: a machine that uses ${action} fails at the step that does`, () => {
    const [, config] = REFUSED.find(([what]) => what === `xstate.${action}`) ?? [];
    const stepper = createStepper(machineOf(config ?? {}));
    const { configuration, context } = stepper.initial({});
    assert.throws(() => stepper.step(configuration, context, { type: 'go' }));
    assert.equal(stepper.step(configuration, context, { type: 'other' }).context, context);
  });
}

test('[RT-52] stepper: enqueueActions works on XState’s core', () => {
  const action = enqueueActions(({ enqueue }) => {
    enqueue.assign({ n: 2 } as never);
    enqueue('shine' as never);
  });
  const stepper = createStepper(machineOf({ context: { n: 1 }, ...doing(action) }));
  const start = stepper.initial({});
  const { context, effects } = stepper.step(start.configuration, start.context, { type: 'go' });
  assert.deepEqual([context, effects], [{ n: 2 }, [{ type: 'shine', params: undefined }]]);
});

for (const [path, stepper] of bothOf(
  machineOf({ initial: 'idle', states, on: { '*': '.idle' } }),
)) {
  const busy = stepper.restore('busy');
  test(`[RT-53] ${path}: a machine that is done takes no more events`, () => {
    const reached = stepper.step(stepper.restore('idle'), {}, { type: 'go' }).configuration;
    assert.equal(reached, busy);
    for (const type of ['go', 'other', 'xstate.done.state.(machine)']) {
      const context = {};
      const step = stepper.step(busy, context, { type });
      assert.equal(step.configuration, busy);
      assert.equal(step.context, context);
      assert.deepEqual([step.effects, step.timers], [[], []]);
    }
  });

  test(`[RT-53] ${path}: what XState tells an actor about itself, nobody may send`, () => {
    for (const type of ['xstate.init', 'xstate.stop', 'xstate.error.actor.x']) {
      assert.throws(
        () => stepper.step(stepper.restore('idle'), {}, { type }),
        /keeps it to itself/,
      );
    }
  });
}

const PARTIAL: readonly unknown[] = [
  'active',
  {},
  { active: 'creates' },
  { active: { creates: 'open' } },
  { active: { creates: 'open', resync: 'waiting', more: 'x' } },
  { active: { creates: 'shut', resync: 'waiting' } },
  { unknown: {} },
  'melted',
  '',
  5,
  null,
  ['unknown'],
];

for (const [path, stepper] of bothOf(groupMachine)) {
  test(`[RT-54] ${path}: a whole state value is restored, to the one configuration of it`, () => {
    const value = { active: { creates: 'open', resync: 'waiting' } };
    const turned = { active: { resync: 'waiting', creates: 'open' } };
    assert.deepEqual(stepper.restore(value).value, value);
    assert.equal(stepper.restore(turned), stepper.restore(value));
    assert.equal(stepper.restore('unknown').value, 'unknown');
  });

  test(`[RT-54] ${path}: a state value that is not whole is refused, not filled in`, () => {
    for (const value of PARTIAL) {
      assert.throws(() => stepper.restore(value as never), /has no state/, JSON.stringify(value));
    }
  });
}

for (const [path, stepper] of bothOf(
  machineOf({
    context: { kept: [] },
    initial: 'idle',
    states: { idle: { on: { keep: { actions: [assign(keep), assign(keep)] } } } },
  }),
)) {
  test(`[RT-55] ${path}: what implementations are called with never changes afterwards`, () => {
    const { configuration, context } = stepper.initial({});
    const { context: after } = stepper.step(configuration, context, { type: 'keep' });
    const kept = (after as unknown as Kept).kept.map((args) => args.context.kept.length);
    assert.deepEqual(kept, [0, 1]);
  });
}

interface Kept {
  readonly kept: readonly { readonly context: Kept }[];
}

function keep(args: { readonly context: unknown }): never {
  return { kept: [...(args.context as Kept).kept, args] } as never;
}
