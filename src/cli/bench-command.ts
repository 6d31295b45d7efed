/** `bench`: measures against a baseline in the same run; exit 1 when a must falls short. */

import { availableParallelism, cpus } from 'node:os';
import { Argument, Command } from 'commander';
import { bench as lbDiff } from '../../bench/lb-diff.js';
import type { JsonObject } from '../../machines/model/json.js';
import { EXIT } from './exit-codes.js';
import { out, printObject, table } from './print.js';

/** One file of bench/ per name. */
const BENCHES = { 'lb-diff': lbDiff } as const;
type BenchName = keyof typeof BENCHES;
const NAMES = Object.keys(BENCHES) as BenchName[];

const COLUMNS = ['id', 'question', 'value', 'unit', 'baseline', 'ratio', 'must', 'pass'].map(
  (title) => ({ title, value: (row: JsonObject) => row[title] }),
);

export function benchCommand(): Command {
  return new Command('bench')
    .description('measure, as ratios to a baseline of the same run')
    .addArgument(new Argument('[name]', 'one of them; all when left out').choices(NAMES))
    .option('--json', 'print JSON')
    .action(async (name: BenchName | undefined, format: { json?: boolean }) => {
      let passed = true;
      for (const each of name === undefined ? NAMES : [name]) {
        const result = { machine: machine(), ...(await BENCHES[each]('full')) };
        passed &&= result.rows.every(({ pass }) => pass);
        const rows = result.rows as unknown as readonly JsonObject[];
        printObject({ ...result, rows }, format, () => `${each}\n${table(COLUMNS, rows)}`);
      }
      if (!passed) out('a must falls short');
      process.exitCode = passed ? EXIT.ok : EXIT.failed;
    });
}

function machine(): string {
  const [first] = cpus();
  return `${availableParallelism()} × ${first?.model.trim() ?? 'unknown'}, Node ${process.versions.node}`;
}
