/**
 * The identity actor: one for each instance whose agent has registered. A key is bound before it is told
 * so; that it is refused needs no record.
 */
import {
  type IdentityAnswer,
  type IdentityMemory,
  identityMachine,
  type WatchParams,
} from '../machines/identity.js';
import { addressOf } from '../machines/model/ids.js';
import { timestamp } from '../machines/model/time.js';
import { type ActorType, durable, observed, type World } from '../src/runtime/actor-type.js';

type AnyWorld = World<unknown, unknown>;

function answer({ replyTo, body }: IdentityAnswer, { scope }: AnyWorld): void {
  scope.reply(replyTo, body);
}

export const identityActor: ActorType = {
  kind: 'identity',
  machine: identityMachine,
  version: 1,
  stored: true,
  implicit: true,
  effects: {
    watchInstance: observed<WatchParams>(({ instance }, { scope }) => {
      scope.watch(addressOf('instance', instance));
    }),
    agree: durable<IdentityAnswer>(answer),
    answer: observed<IdentityAnswer>(answer),
  },
  view: ({ context, value }) => {
    const { instance, key, sinceMs, contested } = context as unknown as IdentityMemory;
    return { id: instance, state: value, key, since: timestamp(sinceMs), contested };
  },
  isShown: ({ value }) => value !== 'unbound',
};
