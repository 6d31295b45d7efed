/**
 * A rehearsal: before an empty house, a thread that waits for its task plays what it will have to do at
 * once when the task comes. Cells decide, are stored, loaded again by the hundreds and started, so that
 * the code of all this is known to the compiler: a thread that has rehearsed brings its actors back
 * several times as fast as one that has not.
 *
 * Nothing leaves it: effects do nothing, messages find nobody, what is stored is forgotten.
 */
import type { Clock, Ids, Random } from '../ports/clock.js';
import type { CellLine, PackedCell } from '../ports/packed.js';
import type { StoredCell } from '../ports/store.js';
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
  /** The way to a store, as a task has it, with nothing behind it but this. */
  open(played: Played): Stage;
}

/** What is loaded, ascending by address, and who is told what is stored. */
export interface Played {
  lines(): readonly CellLine[];
  keep(cell: PackedCell): void;
}

export interface Stage {
  readonly store: CellStore;
  close(): Promise<void>;
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
    const lines = Array.from({ length: takes }, (_, take) =>
      scene
        .again(text, take + 1)
        .split('\n')
        .map((row): CellLine => [addressIn(row), row]),
    );
    await play(scene, house, lines.flat());
  }
}

/** The opening, and the last row of each cell that was stored by it. */
async function firstRows(scene: Scene, house: House): Promise<readonly string[]> {
  const rows = new Map<string, string>();
  const keep = (cell: PackedCell): void => {
    if (scene.plays(cell[0])) rows.set(cell[0], lineOf(cell));
  };
  await staged(scene, house, {
    played: { lines: () => NO_LINES, keep },
    sent: () => scene.opening,
  });
  return [...rows.values()];
}

async function play(scene: Scene, house: House, lines: readonly CellLine[]): Promise<void> {
  await staged(scene, house, {
    played: { lines: () => (house.isOver() ? NO_LINES : lines), keep: nothing },
    sent: (cells) => cells.map(scene.ask),
  });
}

const NO_LINES: readonly CellLine[] = [];

interface Act {
  readonly played: Played;
  /** Once all are there. */
  sent(cells: readonly StoredCell[]): readonly Envelope[];
}

async function staged(scene: Scene, house: House, { played, sent }: Act): Promise<void> {
  const stage = house.open(played);
  const cells: StoredCell[] = [];
  const host = hostOf(scene, house, seenBy(stage.store, cells));
  await host.start();
  for (const envelope of sent(cells)) host.send(envelope);
  await settled(house);
  await host.stop();
  await stage.close();
}

/** The same store; what is loaded is noted. */
function seenBy(store: CellStore, cells: StoredCell[]): CellStore {
  return {
    load: (kinds, take) =>
      store.load(kinds, (rows) => {
        cells.push(...rows);
        take?.(rows);
      }),
    loadFamily: (address) => store.loadFamily(address),
    commit: (decisions) => store.commit(decisions),
  };
}

/** Turns of the event loop that a scene has; each runs what waits, a bounded number of actors at a time. */
const TURNS = 24;

async function settled({ clock, isOver }: House): Promise<void> {
  for (let turn = 0; turn < TURNS && !isOver(); turn += 1) await new Promise<void>(clock.soon);
}

/** As a shard is called: placed by name, as its cells are. */
const THREAD = 'shard-0';

function hostOf(scene: Scene, { clock, ids, random }: House, store: CellStore): Host {
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
    store,
    ports: {},
    remote: { send: () => false, reply: nothing },
    generation: () => 1,
  });
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

/** Every line begins with it. */
function addressIn(row: string): string {
  return row.slice(2, row.indexOf('"', 2));
}

function nothing(): void {}
