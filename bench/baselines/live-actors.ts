/**
 * The baseline of most rows: live XState actors of the very same machine, children of one root, with
 * real timers, driven by `actor.send`. All children are spawned in one assignment, which is the
 * fastest way XState has: one assignment each would copy the table of children every time.
 */
import { type ActorRefFrom, assign, createActor, setup } from 'xstate';
import { keyOf, sumOf, type Totals } from '../runtime/cells.js';
import { instanceMachine } from '../runtime/machine.js';

type Child = ActorRefFrom<typeof instanceMachine>;

export interface LiveActors {
  readonly children: readonly Child[];
  spawn(count: number): void;
  changed(): number;
  totals(): Totals;
  stop(): void;
}

/** A system stops in quadratic time: a larger one is left to the end of its process. */
const STOPPABLE = 5_000;

export function createLiveActors(): LiveActors {
  let changed = 0;
  const machine = instanceMachine.provide({
    actions: {
      changed: () => {
        changed += 1;
      },
    },
  });
  const root = createActor(rootOf(machine));
  root.subscribe({ error: (error) => console.error(error) });
  root.start();
  let children: Child[] = [];
  return {
    get children() {
      return children;
    },
    spawn: (count) => {
      root.send({ type: 'BREED', from: children.length, count });
      children = Object.values(root.getSnapshot().children) as Child[];
    },
    changed: () => changed,
    totals: () => sumOf(children.map((child) => child.getSnapshot().context)),
    stop: () => {
      if (children.length <= STOPPABLE) root.stop();
    },
  };
}

function rootOf(machine: typeof instanceMachine) {
  return setup({
    types: { events: {} as { type: 'BREED'; from: number; count: number } },
    actors: { instance: machine },
  }).createMachine({
    id: 'bench-root',
    on: {
      BREED: {
        actions: assign(({ event, spawn }) => {
          for (let index = event.from; index < event.from + event.count; index += 1) {
            const id = keyOf(index);
            const input = { address: id, providerId: `vm-${index}`, bornAt: Date.now() };
            spawn('instance', { id, input });
          }
          return {};
        }),
      },
    },
  });
}
