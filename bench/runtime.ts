/**
 * Question: is the runtime as fast and as small as its specification says? One row per question, each
 * against the baseline it names, measured in the same run on the same machine.
 *
 * Input: the scale and which rows. Output: the rows, in order. See bench/README.md.
 */
import { peerSections } from './peers/peers.js';
import { type BenchOptions, type BenchResult, type BenchRow, wanted } from './rows.js';
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
  ...peerSections,
];

export async function bench(options: BenchOptions): Promise<BenchResult> {
  const { only = [] } = options;
  const lab = createLab(options);
  const rows: BenchRow[] = [];
  for (const section of SECTIONS.filter(({ ids }) => ids.some((id) => related(id, only)))) {
    lab.progress(section.ids.join(', '));
    rows.push(...(await section.rows(lab)).filter(({ id }) => wanted(id, only)));
  }
  return { bench: 'runtime', rows };
}

/** A section is run for a row of its own, and for any that goes by the name of one (`G2-stored`). */
function related(id: string, only: readonly string[]): boolean {
  return wanted(id, only) || only.some((name) => wanted(name, [id]));
}
