/**
 * The measured work: the cycle of events, one sweep over all actors for each, and the proof that every
 * one was handled as it should have been.
 */
import { performance } from 'node:perf_hooks';
import type { Totals } from './cells.js';
import { CHANGES_PER_CYCLE, CYCLE, WAKE } from './machine.js';
import { type Outcome, type Params, param } from './probe.js';

export interface Driven {
  /** One event to every actor; over when all have handled it. */
  sweep(type: string): Promise<void> | void;
  totals(): Totals | Promise<Totals>;
}

/** Events per second over whole cycles, at least one, until the time is used up. */
export async function timed(params: Params, { sweep, totals }: Driven): Promise<Outcome> {
  const actors = param(params, 'actors');
  for (const type of WAKE) await sweep(type);
  const cycle = async (): Promise<void> => {
    for (const type of CYCLE) await sweep(type);
  };
  const warmAt = performance.now() + (params['warmUpMs'] ?? 0);
  let warmed = 0;
  while (warmed < param(params, 'warmUpCycles') || performance.now() < warmAt) {
    await cycle();
    warmed += 1;
  }
  const before = await totals();
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  let cycles = 0;
  do {
    await cycle();
    cycles += 1;
  } while (performance.now() - startedAt < param(params, 'budgetMs'));
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const after = await totals();
  const events = after.passed + after.failed - before.passed - before.failed;
  const changes = after.changes - before.changes;
  const expected = cycles * CYCLE.length * actors;
  if (events !== expected || changes !== cycles * CHANGES_PER_CYCLE * actors) {
    throw new Error(`${events} events and ${changes} changes instead of ${expected} events`);
  }
  // The second figure is no row: it tells a busy machine from a slow program.
  const perCpuS = (events * 1e6) / (user + system);
  return { perS: events / seconds, perCpuS, events, checksum: changes / events };
}
