/**
 * The pool actor: one per address pool of the config. Its row is the list of allocations, which no
 * configuration can derive again.
 */
import { type PoolAnswer, type PoolMemory, poolMachine, poolShape } from '../machines/pool.js';
import { type ActorType, observed, oncePerFleet, type World } from '../src/runtime/actor-type.js';

function tell({ to, message }: PoolAnswer, { scope }: World<unknown, unknown>): void {
  scope.tell(to, message);
}

export const poolActor: ActorType = {
  kind: 'pool',
  machine: poolMachine,
  version: 1,
  stored: true,
  implicit: true,
  effects: {
    answerDecided: oncePerFleet(tell),
    answer: observed(tell),
  },
  view: (cell) => poolShape(cell.context as unknown as PoolMemory),
};
