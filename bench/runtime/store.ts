/**
 * Questions: how soon are the instances of a killed thread serving again, and what does it cost to make
 * a decision durable (state, journal and outbox, on disk) under load?
 *
 * Input: the scale. Output: the rows G10 and G11. The baseline of G11 is SQLite alone: transactions of
 * one small row, each on disk, on the same disk in the same minute. Of G10 it is the target.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { BenchRow } from '../rows.js';
import { openRig, type Rig } from './store-rig.js';

interface Size {
  /** G10: cells of the thread that is killed, and how often it is. */
  readonly cells: number;
  readonly kills: number;
  /** G11: rounds, each of so many decisions by so many cells, and so many transactions. */
  readonly rounds: number;
  readonly busyCells: number;
  readonly depth: number;
  readonly warmUp: number;
  readonly decisions: number;
  readonly transactions: number;
}

const SIZES: Readonly<Record<'tiny' | 'full', Size>> = {
  tiny: {
    cells: 50,
    kills: 2,
    rounds: 1,
    busyCells: 20,
    depth: 4,
    warmUp: 40,
    decisions: 200,
    transactions: 20,
  },
  full: {
    cells: 10_000,
    kills: 40,
    rounds: 5,
    busyCells: 1_000,
    depth: 48,
    warmUp: 50_000,
    decisions: 100_000,
    transactions: 3_000,
  },
};

const P50_MS = 60;
const P99_MS = 150;
const RATIO_MIN = 15;

export async function storeRows(scale: 'tiny' | 'full'): Promise<readonly BenchRow[]> {
  const size = SIZES[scale];
  const judged = scale === 'full';
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-bench-'));
  try {
    return [
      ...(await killed(size, join(folder, 'killed.db'), judged)),
      await underLoad(size, folder, judged),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function killed(size: Size, file: string, judged: boolean): Promise<readonly BenchRow[]> {
  const rig = await openRig(file);
  const tookMs: number[] = [];
  const acknowledged = new SharedArrayBuffer(size.cells * 4);
  const work = { kind: 'serve', cells: size.cells, acknowledged } as const;
  let wrong = 0;
  try {
    await fill(rig, size.cells);
    let life = rig.launch(work);
    await life.word('served');
    for (let kill = 0; kill < size.kills; kill += 1) {
      await pause(DECIDING_MS);
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
    wrong = await wrongCells(rig, new Int32Array(acknowledged), file);
  } finally {
    await rig.close();
  }
  const what = `thread of ${size.cells} stored instances killed while deciding`;
  const row = (id: string, part: number, limit: number): BenchRow => {
    const value = quantile(tookMs, part);
    return {
      id,
      question: `${what}: all serve again, p${part * 100}; ${wrong} of them lost or doubled anything`,
      value: Number(value.toFixed(1)),
      unit: 'ms',
      must: `≤ ${limit} ms, nothing lost or doubled`,
      pass: wrong === 0 && (!judged || value <= limit),
    };
  };
  return [row('G10-p50', 0.5, P50_MS), row('G10-p99', 0.99, P99_MS)];
}

/** How long a shard decides before it is killed. */
const DECIDING_MS = 30;

/** The first decision of every cell. */
async function fill(rig: Rig, cells: number): Promise<void> {
  const life = rig.launch({ kind: 'flood', cells, depth: 1, warmUp: 0, decisions: cells });
  await life.word('flooded');
  life.kill();
  await life.ended;
  await rig.fence();
}

/**
 * Cells of which an acknowledged decision is gone, or whose state, journal and feed do not say the same.
 */
async function wrongCells(rig: Rig, acknowledged: Int32Array, file: string): Promise<number> {
  const loaded = await rig.store.load(['instance']);
  if (!loaded.ok) throw new Error(loaded.failure.message);
  await rig.close();
  const db = new Database(file, { readonly: true });
  const counts = db.prepare(
    'SELECT actor, count(*) AS n, count(DISTINCT outbox_seq) AS events FROM journal GROUP BY actor',
  );
  const told = new Map(
    (counts.all() as { actor: string; n: number; events: number }[]).map((row) => [row.actor, row]),
  );
  db.close();
  const wrong = loaded.value.filter(({ address, version, context }, index) => {
    const { n, events } = told.get(address) ?? { n: 0, events: 0 };
    const whole = version === context['touches'] && version === n && n === events;
    return !whole || version < (acknowledged[index] ?? 0);
  });
  return wrong.length + Math.abs(loaded.value.length - acknowledged.length);
}

async function underLoad(size: Size, folder: string, judged: boolean): Promise<BenchRow> {
  const ours: number[] = [];
  const alone: number[] = [];
  for (let round = 0; round < size.rounds; round += 1) {
    alone.push(singleRows(join(folder, `single-${round}.db`), size.transactions));
    ours.push(await flooded(size, join(folder, `flood-${round}.db`)));
  }
  const [value, baseline] = [quantile(ours, 0.5), quantile(alone, 0.5)];
  const ratio = value / baseline;
  return {
    id: 'G11',
    question:
      `durable decisions of ${size.busyCells} busy cells: state, journal and outbox on disk, ` +
      'against transactions of a single row',
    value: Math.round(value),
    unit: '1/s',
    baseline: Math.round(baseline),
    ratio: Number(ratio.toFixed(1)),
    must: `≥ ${RATIO_MIN}×`,
    pass: !judged || ratio >= RATIO_MIN,
  };
}

async function flooded(size: Size, file: string): Promise<number> {
  const rig = await openRig(file);
  const { busyCells: cells, depth, warmUp, decisions } = size;
  const life = rig.launch({ kind: 'flood', cells, depth, warmUp, decisions });
  const { ms } = await life.word('flooded');
  await rig.close();
  return decisions / (ms / 1_000);
}

/** Transactions a second of one row of 47 bytes, each on disk before the next. */
function singleRows(file: string, transactions: number): number {
  const db = new Database(file);
  db.pragma('locking_mode = EXCLUSIVE');
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.exec('CREATE TABLE rows (seq INTEGER PRIMARY KEY, bytes BLOB NOT NULL)');
  const insert = db.prepare<[Buffer]>('INSERT INTO rows (bytes) VALUES (?)');
  const bytes = Buffer.alloc(47, 1);
  const startedAt = performance.now();
  for (let n = 0; n < transactions; n += 1) insert.run(bytes);
  const seconds = (performance.now() - startedAt) / 1_000;
  db.close();
  return transactions / seconds;
}

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
