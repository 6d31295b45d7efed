/**
 * Override: keeps what operators ordered against one object's configuration, on disk, until it ends.
 *
 * Input:  orders (by way of the object, which knows what they mean), the end of their time, a changed
 *         configuration. Output: `tellObject` after the commit, `record` of each change, an answer.
 *
 *   empty --order--> holding --order, clear, time--> holding --nothing left--> ended
 *
 * The object starts with the book as stored (it is its parent) and is told every change of it.
 *
 * Rules: [OV-1] on disk before anything follows from it; [OV-2] it survives restarts and reloads;
 * [OV-4] [OV-5] src/policy/overrides.ts; [OV-6] the book of one object is bounded.
 */
import { assign, setup } from 'xstate';
import { expiredAt, nextExpiryMs, withOrder, without } from '../src/policy/overrides.js';
import { assert } from './model/assert.js';
import { type Activated, effect, type RecordParams, type Stamped } from './model/effects.js';
import type { Refusal } from './model/failures.js';
import { type Address, keyOf } from './model/ids.js';
import type { JsonObject } from './model/json.js';
import {
  type EndedBy,
  NO_OVERRIDES,
  type OverrideEntry,
  type OverrideLevel,
  type OverrideMessage,
  type Overrides,
} from './model/overrides.js';
import { timestamp } from './model/time.js';

export type OverrideEvent = Stamped<OverrideMessage> | Stamped<Activated>;

export interface OverrideMemory {
  readonly object: Address;
  readonly book: Overrides;
}

export interface OverrideAnswer {
  readonly replyTo: string | undefined;
  readonly body: JsonObject;
}

export interface LevelTo {
  readonly to: Address;
  readonly message: OverrideLevel;
}

/** Overrides one object can have: every member of a large frontend, and room. */
export const OVERRIDES_MAX = 4_096;
/** How often the object is told again, in case it was lost. */
const RESYNC_MS = 60_000;

interface Args {
  readonly context: OverrideMemory;
  readonly event: OverrideEvent;
}

function orderIn({ event }: Args) {
  assert(event.type === 'override.order', `${event.type} carries no order`);
  return event;
}

/** Which overrides this event ends, and why. */
function endingIn({ context, event }: Args): {
  readonly kinds: readonly string[];
  readonly by: EndedBy;
} {
  if (event.type !== 'override.clear') {
    return { kinds: expiredAt(context.book, event.meta.at), by: 'expiry' };
  }
  const kinds = event.kinds.filter((kind) => context.book[kind] !== undefined);
  return { kinds, by: event.by };
}

function askerOf({ event }: Args): string | undefined {
  return ('replyTo' in event ? event.replyTo : undefined) ?? event.meta.replyTo;
}

export function overrideShape(object: Address, entry: OverrideEntry): JsonObject {
  const { kind, value, configured, owner, reason, sinceMs, untilMs } = entry;
  const until = untilMs === null ? {} : { until: timestamp(untilMs) };
  return { object, kind, value, configured, owner, reason, since: timestamp(sinceMs), ...until };
}

export function bookShape({ object, book }: OverrideMemory): readonly JsonObject[] {
  return Object.values(book).map((entry) => overrideShape(object, entry));
}

function recordOf(
  context: OverrideMemory,
  decision: Pick<RecordParams, 'event' | 'rule' | 'numbers'>,
): RecordParams {
  const { object } = context;
  const data = { object, overrides: bookShape(context) };
  return { ...decision, publish: { aggregateKind: 'override', aggregateId: object, data } };
}

const records = {
  set: {
    type: 'record',
    params: (args: Args) => {
      const { kind } = orderIn(args).order;
      const entry = args.context.book[kind];
      assert(entry !== undefined, `${kind} was just ordered`);
      const numbers = overrideShape(args.context.object, entry);
      return recordOf(args.context, { event: 'override.set', rule: 'OV-1', numbers });
    },
  },
  /** Before they are taken out of the book, so that the journal has what ended. */
  ended: {
    type: 'record',
    params: (args: Args) => {
      const { context, event } = args;
      const { kinds, by } = endingIn(args);
      const ended = bookShape({ ...context, book: pick(context.book, kinds) });
      const order = event.type === 'override.clear' ? event : undefined;
      const who = order === undefined ? {} : { owner: order.owner, reason: order.reason };
      const after = { ...context, book: without(context.book, kinds) };
      const rule = by === 'expiry' ? 'OV-4' : by === 'configuration' ? 'OV-3' : 'operator';
      return recordOf(after, { event: 'override.ended', rule, numbers: { by, ended, ...who } });
    },
  },
} as const;

