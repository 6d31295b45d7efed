/**
 * `bench`: measures against a baseline in the same run. Each row says whether it reaches its must; the
 * end counts them. Exit 1 when one falls short, 64 when there is no such row. What is being measured is
 * told on stderr, so that the rows can go to a program.
 */
import { availableParallelism, cpus } from 'node:os';
import { Argument, Command } from 'commander';
import {
  type BenchOptions,
  type BenchResult,
  conclusionOf,
  countsOf,
  type Verdict,
} from '../../bench/rows.js';
import type { JsonObject } from '../../machines/model/json.js';
import { EXIT } from './exit-codes.js';
import { type Column, printObject, table } from './print.js';

/** One file of bench/ per name, loaded when it is asked for. */
const BENCHES = {
  diff: async () => (await import('../../bench/diff.js')).bench,
  failover: async () => (await import('../../bench/failover.js')).bench,
  groups: async () => (await import('../../bench/groups.js')).bench,
  lbsync: async () => (await import('../../bench/lbsync.js')).bench,
  outbox: async () => (await import('../../bench/outbox.js')).bench,
  probe: async () => (await import('../../bench/probe.js')).bench,
  reload: async () => (await import('../../bench/reload.js')).bench,
  tenancy: async () => (await import('../../bench/tenancy.js')).bench,
  runtime: async () => (await import('../../bench/runtime.js')).bench,
} as const;
type BenchName = keyof typeof BENCHES;
const NAMES = Object.keys(BENCHES) as BenchName[];

const COLUMNS: readonly Column[] = [
  ...['id', 'question', 'value', 'unit', 'baseline', 'ratio', 'must', 'stretch'].map((title) => ({
    title,
    value: (row: JsonObject) => row[title],
  })),
  { title: 'verdict', value: (row) => SAID[row['verdict'] as Verdict] },
];

const SAID: Readonly<Record<Verdict, string>> = {
  pass: 'pass',
  stretch: 'pass, and the stretch',
  'falls-short': 'falls short',
  unjudged: '-',
  informs: '-',
};

interface Format {
  readonly json?: boolean;
  readonly only?: readonly string[];
}

export function benchCommand(): Command {
  return new Command('bench')
    .description('measure, as ratios to a baseline of the same run')
    .addArgument(new Argument('[name]', 'one of them; all when left out').choices(NAMES))
    .option('--only <row...>', 'only these rows, as G2,G4')
    .option('--json', 'print JSON, with the verdict of each row and their counts')
    .action(async (name: BenchName | undefined, format: Format) => {
      const only = (format.only ?? []).flatMap((rows) => rows.split(',')).filter(Boolean);
      const options: BenchOptions = { scale: 'full', only, progress };
      const results: BenchResult[] = [];
      for (const each of name === undefined ? NAMES : [name]) {
        const result = await (await BENCHES[each]())(options);
        if (result.rows.length > 0) results.push(result);
      }
      if (results.length === 0) throw new RangeError(`no bench has a row ${only.join(', ')}`);
      for (const result of results) print(result, format);
      const short = results.some(({ rows }) => countsOf(rows)['falls-short'] > 0);
      process.exitCode = short ? EXIT.failed : EXIT.ok;
    });
}

function print({ bench, rows }: BenchResult, format: Format): void {
  const items = rows as readonly object[] as readonly JsonObject[];
  printObject({ machine: machine(), bench, rows: items, counts: countsOf(rows) }, format, () =>
    [`${bench}, ${machine()}`, table(COLUMNS, items), conclusionOf(rows)].join('\n'),
  );
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

function machine(): string {
  const [first] = cpus();
  return `${availableParallelism()} × ${first?.model.trim() ?? 'unknown'}, Node ${process.versions.node}`;
}
