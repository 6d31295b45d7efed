/**
 * A small world for one group: its machines (group-cells.ts), scripted neighbours
 * (group-neighbours.ts) and the laws they must keep (group-laws.ts), on virtual time.
 *
 * Input:  a spec, a seed, faults by name. Output: what every neighbour saw, and the first broken law.
 * The same seed and the same script are the same history.
 */
import type { GroupMemory } from '../../machines/group-memory.js';
import type { InstanceMemory } from '../../machines/instance-memory.js';
import { assert } from '../../machines/model/assert.js';
import type { GroupSpec } from '../../machines/model/desired.js';
import { addressOf, kindOf } from '../../machines/model/ids.js';
import type { Json } from '../../machines/model/json.js';
import { type Cells, createCells, type Host } from './group-cells.js';
import { createLaws } from './group-laws.js';
import { createNeighbours } from './group-neighbours.js';
import type { Cast, Faults, GroupWorld, Recorded } from './group-types.js';

const HOP_MS = 1;
/** Real frontends' acknowledgements: some come late, some twice. */
const STRAY_SHARE = 0.3;
const STRAY_MS = 60_000;
/** Far more than any healthy history takes. */
const STEPS_MAX = 20_000;

export function createGroupWorld(spec: GroupSpec, seed: number, cast?: Cast): GroupWorld {
  const random = randomOf(seed);
  const time = createTime();
  const records: Recorded[] = [];
  const replies: Record<string, Json> = {};
  const faults: Faults = { loss: 0, unavailable: 0, quota: 0, storeDown: false };
  const groupAddress = addressOf('group', spec.key);
  const isReal = cast === 'real';
  let life = 1;
  let steps = 0;

  const inThisLife = (run: () => void): (() => void) => {
    const born = life;
    return () => {
      if (born === life) run();
    };
  };
  const host: Host = {
    now: time.now,
    chance: random,
    later: (delayMs, run) => time.later(delayMs, inThisLife(run)),
    send: (to, message) => {
      if (random() < faults.loss) return;
      const strays = isReal && message.type === 'member.acknowledged' && random() < STRAY_SHARE;
      if (strays) time.later(random() * STRAY_MS, () => world.tell(to, { ...message }));
      if (!strays || random() < STRAY_SHARE) world.tell(to, { ...message });
    },
    reply: (replyTo, body) => {
      if (replyTo !== undefined) replies[replyTo] = body;
    },
    recorded: (actor, record) => void records.push({ ...record, atMs: time.now(), actor }),
    stepped: (actor, spawned) => {
      steps += 1;
      assert(steps < STEPS_MAX, 'a history of one group must not run hot');
      laws.afterStep(actor, spawned);
    },
    storeDown: () => faults.storeDown,
  };
  const cells = createCells(host);

  const world: GroupWorld = {
    faults,
    records,
    replies,
    neighbours: createNeighbours(() => world, spec, cast),
    now: time.now,
    chance: random,
    later: time.later,
    run: time.run,
    tell: (to, message, ask) => {
      const kind = kindOf(to);
      const always = ['group', 'instance', 'agent', 'override'].includes(kind);
      const ours = always || (kind === 'frontend' && isReal);
      if (ours) return host.later(HOP_MS, () => cells.deliver(to, message, ask));
      time.later(HOP_MS, () => world.neighbours.receive(to, message));
    },
    answer: (to, message) => {
      if (random() >= faults.loss) host.later(HOP_MS, () => cells.deliver(to, message));
    },
    crash: () => {
      life += 1;
      cells.restart();
      world.neighbours.startOver();
      for (const frontend of spec.frontends) {
        world.tell(groupAddress, { type: 'publish.request', frontend });
      }
    },
    group: () => cells.contextOf(groupAddress) as unknown as GroupMemory,
    instances: () => instancesOf(cells),
    chartOf: (address) => JSON.stringify(cells.valueOf(address)),
    timerOf: (address, name) => [...cells.timersOf(address)].find(([id]) => id.includes(name))?.[1],
  };
  const laws = createLaws(world, spec.frontends);
  return world;
}

function instancesOf(cells: Cells): readonly InstanceMemory[] {
  return cells
    .addresses()
    .filter((address) => kindOf(address) === 'instance')
    .map((address) => cells.contextOf(address) as unknown as InstanceMemory);
}

interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** Virtual time: what is due runs in order of its time, then of its making. */
function createTime() {
  const waiting: Due[] = [];
  let nowMs = 1_700_000_000_000;
  let order = 0;
  const next = (endMs: number): Due | undefined => {
    let first: Due | undefined;
    for (const due of waiting) {
      const sooner = first === undefined || due.atMs < first.atMs;
      if (due.atMs <= endMs && (sooner || (due.atMs === first?.atMs && due.order < first.order))) {
        first = due;
      }
    }
    if (first !== undefined) waiting.splice(waiting.indexOf(first), 1);
    return first;
  };
  return {
    now: (): number => nowMs,
    later: (delayMs: number, run: () => void): void => {
      waiting.push({ atMs: nowMs + delayMs, order: order++, run });
    },
    run: (forMs: number): void => {
      const endMs = nowMs + forMs;
      for (let due = next(endMs); due !== undefined; due = next(endMs)) {
        nowMs = due.atMs;
        due.run();
      }
      nowMs = endMs;
    },
  };
}

/** A small seeded generator (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
