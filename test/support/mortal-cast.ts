/**
 * Actors that end their thread in every way there is, beside actors that count and remember nothing
 * beyond their thread's life: whoever still has its count was not touched.
 */
import { writeFileSync } from 'node:fs';
import { assign, setup } from 'xstate';
import { effect } from '../../machines/model/effects.js';
import type { ActorKind, Address } from '../../machines/model/ids.js';
import type { Json } from '../../machines/model/json.js';
import type { Message } from '../../machines/model/messages.js';
import type { Cast } from '../../src/app/roles.js';
import { type ActorType, observed } from '../../src/runtime/actor-type.js';

/** Messages to a mortal. */
export const die = (way: WayToDie, file?: string): Message =>
  ({ type: 'die', way, ...(file !== undefined && { file }) }) as Message;
/** Holds its thread for a while and goes on. */
export const spin = (slices: number): Message => ({ type: 'spin', slices }) as Message;
export const watch = (address: Address): Message => ({ type: 'watch', address }) as Message;

export const WAYS_TO_DIE = ['throw', 'reject', 'exit', 'memory', 'hang'] as const;
export type WayToDie = (typeof WAYS_TO_DIE)[number];

interface Downs {
  readonly address: string;
  readonly incarnation: number;
  readonly reason: string;
}

type MortalEvent =
  | { readonly type: 'count' }
  | { readonly type: 'peek'; readonly meta: { readonly replyTo?: string } }
  | { readonly type: 'ignore' }
  | { readonly type: 'die'; readonly way: WayToDie; readonly file?: string }
  | { readonly type: 'spin'; readonly slices: number }
  | { readonly type: 'watch'; readonly address: Address }
  | ({ readonly type: 'down' } & Downs);

interface MortalContext {
  readonly count: number;
  readonly downs: readonly Downs[];
}

const mortal = setup({
  types: { context: {} as MortalContext, events: {} as MortalEvent },
  actions: {
    count: assign({ count: ({ context }) => context.count + 1 }),
    mourn: assign({
      downs: ({ context, event }) =>
        event.type === 'down'
          ? [
              ...context.downs,
              { address: event.address, incarnation: event.incarnation, reason: event.reason },
            ]
          : context.downs,
    }),
    answer: effect<{ readonly replyTo: string | undefined; readonly body: Json }>(),
    die: effect<{ readonly way: WayToDie; readonly file: string | undefined }>(),
    spin: effect<{ readonly slices: number }>(),
    watch: effect<{ readonly address: Address }>(),
  },
}).createMachine({
  id: 'mortal',
  context: { count: 0, downs: [] },
  on: {
    count: { actions: 'count' },
    peek: {
      actions: {
        type: 'answer',
        params: ({ context, event }) => ({
          replyTo: event.meta.replyTo,
          body: context as unknown as Json,
        }),
      },
    },
    ignore: {},
    die: {
      actions: {
        type: 'die',
        params: ({ event }) => ({ way: event.way, file: event.file }),
      },
    },
    spin: { actions: { type: 'spin', params: ({ event }) => ({ slices: event.slices }) } },
    watch: { actions: { type: 'watch', params: ({ event }) => ({ address: event.address }) } },
    down: { actions: 'mourn' },
  },
});

/** None of it returns to whoever asked for it. */
function end(way: WayToDie, file: string | undefined): void {
  if (file !== undefined) writeFileSync(file, 'dying', { flag: 'a' });
  if (way === 'throw') {
    setImmediate(() => {
      throw new Error('thrown outside of any actor');
    });
  } else if (way === 'reject') void Promise.reject(new Error('rejected, and nobody listens'));
  else if (way === 'exit') process.exit(7);
  else if (way === 'memory') hoard();
  else for (;;) if (Date.now() < 0) return;
}

/** In slices of 10 ms: while the process is stopped no more than one of them passes. */
function spinFor(slices: number): void {
  for (let slice = 0; slice < slices; slice += 1) {
    const until = performance.now() + 10;
    while (performance.now() < until);
  }
}

function hoard(): void {
  const kept: number[][] = [];
  for (;;) kept.push(Array.from({ length: 100_000 }, (_, index) => index));
}

function mortalType(kind: ActorKind): ActorType {
  return {
    kind,
    machine: mortal,
    version: 1,
    stored: false,
    implicit: true,
    effects: {
      answer: observed<{ replyTo: string | undefined; body: Json }>(({ replyTo, body }, world) =>
        world.scope.reply(replyTo, body),
      ),
      die: observed<{ way: WayToDie; file: string | undefined }>(({ way, file }) => end(way, file)),
      spin: observed<{ slices: number }>(({ slices }) => spinFor(slices)),
      watch: observed<{ address: Address }>(({ address }, { scope }) => scope.watch(address)),
    },
    view: ({ address }) => ({ address }),
  };
}

/** `kinds`: those that are placed where this runs. */
export function mortalCast(kinds: readonly ActorKind[]): Cast {
  return { types: kinds.map(mortalType), services: [] };
}
