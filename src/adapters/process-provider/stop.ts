/**
 * Ends one instance: SIGTERM to its group, SIGKILL after the grace, and waits until nothing of the
 * group lives. Rule: [PR-4] only the group of that very process is ever signalled.
 */
import type { Clock } from '../../ports/clock.js';
import { isGroupRunning, type ProcessIdentity, signalGroup } from '../proc/processes.js';
import { GONE_POLL_MS, KILL_WAIT_MS } from './limits.js';

/** False: it survived even SIGKILL, for now. */
export async function stopGroup(
  leader: ProcessIdentity,
  stopGraceMs: number,
  clock: Clock,
): Promise<boolean> {
  signalGroup(leader, 'SIGTERM');
  if (await gone(leader, stopGraceMs, clock)) return true;
  signalGroup(leader, 'SIGKILL');
  return gone(leader, KILL_WAIT_MS, clock);
}

async function gone(leader: ProcessIdentity, withinMs: number, clock: Clock): Promise<boolean> {
  const deadline = clock.monotonic() + withinMs;
  while (isGroupRunning(leader)) {
    if (clock.monotonic() >= deadline) return false;
    await new Promise<void>((resolve) => {
      clock.after(GONE_POLL_MS, resolve);
    });
  }
  return true;
}
