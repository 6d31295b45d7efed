/**
 * Backend: decides whether one backend may receive new flows.
 *
 * Input:  its spec, probe results, a death seen by its owner, an operator's verbs.
 * Output: `probe` (observed), `publishVerdict` (protective: the dataplane never waits for the disk)
 *         and `record` for each change of state.
 *
 *   idle --desired--> live { health: unknown | up | down,  loop: waiting <-> out }
 *   live --paused--> paused --resumed--> live      any --disabled--> disabled --enabled--> live
 *
 * Verbs of operators are orders to the book of overrides beside it (machines/override.ts); it turns when
 * the book, by then on disk, says so: `override.level`.
 *
 * Rules: [HE-1]..[HE-4] the counter, src/policy/health.ts; [HE-5] [HE-6] the waits, interval.ts;
 * [HE-7] a change of state is a new episode; [HE-8] paused and disabled are never probed, and a
 * disabled backend is neither paused nor resumed; [HE-10] another address or check starts as unknown;
 * [HE-11] answers to any probe but the outstanding one are ignored; [HE-12] a death is believed at
 * once; [HE-13] a backend without a check is up; [HE-16] backend-orders.ts;
 * [HE-17] a book that cannot be read: neither raised nor taken out by configuration alone; [HE-18] the feed
 * hears of it before it hears what it is like, once, and of its end;
 * [HE-62] [HE-64] backend-doubt.ts: while the node doubts itself a failure without proof is held.
 */
import { assign, setup } from 'xstate';
import { firstProbeDelayMs, probeDelayMs } from '../src/policy/interval.js';
import { bookIn } from '../src/policy/overrides.js';
import { advised, fallen, isBelieved, isHearingOwed, toldOf } from './backend-doubt.js';
import {
  answerIn,
  codeBehind,
  deciderOf,
  isHeldHere,
  isPositive,
  specIn,
  stateAfter,
} from './backend-judging.js';
import {
  adopt,
  arrived,
  type BackendMemory,
  buried,
  counted,
  departed,
  isAnother,
  launched,
  modeOf,
  newBackend,
  type Publication,
  provenDead,
  ruleOf,
  specOf,
  startOver,
  stateChanged,
  turned,
} from './backend-memory.js';
import {
  type Args,
  answers,
  type BackendEvent,
  dismisses,
  hasNoCheck,
  hears,
  knowsNothing,
  leaves,
  orders,
  publishes,
  type ReplyParams,
  refuses,
  type TestParams,
  tests,
  yields,
} from './backend-says.js';

export type { BackendEvent, ReplyParams } from './backend-says.js';

import { assert } from './model/assert.js';
import type { HealthCheckSpec } from './model/desired.js';
import { effect, type RecordParams } from './model/effects.js';
import type { Address } from './model/ids.js';
import type { HealthState } from './model/messages.js';
import type { SuspicionMessage } from './model/suspicion.js';
import type { OrderParams } from './overriding.js';

export interface ProbeParams {
  readonly probe: number;
  readonly address: string;
  readonly port: number;
  readonly check: HealthCheckSpec;
}

const records = {
  type: 'record',
  params: (args: Args): RecordParams => stateChanged(args.context, deciderOf(args)),
} as const;

const arrives = { type: 'record', params: ({ context }: Args) => arrived(context) } as const;
const departs = { type: 'record', params: ({ context }: Args) => departed(context) } as const;

/** First state of a life: told at once, but no news for the journal. */
function begins(to: HealthState) {
  return [{ type: 'turn', params: { to } }, publishes] as const;
}

/** The first thing that is known of it: whoever never heard of it does now. */
function shows(to: HealthState) {
  return [{ type: 'turn', params: { to } }, publishes, arrives, records] as const;
}

function becomes(to: HealthState) {
  return [{ type: 'turn', params: { to } }, publishes, records] as const;
}

