/**
 * The peer table: the same work by other actor systems, in the same run. A row compares us with one
 * peer and only informs: what they leave out (state, timers, supervision, a store) differs too much for
 * a must. What a peer cannot do has no row, nor has a peer that is not installed.
 */
import { createRequire } from 'node:module';
import { type BenchRow, median, rowOf } from '../rows.js';
import {
  each,
  interleaved,
  type Lab,
  type Outcome,
  type Params,
  type Probe,
  param,
  type Section,
  type Variant,
} from '../runtime/probe.js';
import { erlangIsHere, erlangProbes, type Question, questionNumber } from './erlang.js';
import { rateOf } from './measure.js';
import { createRelays } from './relay.js';

/** One kind of work: how each of us does it. */
interface Work {
  readonly id: Question;
  readonly what: string;
  readonly unit: string;
  readonly field: 'perS' | 'bytes';
  readonly ours: Variant;
  readonly peers: Readonly<Record<string, Variant>>;
}

const ROUNDS = { tiny: 1, full: 3 };

function worksOf(full: boolean): readonly Work[] {
  const hops = (size: number, count: number): Params => ({ size, hops: full ? count : 200 });
  const actors = (count: number): Params => ({ actors: full ? count : 50 });
  const weighed = (count: number): Params => ({ actors: full ? count : 1_000 });
  const notes = full ? 150_000 : 200;
  const rates = { unit: '1/s', field: 'perS' } as const;
  return [
    {
      ...rates,
      id: 'ring',
      what: 'hops of one message through a ring of 1,000 actors',
      ours: { probe: 'ours-ring', params: hops(1_000, 1_000_000) },
      peers: {
        nact: { probe: 'nact-ring', params: hops(1_000, 300_000) },
        comedy: { probe: 'comedy-ring', params: hops(1_000, 200_000) },
      },
    },
    {
      ...rates,
      id: 'pingpong',
      what: 'messages between two actors of one thread',
      ours: { probe: 'ours-ring', params: hops(2, 1_000_000) },
      peers: {
        nact: { probe: 'nact-ring', params: hops(2, 300_000) },
        comedy: { probe: 'comedy-ring', params: hops(2, 200_000) },
      },
    },
    {
      ...rates,
      id: 'spawn',
      what: 'actors brought to life, ours stored and with a timer',
      ours: { probe: 'spawn-cells', params: actors(100_000) },
      peers: {
        nact: { probe: 'nact-spawn', params: actors(50_000) },
        comedy: { probe: 'comedy-spawn', params: actors(5_000) },
      },
    },
    {
      id: 'bytes',
      what: 'bytes of an idle actor, ours with its state and a timer',
      unit: 'B',
      field: 'bytes',
      ours: { probe: 'memory-cells', params: weighed(100_000) },
      peers: {
        nact: { probe: 'nact-bytes', params: weighed(50_000) },
        comedy: { probe: 'comedy-bytes', params: weighed(5_000) },
      },
    },
    {
      ...rates,
      id: 'oneway',
      what: 'messages of 6+5 fields to an actor of another thread',
      ours: { probe: 'one-way', params: { notes, runs: full ? 5 : 1, link: 1 } },
      peers: { comedy: { probe: 'comedy-one-way', params: { hops: full ? 20_000 : 200 } } },
    },
  ];
}

/** A section for each kind of work. */
export const peerSections: readonly Section[] = worksOf(true).map(({ id }) => ({
  ids: [`peer-${id}`],
  rows: (lab) => rowsOf(lab, id),
}));

async function rowsOf(lab: Lab, id: Question): Promise<readonly BenchRow[]> {
  const full = lab.scale === 'full';
  const work = worksOf(full).find((one) => one.id === id);
  if (work === undefined) return [];
  const { ours, peers, field, what, unit } = work;
  const erlang = {
    probe: 'erlang',
    params: { question: questionNumber(id), full: full ? 1 : 0 },
  };
  const all: Readonly<Record<string, Variant>> = {
    ...Object.fromEntries(Object.entries(peers).filter(([name]) => isInstalled(name))),
    ...(erlangIsHere() ? { erlang } : {}),
  };
  const variants: Readonly<Record<string, Variant>> = { ...all, ours };
  const measured = await interleaved(lab, ROUNDS[lab.scale], variants);
  const of = (name: string): number => median(each(measured[name] ?? [], field));
  return Object.keys(all).map((peer) =>
    rowOf(
      {
        id: `peer-${id}-${peer}`,
        question: `${what}, against ${peer}`,
        unit,
        value: of('ours'),
        baseline: of(peer),
      },
      lab.scale,
    ),
  );
}

/** They are dependencies of the development only. */
function isInstalled(name: string): boolean {
  try {
    return require.resolve(name) !== '';
  } catch {
    return false;
  }
}

const require = createRequire(import.meta.url);

export const peerProbes: Readonly<Record<string, Probe>> = {
  ...erlangProbes,
  'ours-ring': oursRing,
  'nact-ring': async (params) => (await nact()).ring(params),
  'nact-spawn': async (params) => (await nact()).spawning(params),
  'nact-bytes': async (params) => (await nact()).bytes(params),
  'comedy-ring': async (params) => (await comedy()).ring(params),
  'comedy-spawn': async (params) => (await comedy()).spawning(params),
  'comedy-bytes': async (params) => (await comedy()).bytes(params),
  'comedy-one-way': async (params) => (await comedy()).oneWay(params),
};

const nact = () => import('./nact.js');
const comedy = () => import('./comedy.js');

async function oursRing(params: Params): Promise<Outcome> {
  const ring = await createRelays(param(params, 'size'));
  const perS = await rateOf(params, ring.run);
  await ring.stop();
  return { perS };
}
