/** The machine's uptime: goes on while it sleeps, and no step of the wall clock moves it. */
import { uptime } from 'node:os';
import type { SuspensionClock } from '../../ports/lease.js';

export function suspensionClock(): SuspensionClock {
  return { elapsedMs: () => uptime() * 1_000 };
}
