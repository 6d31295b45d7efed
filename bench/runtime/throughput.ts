/**
 * G2, G3: statechart events per second in one thread, through mailboxes. A sweep sends one event of the
 * cycle to each of 10,000 actors, in order, and ends when all have handled it; sweeps go on for a
 * fixed time. Ours: tell, mailbox, turn, step, effect. Baseline: `actor.send` on live XState actors.
 */
import { createLiveActors } from '../baselines/live-actors.js';
import { type BenchRow, median, ratioAtLeast, rowOf } from '../rows.js';
import { createCellWorld } from './cells.js';
import { timed } from './cycles.js';
import { each, interleaved, type Lab, type Outcome, type Params, param } from './probe.js';

export const throughputSection = { ids: ['G2', 'G3'], rows: throughputRows };

const SIZES = {
  tiny: { rounds: 1, actors: 50, warmUpCycles: 1, warmUpMs: 0, budgetMs: 0 },
  full: { rounds: 5, actors: 10_000, warmUpCycles: 3, warmUpMs: 1_500, budgetMs: 1_500 },
};

async function throughputRows(lab: Lab): Promise<readonly BenchRow[]> {
  const { rounds, ...params } = SIZES[lab.scale];
  const { compiled, generic, live, stored } = await interleaved(lab, rounds, {
    compiled: { probe: 'events-cells', params: { ...params, generic: 0, stored: 0 } },
    generic: { probe: 'events-cells', params: { ...params, generic: 1, stored: 0 } },
    stored: { probe: 'events-cells', params: { ...params, generic: 0, stored: 1 } },
    live: { probe: 'events-live', params },
  });
  const baseline = median(each(live, 'perS'));
  const what = `statechart events through mailboxes, ${params.actors} actors`;
  const common = { unit: 'events/s', baseline };
  return [
    rowOf(
      {
        ...common,
        id: 'G2',
        question: `${what}, compiled, against actor.send`,
        value: median(each(compiled, 'perS')),
        must: ratioAtLeast(10),
        stretch: ratioAtLeast(15),
      },
      lab.scale,
    ),
    rowOf(
      {
        ...common,
        id: 'G3',
        question: `${what}, generic, against actor.send`,
        value: median(each(generic, 'perS')),
        must: ratioAtLeast(1.5),
      },
      lab.scale,
    ),
    rowOf(
      {
        ...common,
        id: 'G2-stored',
        question: `${what}, compiled, each change of state a decision (store in memory)`,
        value: median(each(stored, 'perS')),
      },
      lab.scale,
    ),
  ];
}

export const throughputProbes = { 'events-cells': cellEvents, 'events-live': liveEvents };

async function cellEvents(params: Params): Promise<Outcome> {
  const kind = param(params, 'stored') === 1 ? 'instance' : 'backend';
  const path = param(params, 'generic') === 1 ? 'generic' : 'compiled';
  const world = await createCellWorld({ path });
  await world.spawn(kind, param(params, 'actors'));
  const addresses = world.addresses(kind);
  const outcome = await timed(params, {
    sweep: (type) => {
      for (const to of addresses) world.host.tell(to, { type, at: Date.now() } as never, 'bench');
      return world.settled();
    },
    totals: () => world.totals(kind),
  });
  await world.host.stop();
  return outcome;
}

async function liveEvents(params: Params): Promise<Outcome> {
  const live = createLiveActors();
  live.spawn(param(params, 'actors'));
  const { children } = live;
  const outcome = await timed(params, {
    sweep: (type) => {
      for (const child of children) child.send({ type, at: Date.now() } as never);
    },
    totals: live.totals,
  });
  live.stop();
  return outcome;
}
