/**
 * What a backend says: verdicts, answers to operators, orders to its book of overrides, and whether it answers
 * to the node's suspicion. The chart is in backend.ts.
 */
import { hearingOf } from './backend-doubt.js';
import { type BackendMemory, type Publication, publicationOf, specOf } from './backend-memory.js';
import { dismissalIn, orderOfVerb, yieldsIn } from './backend-orders.js';
import { assert } from './model/assert.js';
import type { BackendSpec } from './model/desired.js';
import type { Activated, Stamped } from './model/effects.js';
import type { Refusal } from './model/failures.js';
import type { BackendMessage, HealthState } from './model/messages.js';
import type { SuspicionMessage } from './model/suspicion.js';

export type BackendEvent = Stamped<BackendMessage> | Stamped<Activated>;

export interface ReplyParams {
  readonly replyTo: string | undefined;
  readonly body:
    | { readonly ok: true; readonly state: HealthState }
    | { readonly ok: false; readonly refusal: { readonly [K in keyof Refusal]: string } };
}

export interface Args {
  readonly context: BackendMemory;
  readonly event: BackendEvent;
}

export const publishes = {
  type: 'publishVerdict',
  params: ({ context }: Args): Publication => publicationOf(context),
} as const;

export const answers = {
  type: 'reply',
  params: ({ context, event }: Args): ReplyParams => ({
    replyTo: event.meta.replyTo,
    body: { ok: true, state: context.verdict?.state ?? 'unknown' },
  }),
} as const;

export const refuses = {
  type: 'reply',
  params: ({ context, event }: Args): ReplyParams => {
    const message = `backend ${context.name} is disabled: enable it first`;
    const refusal = { code: 'refused', rule: 'HE-8', message } as const;
    return { replyTo: event.meta.replyTo, body: { ok: false, refusal } };
  },
} as const;

export const knowsNothing = {
  type: 'reply',
  params: ({ context, event }: Args): ReplyParams => {
    const message = `no backend is called ${context.name}: see "switchyard get backends"`;
    const refusal = { code: 'not-found', rule: 'HE-8', message } as const;
    return { replyTo: event.meta.replyTo, body: { ok: false, refusal } };
  },
} as const;

/** What the operator's own check asks, and who wants to know. */
export interface TestParams {
  readonly replyTo: string | undefined;
  readonly address: string;
  readonly probe: NonNullable<BackendSpec['probe']>;
}

export const tests = {
  type: 'testProbe',
  params: ({ context, event }: Args): TestParams => {
    const { address, probe } = specOf(context);
    assert(probe !== undefined, `backend ${context.name} has nothing to probe`);
    return { replyTo: event.meta.replyTo, address, probe };
  },
} as const;

export const hasNoCheck = {
  type: 'reply',
  params: ({ context, event }: Args): ReplyParams => {
    const message = `backend ${context.name} has no health check: it counts as up`;
    const refusal = { code: 'refused', rule: 'HE-13', message } as const;
    return { replyTo: event.meta.replyTo, body: { ok: false, refusal } };
  },
} as const;

export const hears = {
  type: 'tellHearing',
  params: ({ context }: Args): SuspicionMessage => hearingOf(context.name, context.doubt),
} as const;

export const leaves = {
  type: 'tellHearing',
  params: ({ context: { name } }: Args): SuspicionMessage => ({
    type: 'hearing.level',
    backend: name,
    hearing: 'gone',
    doubts: false,
    round: 0,
  }),
} as const;

/** To the book, which answers the operator. */
export const orders = {
  type: 'orderOverride',
  params: ({ context, event }: Args) => {
    assert('forMs' in event, `${event.type} is no verb`);
    return orderOfVerb(context, event, event.meta.replyTo);
  },
} as const;

export const yields = {
  type: 'orderOverride',
  params: ({ context }: Args) => yieldsIn(context),
} as const;

export const dismisses = {
  type: 'orderOverride',
  params: ({ context }: Args) => dismissalIn(context),
} as const;
