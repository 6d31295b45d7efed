/**
 * The override actor, beside the object it overrides: in its thread, and its child in the store, so that
 * the object starts with the overrides that stand and not without.
 */

import { type Address, keyOf } from '../machines/model/ids.js';
import {
  bookShape,
  type LevelTo,
  type OverrideAnswer,
  type OverrideMemory,
  overrideMachine,
} from '../machines/override.js';
import { type ActorType, durable, observed, type World } from '../src/runtime/actor-type.js';

type Any = World<unknown, unknown>;

function tell({ to, message }: LevelTo, { scope }: Any): void {
  scope.tell(to, message);
}

function answer({ replyTo, body }: OverrideAnswer, { scope }: Any): void {
  scope.reply(replyTo, body);
}

export const overrideActor: ActorType = {
  kind: 'override',
  machine: overrideMachine,
  version: 1,
  stored: true,
  implicit: true,
  attachedTo: (address) => keyOf(address) as Address,
  effects: {
    tellObject: durable(tell),
    tellAgain: observed(tell),
    agree: durable(answer),
    answer: observed(answer),
  },
  isShown: ({ value }) => value === 'holding',
  view: ({ context }) => {
    const memory = context as unknown as OverrideMemory;
    return { name: memory.object, object: memory.object, overrides: bookShape(memory) };
  },
};
