/** The peer table's work in nact: one thread, functions as actors. */
import { type ActorSystemRef, dispatch, type Ref, spawn, start, stop } from 'nact';
import type { Outcome, Params } from '../runtime/probe.js';
import { param } from '../runtime/probe.js';
import { heldBytes, rateOf } from './measure.js';

type Counting = Ref<number>;

export async function ring(params: Params): Promise<Outcome> {
  const size = param(params, 'size');
  const system = start();
  let arrived = (): void => undefined;
  const actors: Counting[] = Array.from({ length: size }, (_, index) =>
    spawn(
      system,
      (seen: number, left: number) => {
        const next = actors[(index + 1) % size];
        if (left === 0 || next === undefined) arrived();
        else dispatch(next, left - 1);
        return seen + 1;
      },
      `relay-${index}`,
      { initialState: 0 },
    ),
  );
  const [first] = actors;
  const run = (hops: number): Promise<void> =>
    new Promise((resolve) => {
      arrived = resolve;
      if (first !== undefined) dispatch(first, hops);
    });
  const perS = await rateOf(params, run);
  stop(system);
  return { perS };
}

export async function spawning(params: Params): Promise<Outcome> {
  const system = start();
  const perS = await rateOf({ ...params, hops: param(params, 'actors') }, async (count) => {
    spawnMany(system, count);
  });
  stop(system);
  return { perS };
}

export async function bytes(params: Params): Promise<Outcome> {
  const system = start();
  const held = await heldBytes(param(params, 'actors'), (count) => spawnMany(system, count));
  stop(system);
  return { bytes: held };
}

let spawned = 0;

/** By name: without one nact draws a random number of 32 bits for it, which meets itself. */
function spawnMany(system: ActorSystemRef, count: number): void {
  for (let made = 0; made < count; made += 1) {
    spawned += 1;
    spawn(system, (seen: number, _: number) => seen + 1, `idle-${spawned}`, { initialState: 0 });
  }
}
