/**
 * ICMP by Debian's `fping`, which brings its own privilege: for machines where sockets of our own are
 * not to be had. One process for each probe, so a bounded number at a time.
 */
import { type ChildProcess, execFile } from 'node:child_process';
import type { HealthCheckSpec } from '../../../../machines/model/desired.js';
import type { Attempt } from '../attempt.js';
import { failed, type Outcome, passed } from '../outcome.js';

/** Processes at once; a probe more says nothing about its backend. */
const PROCESSES_MAX = 64;

let running = 0;

/** @param trouble why we ask so dearly, for the operator who can change it. */
export function fping(
  current: Attempt,
  address: string,
  { check, trouble }: { readonly check: HealthCheckSpec; readonly trouble: string },
): Promise<Outcome> {
  if (running >= PROCESSES_MAX) {
    const many = `${PROCESSES_MAX} fping processes are running already`;
    return Promise.resolve(failed('SOCKERR', `${many}, and ${trouble}`));
  }
  const source = address.includes(':') ? check.source6 : check.source4;
  const from = source === undefined ? [] : ['-S', source];
  const args = ['-q', '-r', '0', '-t', String(check.timeoutMs), ...from, address];
  return new Promise((resolve) => {
    running += 1;
    const child: ChildProcess = execFile('fping', args, { env: process.env }, (error, _, said) => {
      running -= 1;
      resolve(outcomeOf(error, said, trouble));
    });
    current.closing(() => child.kill('SIGKILL'));
  });
}

/** Exit codes of fping: 0 it answered, 1 it did not; what else goes wrong is our own trouble. */
function outcomeOf(error: Error | null, said: string, trouble: string): Outcome {
  if (error === null) return passed('L3OK', 'echo reply, by fping');
  const code = 'code' in error ? error.code : undefined;
  if (code === 1) return failed('L3TOUT', 'no echo reply, by fping');
  if (code === 'ENOENT') {
    return failed('UNSUPPORTED', `icmp needs fping (apt-get install fping): ${trouble}`);
  }
  return failed('SOCKERR', `fping: ${said.trim() || error.message}`);
}
