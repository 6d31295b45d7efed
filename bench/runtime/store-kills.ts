/**
 * G10: how soon the instances of a killed thread serve again. A thread of stored cells decides without
 * pause; it is killed and fenced off, its successor starts on the spare thread and loads its cells, and
 * the time is over when every one of them has answered a question. This is done many times in a row.
 *
 * At the end all cells are compared with what was acknowledged, and their states, journal and outbox
 * with one another: nothing may be lost or doubled.
 */
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import Database from 'better-sqlite3';
import { atMost, type BenchRow, percentile, rowOf } from '../rows.js';
import { each, interleaved, type Lab, type Outcome, type Params, param } from './probe.js';
import { addressesOf } from './store-cell.js';
import { inFolder } from './store-folder.js';
import { openRig, type Rig } from './store-rig.js';

export const killsSection = { ids: ['G10-p50', 'G10-p99', 'G10-wrong'], rows: killsRows };

const SIZES = {
  tiny: { cells: 50, kills: 2 },
  full: { cells: 10_000, kills: 25 },
};
/** How long a shard decides before it is killed: time enough for its spare to have rehearsed. */
const DECIDING_MS = { tiny: 30, full: 2_500 };

async function killsRows(lab: Lab): Promise<readonly BenchRow[]> {
  const params = { ...SIZES[lab.scale], decidingMs: DECIDING_MS[lab.scale] };
  const { killed } = await interleaved(lab, 1, { killed: { probe: 'store-kills', params } });
  const first = (field: string): number => each(killed, field)[0] ?? Number.NaN;
  const what = `a thread of ${params.cells} stored instances is killed while it decides`;
  const served = (id: string, part: string, limitMs: number) => ({
    id,
    question: `${what}: all serve again, ${part}`,
    unit: 'ms',
    value: first(`${part}Ms`),
    must: atMost(limitMs, 'ms'),
  });
  const wrong = {
    id: 'G10-wrong',
    question: `${what}: of which anything was lost or doubled`,
    unit: 'instances',
    value: first('wrong'),
    must: atMost(0, 'instances'),
    always: true,
  };
  const rows = [served('G10-p50', 'p50', 60), served('G10-p99', 'p99', 150), wrong];
  return rows.map((measured) => rowOf(measured, lab.scale));
}

export const killsProbes = { 'store-kills': storeKills };

async function storeKills(params: Params): Promise<Outcome> {
  const [cells, kills] = [param(params, 'cells'), param(params, 'kills')];
  return await inFolder(async (folder) => {
    const file = join(folder, 'killed.db');
    const acknowledged = new SharedArrayBuffer(cells * Int32Array.BYTES_PER_ELEMENT);
    const rig = await openRig(file);
    try {
      const tookMs = await killedAgain(rig, { cells, acknowledged, kills, params });
      const stored = await storedCells(rig);
      await rig.close();
      const wrong = wrongCells(stored, new Int32Array(acknowledged), file);
      return { p50Ms: percentile(tookMs, 0.5), p99Ms: percentile(tookMs, 0.99), ...wrong };
    } finally {
      await rig.close();
    }
  });
}

interface Kills {
  readonly cells: number;
  readonly acknowledged: SharedArrayBuffer;
  readonly kills: number;
  readonly params: Params;
}

async function killedAgain(rig: Rig, { kills, params, ...of }: Kills): Promise<readonly number[]> {
  const work = { kind: 'serve', ...of } as const;
  await fill(rig, of.cells);
  const tookMs: number[] = [];
  let life = rig.launch(work);
  await life.word('served');
  while (tookMs.length < kills) {
    rig.settled();
    await pause(param(params, 'decidingMs'));
    const startedAt = performance.now();
    life.kill();
    await life.ended;
    await rig.fence();
    life = rig.launch(work);
    await life.word('served');
    tookMs.push(performance.now() - startedAt);
  }
  life.kill();
  await life.ended;
  await rig.fence();
  return tookMs;
}

/** The first decision of every cell. */
async function fill(rig: Rig, cells: number): Promise<void> {
  const life = rig.launch({ kind: 'flood', cells, depth: 1, warmUp: 0, decisions: cells });
  await life.word('flooded');
  life.kill();
  await life.ended;
  await rig.fence();
}

interface StoredCell {
  readonly version: number;
  readonly touches: unknown;
}

async function storedCells(rig: Rig): Promise<ReadonlyMap<string, StoredCell>> {
  const loaded = await rig.store.load(['instance']);
  if (!loaded.ok) throw new Error(loaded.failure.message);
  return new Map(
    loaded.value.map(({ address, version, context }) => [
      address,
      { version, touches: context['touches'] },
    ]),
  );
}

interface Told {
  readonly actor: string;
  readonly entries: number;
  readonly events: number;
}

/**
 * Cells of which an acknowledged decision is gone, or whose state, journal and outbox do not say the
 * same.
 */
function wrongCells(
  stored: ReadonlyMap<string, StoredCell>,
  acknowledged: Int32Array,
  file: string,
): Wrong {
  const told = new Map(journalOf(file).map((row) => [row.actor, row]));
  const addresses = addressesOf(acknowledged.length);
  const uneven = addresses.filter((address) => {
    const { version, touches } = stored.get(address) ?? NOTHING;
    const { entries, events } = told.get(address) ?? { entries: 0, events: 0 };
    return version !== touches || version !== entries || entries !== events;
  });
  const lost = addresses.filter(
    (address, index) => (stored.get(address) ?? NOTHING).version < (acknowledged[index] ?? 0),
  );
  const foreign = Math.abs(stored.size - acknowledged.length);
  const wrong = new Set([...uneven, ...lost]).size + foreign;
  return { wrong, uneven: uneven.length, lost: lost.length, foreign };
}

/** A type, not an interface: it is part of an outcome. */
type Wrong = {
  readonly wrong: number;
  /** State, journal and outbox do not say the same. */
  readonly uneven: number;
  /** An acknowledged decision is gone. */
  readonly lost: number;
  /** So many cells more, or fewer, than there were. */
  readonly foreign: number;
};

const NOTHING: StoredCell = { version: -1, touches: 0 };

function journalOf(file: string): readonly Told[] {
  const db = new Database(file, { readonly: true });
  const counts = db.prepare(
    'SELECT actor, count(*) AS entries, count(DISTINCT outbox_seq) AS events FROM journal ' +
      'GROUP BY actor',
  );
  const told = counts.all() as Told[];
  db.close();
  return told;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
