/**
 * G11: what it costs to make a decision durable when many are under way. Ours: cells on the real host
 * in one thread, each decision with its state, a journal entry and an outbox row, over the link to the
 * store's thread, in groups, `synchronous = FULL`. Baseline: SQLite alone, transactions of one small
 * row, each on disk before the next, on the same disk in the same minute.
 */
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import Database from 'better-sqlite3';
import { type BenchRow, median, ratioAtLeast, rowOf } from '../rows.js';
import { each, interleaved, type Lab, type Outcome, type Params, param } from './probe.js';
import { inFolder } from './store-folder.js';
import { openRig } from './store-rig.js';

export const loadSection = { ids: ['G11'], rows: loadRows };

const SIZES = {
  tiny: { rounds: 1, cells: 20, depth: 4, warmUp: 40, decisions: 200, transactions: 20 },
  full: {
    rounds: 5,
    cells: 1_000,
    depth: 48,
    warmUp: 50_000,
    decisions: 100_000,
    transactions: 3_000,
  },
};
/** What a row of the feed weighs. */
const ROW_BYTES = 47;

async function loadRows(lab: Lab): Promise<readonly BenchRow[]> {
  const { rounds, transactions, ...params } = SIZES[lab.scale];
  const { single, flood } = await interleaved(lab, rounds, {
    single: { probe: 'store-single', params: { transactions } },
    flood: { probe: 'store-flood', params },
  });
  const row = {
    id: 'G11',
    question: `durable decisions of ${params.cells} busy cells (state, journal, outbox) against transactions of one row`,
    unit: '1/s',
    value: median(each(flood, 'perS')),
    baseline: median(each(single, 'perS')),
    must: ratioAtLeast(15),
    stretch: ratioAtLeast(30),
  };
  return [rowOf(row, lab.scale)];
}

export const loadProbes = { 'store-flood': storeFlood, 'store-single': storeSingle };

async function storeFlood(params: Params): Promise<Outcome> {
  const decisions = param(params, 'decisions');
  return await inFolder(async (folder) => {
    const rig = await openRig(join(folder, 'flood.db'));
    try {
      const life = rig.launch({
        kind: 'flood',
        cells: param(params, 'cells'),
        depth: param(params, 'depth'),
        warmUp: param(params, 'warmUp'),
        decisions,
      });
      const { ms } = await life.word('flooded');
      return { perS: decisions / (ms / 1_000) };
    } finally {
      await rig.close();
    }
  });
}

async function storeSingle(params: Params): Promise<Outcome> {
  const transactions = param(params, 'transactions');
  return await inFolder((folder) => {
    const db = new Database(join(folder, 'single.db'));
    db.pragma('locking_mode = EXCLUSIVE');
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.exec('CREATE TABLE rows (seq INTEGER PRIMARY KEY, bytes BLOB NOT NULL)');
    const insert = db.prepare<[Buffer]>('INSERT INTO rows (bytes) VALUES (?)');
    const bytes = Buffer.alloc(ROW_BYTES, 1);
    const startedAt = performance.now();
    for (let n = 0; n < transactions; n += 1) insert.run(bytes);
    const seconds = (performance.now() - startedAt) / 1_000;
    db.close();
    return { perS: transactions / seconds };
  });
}