function pick(book: Overrides, kinds: readonly string[]): Overrides {
  return Object.fromEntries(Object.entries(book).filter(([kind]) => kinds.includes(kind)));
}

const level = ({ context: { object, book } }: Args): LevelTo => ({
  to: object,
  message: { type: 'override.level', overrides: book },
});
const tells = { type: 'tellObject', params: level } as const;
const tellsAgain = { type: 'tellAgain', params: level } as const;

const agrees = {
  set: {
    type: 'agree',
    params: (args: Args): OverrideAnswer => {
      const { kind, note } = orderIn(args).order;
      const entry = args.context.book[kind];
      assert(entry !== undefined, `${kind} was just ordered`);
      const told = note === undefined ? {} : { note };
      const body = { ok: true, ...overrideShape(args.context.object, entry), ...told };
      return { replyTo: askerOf(args), body };
    },
  },
  ended: {
    type: 'agree',
    params: (args: Args): OverrideAnswer => {
      const { kinds, by } = endingIn(args);
      const body = { ok: true, object: args.context.object, kind: kinds.join(' '), endedBy: by };
      return { replyTo: askerOf(args), body };
    },
  },
} as const;

function refuses(rule: string, sentence: (object: Address) => string, code: Refusal['code']) {
  const params = (args: Args): OverrideAnswer => {
    const refusal = { code, rule, message: sentence(args.context.object) };
    return { replyTo: askerOf(args), body: { ok: false, refusal } };
  };
  return { type: 'answer', params } as const;
}

const knowsNone = refuses(
  'OV-1',
  (object) => `${object} has no such override: see "switchyard override list"`,
  'not-found',
);
const tooMany = refuses(
  'OV-6',
  (object) => `${object} has ${OVERRIDES_MAX} overrides: clear some, or change the configuration`,
  'refused',
);

export const overrideMachine = setup({
  types: {
    context: {} as OverrideMemory,
    events: {} as OverrideEvent,
    input: {} as { readonly address: Address },
  },
  actions: {
    note: assign((args) => ({
      book: withOrder(args.context.book, orderIn(args).order, args.event.meta.at),
    })),
    drop: assign((args) => ({ book: without(args.context.book, endingIn(args).kinds) })),
    /** After the commit. */
    tellObject: effect<LevelTo>(),
    tellAgain: effect<LevelTo>(),
    /** After the commit. */
    agree: effect<OverrideAnswer>(),
    answer: effect<OverrideAnswer>(),
    record: effect<RecordParams>(),
    forget: effect<undefined>(),
  },
  guards: {
    hasRoom: ({ context, event }) =>
      event.type === 'override.order' &&
      (context.book[event.order.kind] !== undefined ||
        Object.keys(context.book).length < OVERRIDES_MAX),
    endsSome: (args) => endingIn(args).kinds.length > 0,
    isEmpty: ({ context }) => Object.keys(context.book).length === 0,
  },
  delays: {
    /** The next end, or the next time to say it again, whatever comes first. */
    wakeDue: ({ context, event }) => {
      const againMs = RESYNC_MS * (0.75 + event.meta.random / 2);
      const next = nextExpiryMs(context.book);
      return next === null ? againMs : Math.min(againMs, Math.max(0, next - event.meta.at));
    },
  },
}).createMachine({
  id: 'override',
  description: "Keeps what operators ordered against one object's configuration, until it ends.",
  context: ({ input }) => ({ object: keyOf(input.address) as Address, book: NO_OVERRIDES }),
  initial: 'empty',
  states: {
    empty: {
      description: 'Nothing is ordered.',
      on: {
        'override.order': {
          target: 'holding',
          actions: ['note', records.set, tells, agrees.set],
        },
        'override.clear': { actions: knowsNone },
      },
    },
    holding: {
      description: 'At least one override is in force.',
      always: { guard: 'isEmpty', target: 'ended' },
      after: {
        wakeDue: [
          {
            guard: 'endsSome',
            target: 'holding',
            reenter: true,
            actions: [records.ended, 'drop', tells],
          },
          { target: 'holding', reenter: true, actions: tellsAgain },
        ],
      },
      on: {
        activated: { actions: tellsAgain },
        'override.order': [
          {
            guard: 'hasRoom',
            target: 'holding',
            reenter: true,
            actions: ['note', records.set, tells, agrees.set],
          },
          { actions: tooMany },
        ],
        'override.clear': [
          {
            guard: 'endsSome',
            target: 'holding',
            reenter: true,
            actions: [records.ended, agrees.ended, 'drop', tells],
          },
          { actions: knowsNone },
        ],
      },
    },
    ended: {
      description: 'The last one is over: nothing is kept.',
      entry: 'forget',
      on: { '*': {} },
    },
  },
});
