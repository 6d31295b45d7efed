/** Where probes run: at full scale each in a fresh child process, with a deadline; tiny ones here, but for some. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type BenchOptions, type BenchResult, type BenchRow, wanted } from '../rows.js';
import type { Lab, Outcome, Params, Section } from './probe.js';
import { PROBES } from './probes.js';

const PROBE_TIMEOUT_MS = 180_000;
/**
 * Other people's systems may leave timers, threads and handlers behind; and what something weighs is only
 * to be seen where nothing else of the process goes meanwhile.
 */
const ALONE = /^(nact|comedy|memory)-/;
const CHILD = fileURLToPath(new URL('./probe-child.js', import.meta.url));
const execute = promisify(execFile);

/** A bench of sections: those are run that have a row that is wanted. */
export function benchOf(bench: string, sections: readonly Section[]) {
  return async (options: BenchOptions): Promise<BenchResult> => {
    const { only = [] } = options;
    const lab = createLab(options);
    const rows: BenchRow[] = [];
    for (const section of sections.filter(({ ids }) => ids.some((id) => related(id, only)))) {
      lab.progress(section.ids.join(', '));
      rows.push(...(await section.rows(lab)).filter(({ id }) => wanted(id, only)));
    }
    return { bench, rows };
  };
}

/** A section is run for a row of its own, and for any that goes by the name of one (`G2-stored`). */
function related(id: string, only: readonly string[]): boolean {
  return wanted(id, only) || only.some((name) => wanted(name, [id]));
}

export function createLab({ scale, progress = () => undefined }: BenchOptions): Lab {
  const apart = (probe: string): boolean => scale === 'full' || ALONE.test(probe);
  const run: Lab['run'] = (probe, params) =>
    apart(probe) ? runInChild(probe, params) : runHere(probe, params);
  return { scale, progress, run };
}

export async function runHere(probe: string, params: Params): Promise<Outcome> {
  const found = PROBES[probe];
  if (found === undefined) throw new Error(`there is no probe ${probe}`);
  return await found(params);
}

async function runInChild(probe: string, params: Params): Promise<Outcome> {
  const args = [CHILD, probe, JSON.stringify(params)];
  const { stdout } = await execute(process.execPath, args, { timeout: PROBE_TIMEOUT_MS });
  return JSON.parse(stdout) as Outcome;
}
