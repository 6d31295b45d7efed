/**
 * Identity: which key speaks for one instance. Beside the instance, for as long as that is remembered.
 *
 * Input:  a token that was shown (`identity.enrol`), a key that wants to be heard (`identity.check`), an
 *         operator's revocation, the end of the instance. Output: answers, records, `watchInstance`.
 *
 *   unbound ──first token──► bound ──revoked──► revoked
 *
 * Rules: [ID-5] a token binds one key: shown again with it, as after a lost answer, it is answered again; with
 * another key it is refused and told, and the first stays; [ID-6] only the bound key is heard, and from the
 * moment of its revocation no key any more, token or not; [ID-7] an identity ends with its instance.
 */
import { assign, setup } from 'xstate';
import {
  type Activated,
  effect,
  type Meta,
  type RecordParams,
  type Stamped,
} from './model/effects.js';
import type { IdentityMessage } from './model/identity.js';
import { type Address, keyOf } from './model/ids.js';
import type { JsonObject } from './model/json.js';

export type IdentityEvent = Stamped<IdentityMessage> | Stamped<Activated>;

export interface IdentityMemory {
  readonly instance: string;
  /** Digest of the bound key. */
  readonly key: string | null;
  readonly sinceMs: number;
  /** A token was shown with another key, too. */
  readonly contested: boolean;
}

interface Args {
  readonly context: IdentityMemory;
  readonly event: IdentityEvent;
}

export interface IdentityAnswer {
  readonly replyTo: string | undefined;
  readonly body: JsonObject;
}

export interface WatchParams {
  readonly instance: string;
}

const keyIn = (event: IdentityEvent): string | null => ('key' in event ? event.key : null);

const reply = ({ replyTo }: Meta, body: JsonObject): IdentityAnswer => ({ replyTo, body });

const accepts = ({ context, event }: Args) =>
  reply(event.meta, { ok: true, sinceMs: context.sinceMs });

const refuses = (rule: string, message: (memory: IdentityMemory) => string) =>
  ({
    type: 'answer',
    params: ({ context, event }: Args) => {
      const refusal = { code: 'refused', rule, message: message(context) };
      return reply(event.meta, { ok: false, refusal });
    },
  }) as const;

const records = (event: string, rule: string) =>
  ({
    type: 'record',
    params: ({ context, event: told }: Args): RecordParams => {
      const { instance, key, contested } = context;
      const reason = told.type === 'identity.revoke' ? { reason: told.reason } : {};
      return { event, rule, numbers: { instance, key, contested, ...reason } };
    },
  }) as const;

const agrees = { type: 'agree', params: accepts } as const;
const answers = { type: 'answer', params: accepts } as const;
const watches = {
  type: 'watchInstance',
  params: ({ context }: Args): WatchParams => ({ instance: context.instance }),
} as const;

const isUnknown = refuses('ID-6', ({ instance }) => `${instance} has no identity: register it`);
const isOther = refuses('ID-6', ({ instance }) => `this key does not speak for ${instance}`);
const isRevoked = refuses('ID-6', ({ instance }) => `the identity of ${instance} was revoked`);
const isUsed = refuses('ID-5', ({ instance }) => `the token of ${instance} was used already`);

const { createStateConfig, createMachine } = setup({
  types: {
    context: {} as IdentityMemory,
    events: {} as IdentityEvent,
    input: {} as { readonly address: Address },
  },
  actions: {
    bind: assign(({ event }) => ({ key: keyIn(event), sinceMs: event.meta.at })),
    contest: assign({ contested: true }),
    drop: assign(({ event }) => ({ sinceMs: event.meta.at })),
    watchInstance: effect<WatchParams>(),
    agree: effect<IdentityAnswer>(),
    answer: effect<IdentityAnswer>(),
    record: effect<RecordParams>(),
    forget: effect<undefined>(),
  },
  guards: {
    isBoundKey: ({ context, event }) => context.key !== null && keyIn(event) === context.key,
    isContested: ({ context }) => context.contested,
    /** Its thread was lost, and comes back with it. */
    isAway: ({ event }) => event.type === 'down' && event.reason === 'thread-lost',
    /** It is remembered no more, or never was. */
    isGone: ({ event }) => event.type === 'down' && GONE.includes(event.reason),
  },
});

const GONE: readonly string[] = ['forgotten', 'no-actor'];

/** Whatever it is: it watches its instance, and goes when that is gone. */
const livesWithInstance = {
  activated: { actions: watches },
  down: [
    { guard: 'isAway', actions: watches },
    { guard: 'isGone', actions: 'forget' },
  ],
} as const;

const unbound = createStateConfig({
  description: 'Nobody has shown a token yet.',
  on: {
    'identity.enrol': {
      target: 'bound',
      actions: ['bind', records('identity.bound', 'ID-5'), watches, agrees],
    },
    'identity.check': { actions: [isUnknown, 'forget'] },
    'identity.revoke': {
      target: 'revoked',
      actions: ['drop', records('identity.revoked', 'operator'), watches, agrees],
    },
  },
});

const bound = createStateConfig({
  description: 'One key speaks for the instance.',
  on: {
    ...livesWithInstance,
    'identity.enrol': [
      { guard: 'isBoundKey', actions: answers },
      { guard: 'isContested', actions: isUsed },
      { actions: ['contest', records('identity.contested', 'ID-5'), isUsed] },
    ],
    'identity.check': [{ guard: 'isBoundKey', actions: answers }, { actions: isOther }],
    'identity.revoke': {
      target: 'revoked',
      actions: ['drop', records('identity.revoked', 'operator'), agrees],
    },
  },
});

const revoked = createStateConfig({
  description: 'An operator took it away; no key counts, and no token.',
  on: {
    ...livesWithInstance,
    'identity.enrol': { actions: isRevoked },
    'identity.check': { actions: isRevoked },
    'identity.revoke': { actions: answers },
  },
});

export const identityMachine = createMachine({
  id: 'identity',
  description: 'Which key speaks for one instance.',
  context: ({ input }) => ({
    instance: keyOf(input.address),
    key: null,
    sinceMs: 0,
    contested: false,
  }),
  initial: 'unbound',
  states: { unbound, bound, revoked },
});
