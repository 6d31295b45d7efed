/**
 * `switchyard demo`: the whole loop on this machine, in a directory of its own: two tenants from the
 * bundled tenant manager, three processes each, a VIP per tenant in a simulated VPP, a file feed.
 * Everything it says is read back from the running daemon.
 */
import { Command } from 'commander';
import { openStage, type Stage } from './demo/stage.js';
import { tour } from './demo/tour.js';
import { EXIT } from './exit-codes.js';
import { out } from './print.js';

export function demoCommand(): Command {
  return new Command('demo')
    .description('the whole loop on this machine; runs until Ctrl-C')
    .option('--once', 'one tour, then clean up and end')
    .action(async (options: { once?: boolean }) => {
      process.exitCode = await demo(options.once === true);
      process.exit();
    });
}

async function demo(once: boolean): Promise<number> {
  const interrupted = onInterrupt();
  const stage = openStage();
  try {
    const ended = await Promise.race([
      play(stage, once, interrupted),
      interrupted.then(() => EXIT.ok),
    ]);
    return ended;
  } catch (error) {
    process.stderr.write(`switchyard demo: ${error instanceof Error ? error.message : error}\n`);
    return EXIT.failed;
  } finally {
    out('\nCleaning up: daemon, tenant manager, simulated VPP and instances end.');
    await stage.close();
  }
}

async function play(stage: Stage, once: boolean, interrupted: Promise<void>): Promise<number> {
  await tour(stage);
  if (once) return EXIT.ok;
  out('\nRunning until Ctrl-C. In another terminal:');
  out(`  export SWITCHYARD_SOCKET=${stage.socket}`);
  out('  npx switchyard status; npx switchyard get instances --watch');
  await interrupted;
  return EXIT.ok;
}

function onInterrupt(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve());
  });
}
