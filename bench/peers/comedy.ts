/**
 * The peer table's work in comedy: actors in this thread, and one in a thread of its own. Its messages are
 * not answered in order, so what was sent is asked for until all of it has come.
 */
import { type ActorRef, createSystem } from 'comedy';
import { type Outcome, type Params, param } from '../runtime/probe.js';
import { heldBytes, rateOf } from './measure.js';

/** `test`: no banner, no handlers of the process's own signals. */
const QUIETLY = { test: true, loggerConfiguration: { categories: { default: 'Silent' } } };

export async function ring(params: Params): Promise<Outcome> {
  const size = param(params, 'size');
  const system = createSystem(QUIETLY);
  const root = await system.rootActor();
  const actors: ActorRef[] = [];
  let arrived = (): void => undefined;
  for (let index = 0; index < size; index += 1) {
    const hop = (left: number): Promise<void> | undefined => {
      const next = actors[(index + 1) % size];
      if (left > 0 && next !== undefined) return next.send('hop', left - 1);
      arrived();
      return undefined;
    };
    actors.push(await root.createChild({ hop }));
  }
  const perS = await rateOf(
    params,
    (hops) =>
      new Promise((resolve) => {
        arrived = resolve;
        void actors[0]?.send('hop', hops);
      }),
  );
  await system.destroy();
  return { perS };
}

export async function spawning(params: Params): Promise<Outcome> {
  const system = createSystem(QUIETLY);
  const root = await system.rootActor();
  const perS = await rateOf({ ...params, hops: param(params, 'actors') }, (count) =>
    spawnMany(root, count),
  );
  await system.destroy();
  return { perS };
}

export async function bytes(params: Params): Promise<Outcome> {
  const system = createSystem(QUIETLY);
  const root = await system.rootActor();
  const held = await heldBytes(param(params, 'actors'), (count) => spawnMany(root, count));
  await system.destroy();
  return { bytes: held };
}

type Parent = Awaited<ReturnType<ReturnType<typeof createSystem>['rootActor']>>;

async function spawnMany(root: Parent, count: number): Promise<void> {
  for (let made = 0; made < count; made += 1) {
    await root.createChild({ hop: () => undefined });
  }
}

interface Note {
  readonly latencyUs: number;
}

/** It crosses threads as source text: nothing around it may be used within. */
const SUMMING = {
  initialize: function (this: { total: number }) {
    this.total = 0;
  },
  note: function (this: { total: number }, note: Note) {
    this.total += note.latencyUs;
  },
  sum: function (this: { total: number }) {
    return this.total;
  },
};

export async function oneWay(params: Params): Promise<Outcome> {
  const system = createSystem(QUIETLY);
  const root = await system.rootActor();
  const far = await root.createChild(SUMMING, { mode: 'threaded' });
  let expected = 0;
  const perS = await rateOf(params, async (notes) => {
    for (let latencyUs = 1; latencyUs <= notes; latencyUs += 1) {
      void far.send('note', {
        latencyUs,
        code: 'L7OK',
        address: '10.0.0.21',
        port: 8080,
        up: true,
      });
    }
    expected += (notes * (notes + 1)) / 2;
    while ((await far.sendAndReceive('sum')) !== expected);
  });
  await system.destroy();
  return { perS };
}
