/**
 * Question: is the runtime as fast and as small as its specification says? One row per question, each
 * against the baseline it names, measured in the same run on the same machine.
 *
 * Input: the scale and which rows. Output: the rows, in order. See bench/README.md.
 */
import type { BenchOptions, BenchResult, BenchRow } from './rows.js';
import { crashSection } from './runtime/crashes.js';
import { endToEndSection } from './runtime/end-to-end.js';
import { createLab } from './runtime/lab.js';
import { memorySection } from './runtime/memory.js';
import type { Section } from './runtime/probe.js';
import { spawnSection } from './runtime/spawn.js';
import { killsSection } from './runtime/store-kills.js';
import { loadSection } from './runtime/store-load.js';
import { throughputSection } from './runtime/throughput.js';
import { oneWaySection, roundTripSection } from './runtime/transport.js';

const SECTIONS: readonly Section[] = [
  memorySection,
  throughputSection,
  oneWaySection,
  roundTripSection,
  endToEndSection,
  spawnSection,
  crashSection,
  killsSection,
  loadSection,
];

export async function bench(options: BenchOptions): Promise<BenchResult> {
  const { only = [] } = options;
  const lab = createLab(options);
  const wanted = (id: string): boolean =>
    only.length === 0 || only.some((name) => id === name || id.startsWith(`${name}-`));
  const rows: BenchRow[] = [];
  for (const section of SECTIONS.filter(({ ids }) => ids.some(wanted))) {
    lab.progress(section.ids.join(', '));
    rows.push(...(await section.rows(lab)).filter(({ id }) => wanted(id)));
  }
  return { bench: 'runtime', rows };
}
