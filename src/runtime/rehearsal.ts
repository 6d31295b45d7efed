/**
 * A rehearsal: before an empty house, a thread that waits for its task plays what it will have to do at
 * once when the task comes. Cells decide, are stored, loaded again by the hundreds and started, so that
 * the code of all this is known to the compiler: a thread that has rehearsed brings its actors back
 * several times as fast as one that has not.
 *
 * Nothing leaves it: effects do nothing, messages find nobody, what is stored is forgotten.
 */
import { fail, ok } from '../../machines/model/result.js';
import type { Clock, Ids, Random } from '../ports/clock.js';
import { joinLines, type PackedCell, packEach, unpackLines } from '../ports/packed.js';
import type { Committed, StoredCell } from '../ports/store.js';
import type { ActorType, EffectTable } from './actor-type.js';
import type { Envelope } from './envelope.js';
import { createHost, type Host } from './host.js';
import type { CellStore } from './kernel.js';
import { createPlacement } from './placement.js';

export interface Scene {
  readonly types: readonly ActorType[];
  /** What makes the first cells decide and be stored. */
  readonly opening: readonly Envelope[];
  /** Whose rows are loaded again and again. */
  plays(address: string): boolean;
  /** The text of their rows as rows of others of their kind: `take` counts from 1. */
  again(rows: string, take: number): string;
  /** What each loaded cell is sent. */
  ask(cell: StoredCell): Envelope;
}

export interface House {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
  /** The task has come: the rest is left out. */
  isOver(): boolean;
}

/** Cells that one round loads, at least, and rounds: what the compiler wants to see before it believes. */
const CELLS = 3_000;
const ROUNDS = 4;

export async function rehearse(scene: Scene, house: House): Promise<void> {
  const rows = await firstRows(scene, house);
  if (rows.length === 0) return;
  const text = rows.join('\n');
  const takes = Math.ceil(CELLS / rows.length);
  for (let round = 0; round < ROUNDS && !house.isOver(); round += 1) {
    const texts = Array.from({ length: takes }, (_, take) =>
      joinLines(scene.again(text, take + 1).split('\n')),
    );
    await play(scene, house, texts);
  }
}

/** The opening, and the last row of each cell that was stored by it. */
async function firstRows(scene: Scene, house: House): Promise<readonly string[]> {
  const rows = new Map<string, string>();
  const host = hostOf(scene, house, {
    load: async () => ok([]),
    keep: (cell) => scene.plays(cell[0]) && rows.set(cell[0], lineOf(cell)),
  });
  await host.start();
  for (const envelope of scene.opening) host.send(envelope);
  await settled(house);
  await host.stop();
  return [...rows.values()];
}

async function play(scene: Scene, house: House, texts: readonly string[]): Promise<void> {
  let cells: readonly StoredCell[] = [];
  const load = async () => {
    cells = texts.flatMap(unpackLines);
    return ok(cells);
  };
  const host = hostOf(scene, house, { load, keep: () => undefined });
  await host.start();
  for (const cell of cells) host.send(scene.ask(cell));
  await settled(house);
  await host.stop();
}

/** Turns of the event loop that a scene has; each runs what waits, a bounded number of actors at a time. */
const TURNS = 24;

async function settled({ clock, isOver }: House): Promise<void> {
  for (let turn = 0; turn < TURNS && !isOver(); turn += 1) await new Promise<void>(clock.soon);
}

interface Stage {
  readonly load: CellStore['load'];
  keep(cell: PackedCell): unknown;
}

/** As a shard is called: placed by name, as its cells are. */
const THREAD = 'shard-0';

function hostOf(scene: Scene, { clock, ids, random }: House, stage: Stage): Host {
  return createHost({
    thread: THREAD,
    incarnation: 1,
    types: scene.types.map(inert),
    services: [],
    placement: createPlacement(1),
    clock,
    ids,
    random,
    log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    metrics: { count: nothing, gauge: nothing, observe: nothing },
    store: storeOf(stage),
    ports: {},
    remote: { send: () => false, reply: nothing },
    generation: () => 1,
  });
}

function storeOf({ load, keep }: Stage): CellStore {
  return {
    load,
    loadFamily: async () => fail({ code: 'unavailable', message: 'nothing is stored' }),
    commit: (decisions) =>
      packEach(decisions, async (packed) =>
        packed.map(([id, , , , , , , , cell, spawns]) => {
          for (const row of spawns) keep(row);
          if (cell !== null) keep(cell);
          return ok<Committed>({ id, outboxSeq: 0, journalSeq: 0 });
        }),
      ),
  };
}

/** The same machine, with nobody behind it. */
function inert({ companion: _, dispose: __, effects, ...type }: ActorType): ActorType {
  const rows = Object.entries(effects).map(([name, row]) => [name, { ...row, perform: nothing }]);
  return { ...type, effects: Object.fromEntries(rows) as EffectTable<unknown, unknown> };
}

function lineOf([...row]: PackedCell): string {
  const [value, context, timers] = row.slice(7);
  return `[${JSON.stringify(row.slice(0, 7)).slice(1, -1)},${value},${context},${timers}]`;
}

function nothing(): void {}
