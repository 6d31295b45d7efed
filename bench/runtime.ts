/**
 * Question: is the runtime as fast and as small as its specification says? One row per question, each
 * against the baseline it names, measured in the same run on the same machine.
 *
 * Input: the scale and which rows. Output: the rows, in order. See bench/README.md.
 */
import { peerSections } from './peers/peers.js';
import { crashSection } from './runtime/crashes.js';
import { endToEndSection } from './runtime/end-to-end.js';
import { benchOf } from './runtime/lab.js';
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

export const bench = benchOf('runtime', SECTIONS);
