/** What the probes of the diff core share: sizes, medians, and a dump in pieces as a socket gives them. */
import { performance } from 'node:perf_hooks';
import { Reassembler } from '../../src/adapters/vpp/framing.js';
import type { StateReader } from '../../src/adapters/vpp/state.js';
import { median } from '../rows.js';
import { memoryBytes } from '../runtime/memory.js';
import { type Params, param } from '../runtime/probe.js';
import type { SiteSize } from './site.js';

/** Bytes Node reads from a socket at once. */
const PIECE_BYTES = 65_536;

export function sizeIn(params: Params): SiteSize {
  return {
    vips: param(params, 'vips'),
    servers: param(params, 'servers'),
    ip6: params['ip6'] === 1,
  };
}

/** Runs that are not counted, because they compile: so many, or for so long, and once at least. */
const WARM_UP_RUNS = 50;
const WARM_UP_MS = 1000;

/**
 * CPU time of this process, in ms: what the machine gives to others meanwhile is not counted, what helps
 * with collecting garbage is.
 */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

export function medianMs(rounds: number, run: () => void): number {
  const warmAt = performance.now() + WARM_UP_MS;
  let warmUps = 0;
  do {
    run();
    warmUps += 1;
  } while (warmUps < WARM_UP_RUNS && performance.now() < warmAt);
  const times = Array.from({ length: rounds }, () => {
    const startedAt = cpuMs();
    run();
    return cpuMs() - startedAt;
  });
  return median(times);
}

/** Time of one of many runs, in µs. */
export function perRunUs(runs: number, run: () => void): number {
  const many = (): void => {
    for (let count = 0; count < runs; count += 1) run();
  };
  return (1000 * medianMs(5, many)) / runs;
}

/**
 * Heap and what lies outside of it, after a full collection. Array buffers are part of the latter, and
 * are counted once here.
 */
export async function heldBytes(): Promise<number> {
  await memoryBytes();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

export function readWith(reader: StateReader, frames: Buffer, kind: 'vip' | 'server'): void {
  const stream = new Reassembler();
  for (let at = 0; at < frames.length; at += PIECE_BYTES) {
    const doubt = stream.push(frames.subarray(at, at + PIECE_BYTES), (bytes, start) =>
      kind === 'vip' ? reader.takeVip(bytes, start) : reader.takeServer(bytes, start),
    );
    if (doubt !== undefined) throw new Error(doubt);
  }
}
