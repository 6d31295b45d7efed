/**
 * `bench`: measures against a baseline in the same run; exit 1 when a must falls short. What is being
 * measured is told on stderr, so that the rows can go to a program.
 */

import { availableParallelism, cpus } from 'node:os';
import { Argument, Command } from 'commander';
import type { BenchOptions, BenchRow } from '../../bench/rows.js';
import type { JsonObject } from '../../machines/model/json.js';
import { EXIT } from './exit-codes.js';
import { type Column, out, printObject, table } from './print.js';

/** One file of bench/ per name, loaded when it is asked for. */
const BENCHES = {
  'lb-diff': async () => (await import('../../bench/lb-diff.js')).bench,
  runtime: async () => (await import('../../bench/runtime.js')).bench,
} as const;
type BenchName = keyof typeof BENCHES;
const NAMES = Object.keys(BENCHES) as BenchName[];

const COLUMNS: readonly Column[] = [
  ...['id', 'question', 'value', 'unit', 'baseline', 'ratio', 'must', 'stretch'].map((title) => ({
    title,
    value: (row: JsonObject) => row[title],
  })),
  { title: 'pass', value: (row) => verdictOf(row) },
];

interface Format {
  readonly json?: boolean;
  readonly only?: readonly string[];
}

export function benchCommand(): Command {
  return new Command('bench')
    .description('measure, as ratios to a baseline of the same run')
    .addArgument(new Argument('[name]', 'one of them; all when left out').choices(NAMES))
    .option('--only <row...>', 'only these rows, as G2')
    .option('--json', 'print JSON')
    .action(async (name: BenchName | undefined, format: Format) => {
      let passed = true;
      for (const each of name === undefined ? NAMES : [name]) {
        const options: BenchOptions = { scale: 'full', only: format.only ?? [], progress };
        const bench = await BENCHES[each]();
        const result = { machine: machine(), ...(await bench(options)) };
        passed &&= result.rows.every(({ pass }) => pass);
        const rows = result.rows as readonly BenchRow[] as unknown as readonly JsonObject[];
        printObject({ ...result, rows }, format, () => `${each}\n${table(COLUMNS, rows)}`);
      }
      if (!passed) process.stderr.write('a must falls short\n');
      if (passed && format.json !== true) out('every must holds');
      process.exitCode = passed ? EXIT.ok : EXIT.failed;
    });
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** A row without a must only informs. */
function verdictOf({ must, pass }: JsonObject): string {
  if (must === undefined) return '-';
  return pass === true ? 'pass' : 'falls short';
}

function machine(): string {
  const [first] = cpus();
  return `${availableParallelism()} × ${first?.model.trim() ?? 'unknown'}, Node ${process.versions.node}`;
}