export const backendMachine = setup({
  types: {
    context: {} as BackendMemory,
    events: {} as BackendEvent,
    input: {} as { readonly address: Address },
  },
  actions: {
    adopt: assign((args) => adopt(args.context, specIn(args).spec, specIn(args).owner)),
    startOver: assign(({ context }) => startOver(context)),
    launch: assign(({ context }) => launched(context)),
    count: assign((args) => {
      const result = answerIn(args);
      return result === undefined ? {} : counted(args.context, result, args.event.meta.at);
    }),
    bury: assign(({ context }) => buried(context)),
    strengthen: assign((args) => provenDead(args.context, codeBehind(args, 'down'))),
    turn: assign((args, { to }: { readonly to: HealthState }) => {
      const turn = { to, code: codeBehind(args, to), positive: isPositive(args) };
      return turned(args.context, turn, args.event.meta);
    }),
    takeOverrides: assign(({ context, event }) => {
      if (event.type === 'override.level') return { overrides: event.overrides, sealed: false };
      const stored = event.type === 'activated' ? bookIn(event.children) : context.overrides;
      return { overrides: stored ?? context.overrides, sealed: stored === undefined };
    }),
    takeSuspicion: assign(({ context, event }) =>
      event.type === 'suspicion.level' ? { doubt: advised(context, event) } : {},
    ),
    takeAsked: assign(({ context: { doubt }, event }) =>
      event.type === 'hearing.asked' ? { doubt: { ...doubt, asked: event.round } } : {},
    ),
    countAfterAll: assign(({ context }) => ({ count: fallen(context, ruleOf(context)) })),
    noteHearing: assign(({ context: { doubt } }) => ({ doubt: { ...doubt, told: toldOf(doubt) } })),
    /** What the node's suspicion was told counts no longer: it may have begun a new life. */
    sayHearingAgain: assign(({ context: { doubt } }) => ({ doubt: { ...doubt, told: null } })),
    tellHearing: effect<SuspicionMessage>(),
    orderOverride: effect<OrderParams | undefined>(),
    probe: effect<ProbeParams>(),
    /** The operator's own check; its result is the answer, and nothing else. */
    testProbe: effect<TestParams>(),
    publishVerdict: effect<Publication>(),
    reply: effect<ReplyParams>(),
    record: effect<RecordParams>(),
    forget: effect<undefined>(),
  },
  guards: {
    isDisabled: ({ context }) => modeOf(context) === 'disabled',
    isPaused: ({ context }) => modeOf(context) === 'paused',
    isFree: ({ context }) => modeOf(context) === 'live',
    isSealed: ({ context }) => context.sealed,
    unchecked: ({ context }) => context.spec?.probe === undefined,
    /** By operator or configuration, once it has the spec that just arrived. */
    willBeDisabled: (args) => modeOf({ ...args.context, spec: specIn(args).spec }) === 'disabled',
    isOverridden: ({ context }) => context.overrides['enabled'] !== undefined,
    becameAnother: (args) => isAnother(args.context, specIn(args).spec),
    answersProbe: (args) => answerIn(args) !== undefined,
    becomesUp: (args) =>
      stateAfter(args) === 'up' && args.context.verdict?.state !== 'up' && !args.context.sealed,
    becomesDown: (args) =>
      stateAfter(args) === 'down' && args.context.verdict?.state !== 'down' && !isHeldHere(args),
    isBelieved: ({ context, event }) =>
      event.type === 'suspicion.level' &&
      context.verdict?.state !== 'down' &&
      isBelieved(context, event),
    owesHearing: ({ context: { spec, doubt } }) =>
      spec?.probe !== undefined && isHearingOwed(doubt),
    /** Down was only suspected so far, and this probe proves it. */
    provesDeath: (args) =>
      stateAfter(args) === 'down' && isPositive(args) && args.context.verdict?.positive === false,
    isAlive: ({ context }) => context.verdict?.state !== 'down',
    isSilent: ({ context }) => context.verdict?.positive === false,
  },
  delays: {
    /** Time to the next probe; the first one of a life comes soon. */
    probeDue: ({ context, event }) => {
      const check = specOf(context).probe?.check;
      assert(check !== undefined, `backend ${context.name} waits for a probe it does not have`);
      const { random } = event.meta;
      if (context.fresh) return firstProbeDelayMs(check, random);
      return probeDelayMs(check, context.count, random);
    },
  },
}).createMachine({
  id: 'backend',
  description: 'Probes one backend and says whether it may receive new flows.',
  context: ({ input }) => newBackend(input.address),
  initial: 'idle',
  on: {
    activated: { actions: 'takeOverrides' },
    'override.level': { actions: 'takeOverrides' },
    'suspicion.level': { actions: 'takeSuspicion' },
    'backend.removed': { target: '.removed', actions: [dismisses, departs] },
    'backend.disable': { actions: orders },
    'backend.enable': { actions: answers },
    'backend.test': [{ guard: 'unchecked', actions: hasNoCheck }, { actions: tests }],
    'publish.request': { actions: publishes },
  },
  states: {
    idle: {
      description: 'Addressed, but not yet told what to be.',
      on: {
        'backend.desired': { target: 'starting', actions: ['adopt', 'startOver', yields] },
        'backend.pause': { actions: knowsNothing },
        'backend.resume': { actions: knowsNothing },
        'backend.disable': { actions: knowsNothing },
        'backend.enable': { actions: knowsNothing },
        'backend.test': { actions: knowsNothing },
        'publish.request': {},
      },
    },
    starting: {
      description: 'A life begins: nobody has seen another state of it.',
      always: [
        { guard: 'isDisabled', target: 'disabled', actions: [...begins('disabled'), arrives] },
        { guard: 'isPaused', target: 'paused', actions: [...begins('paused'), arrives] },
        { guard: 'isSealed', target: 'live', actions: begins('unknown') },
        {
          guard: 'unchecked',
          target: '#backend.live.health.up',
          actions: [...begins('up'), arrives],
        },
        { target: 'live', actions: begins('unknown') },
      ],
    },
    restarting: {
      description: 'Begins again, and what was known before no longer counts.',
      entry: 'startOver',
      always: [
        { guard: 'isSealed', target: 'live', actions: becomes('unknown') },
        { guard: 'unchecked', target: '#backend.live.health.up', actions: becomes('up') },
        { target: 'live', actions: becomes('unknown') },
      ],
    },
    live: {
      description: 'Wanted, and neither paused nor disabled.',
      type: 'parallel',
      always: [
        { guard: 'isDisabled', target: 'disabled', actions: becomes('disabled') },
        { guard: 'isPaused', target: 'paused', actions: becomes('paused') },
        { guard: 'owesHearing', actions: [hears, 'noteHearing'] },
      ],
      exit: [leaves, 'sayHearingAgain'],
      on: {
        'override.level': [
          { guard: 'isSealed', target: 'restarting', actions: 'takeOverrides' },
          { actions: 'takeOverrides' },
        ],
        'backend.desired': [
          {
            guard: 'willBeDisabled',
            target: 'disabled',
            actions: ['adopt', ...becomes('disabled'), yields],
          },
          { guard: 'becameAnother', target: 'restarting', actions: ['adopt', yields] },
          { actions: ['adopt', 'sayHearingAgain', publishes, yields] },
        ],
        'backend.pause': { actions: orders },
        'backend.resume': { actions: answers },
      },
      states: {
        health: {
          description: 'What its probes have shown so far.',
          initial: 'unknown',
          on: {
            'probe.finished': [
              { guard: 'becomesUp', target: '.up', actions: ['count', ...becomes('up')] },
              { guard: 'becomesDown', target: '.down', actions: ['count', ...becomes('down')] },
              { guard: 'provesDeath', actions: ['count', 'strengthen', publishes] },
              { guard: 'answersProbe', actions: 'count' },
            ],
            'suspicion.level': [
              {
                guard: 'isBelieved',
                target: '.down',
                actions: ['countAfterAll', 'takeSuspicion', ...becomes('down')],
              },
              { actions: 'takeSuspicion' },
            ],
            'backend.died': [
              { guard: 'isAlive', target: '.down', actions: ['bury', ...becomes('down')] },
              { guard: 'isSilent', actions: ['bury', 'strengthen', publishes] },
            ],
          },
          states: {
            unknown: {
              description: 'No verdict yet: whoever has a weight keeps it.',
              on: {
                'probe.finished': [
                  { guard: 'becomesUp', target: 'up', actions: ['count', ...shows('up')] },
                  { guard: 'becomesDown', target: 'down', actions: ['count', ...shows('down')] },
                ],
                'backend.died': { target: 'down', actions: ['bury', ...shows('down')] },
              },
            },
            up: { description: 'May receive new flows.' },
            down: { description: 'Failed often enough, or is dead.' },
          },
        },
        loop: {
          description: 'One probe after the other, never two at a time.',
          initial: 'choosing',
          states: {
            choosing: {
              description: 'Passed through: is there a check at all?',
              always: [{ guard: 'unchecked', target: 'silent' }, { target: 'waiting' }],
            },
            silent: { description: 'Nothing to probe.' },
            waiting: {
              description: 'Until the next probe.',
              after: { probeDue: 'out' },
              on: { 'hearing.asked': { target: 'out', actions: 'takeAsked' } },
            },
            out: {
              description: 'One probe is out; the prober always answers.',
              entry: [
                'launch',
                {
                  type: 'probe',
                  params: ({ context }) => {
                    const { address, probe } = specOf(context);
                    assert(probe !== undefined, `backend ${context.name} has nothing to probe`);
                    return { probe: context.probe, address, ...probe };
                  },
                },
              ],
              on: {
                'hearing.asked': { actions: 'takeAsked' },
                'probe.finished': { guard: 'answersProbe', target: 'waiting' },
                'backend.died': { target: 'waiting', actions: 'bury' },
              },
            },
          },
        },
      },
    },
    paused: {
      description: 'Frozen by an operator: weight 0, flows keep, no probes.',
      always: [
        { guard: 'isDisabled', target: 'disabled', actions: becomes('disabled') },
        { guard: 'isFree', target: 'restarting' },
      ],
      on: {
        'backend.desired': { actions: ['adopt', publishes, yields] },
        'backend.pause': { actions: orders },
        'backend.resume': { actions: orders },
      },
    },
    disabled: {
      description: 'Taken out by an operator or by config: weight 0, flows flushed, no probes.',
      always: [
        { guard: 'isFree', target: 'restarting' },
        { guard: 'isPaused', target: 'paused', actions: becomes('paused') },
      ],
      on: {
        'backend.desired': { actions: ['adopt', publishes, yields] },
        'backend.pause': { actions: refuses },
        'backend.resume': { actions: refuses },
        'backend.disable': [{ guard: 'isOverridden', actions: orders }, { actions: answers }],
        'backend.enable': { actions: orders },
      },
    },
    removed: {
      description: 'No longer wanted by anybody.',
      entry: 'forget',
      on: { '*': {} },
    },
  },
});
