/**
 * `switchyard vpp-sim --socket PATH`: the VPP simulator alone, in the foreground.
 *
 * Exit codes: 0 after SIGTERM or SIGINT, 3 when it cannot start, 134 when a client sent what would
 * have crashed VPP (VPP aborts with that code), 137 when it was told to die.
 */
import { Command } from 'commander';
import type { Death } from '../vppsim/running.js';
import { openVppSim } from '../vppsim/simulator.js';
import { EXIT } from './exit-codes.js';

/** What the kernel makes of an abort, and of a kill. */
const DEATH_CODES: Readonly<Record<Death['cause'], number>> = { violation: 134, command: 137 };

interface VppSimFlags {
  readonly socket: string;
  readonly opLog?: string;
}

export function vppSimCommand(): Command {
  return new Command('vpp-sim')
    .description('run the VPP simulator alone, in the foreground')
    .requiredOption('--socket <path>', 'where it listens; the control socket is <path>.ctl')
    .option('--op-log <file>', 'one JSON line per request (default: <socket>.ops.jsonl)')
    .action(runVppSim);
}

async function runVppSim({ socket, opLog }: VppSimFlags): Promise<void> {
  const opened = await openVppSim({ path: socket, ...(opLog === undefined ? {} : { opLog }) });
  if (!opened.ok) {
    console.error(opened.failure.message);
    process.exitCode = EXIT.cannotStart;
    return;
  }
  const sim = opened.value;
  console.log(`VPP simulator ${process.pid} listens on ${socket}`);
  const stop = () => void sim.close().then(() => process.exit(EXIT.ok));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  void sim.died.then(exitDead);
}

/** At once, so that the socket file stays behind. */
function exitDead({ cause, what }: Death): never {
  console.error(`VPP died: ${what}`);
  process.exit(DEATH_CODES[cause]);
}
