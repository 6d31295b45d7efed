/**
 * The block actor: the books of some addresses of a pool, beside the pool. Its row is the list of its
 * allocations, which no configuration can derive again.
 */
import {
  type BlockAnswer,
  type BlockMemory,
  blockMachine,
  blockShape,
  newBlock,
} from '../machines/block.js';
import { addressOf } from '../machines/model/ids.js';
import type { Message } from '../machines/model/messages.js';
import { type ActorType, observed, oncePerFleet, type World } from '../src/runtime/actor-type.js';

function tell({ letters }: BlockAnswer, { scope }: World<unknown, unknown>): void {
  for (const { to, message } of letters) scope.tell(to, message as Message);
}

export const blockActor: ActorType = {
  kind: 'block',
  machine: blockMachine,
  version: 1,
  stored: true,
  implicit: true,
  attachedTo: (address) => addressOf('pool', newBlock(address).pool),
  effects: {
    answerDecided: oncePerFleet(tell),
    answer: observed(tell),
  },
  view: ({ context }) => blockShape(context as unknown as BlockMemory),
};
