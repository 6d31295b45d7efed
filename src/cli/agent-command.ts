/**
 * `switchyard agent`: the reference agent, in the foreground of an instance.
 *
 * Exit codes: 0 after SIGTERM or SIGINT, 3 when it cannot start, 6 when the daemon refuses it for good.
 */
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { runAgent } from '../adapters/agent-client/run.js';
import { type AgentState, openStateDir } from '../adapters/agent-client/state-dir.js';
import { parseListen } from '../adapters/http/listen.js';
import { systemClock } from '../adapters/system/clock.js';
import { systemRandom } from '../adapters/system/identity.js';
import { systemLog } from '../adapters/system/log.js';
import { checkWith, hookWith } from './agent/programs.js';
import { durationMs } from './duration.js';
import { EXIT } from './exit-codes.js';
import { examples } from './read-commands.js';

interface AgentFlags {
  readonly server?: string;
  readonly token?: string;
  readonly state: string;
  readonly interval?: number;
  readonly check?: string;
  readonly onDrain?: string;
}

export function agentCommand(): Command {
  return new Command('agent')
    .description(
      'the reference agent of an instance: registers, reports health, carries out drains',
    )
    .addOption(
      new Option('--server <host:port>', 'where the daemon takes calls of agents').env(
        'SWITCHYARD_SERVER',
      ),
    )
    .addOption(
      new Option('--token <token>', 'of this instance; good once, with the key in --state').env(
        'SWITCHYARD_TOKEN',
      ),
    )
    .option('--state <dir>', 'where its key and its certificate are kept', './agent')
    .addOption(
      new Option(
        '--interval <duration>',
        'between reports (default: as the daemon says)',
      ).argParser(durationMs),
    )
    .option(
      '--check <command>',
      'exit 0 is healthy; its last line is the detail (default: always healthy)',
    )
    .option(
      '--on-drain <command>',
      'run when the instance is drained; its exit 0 acknowledges the drain',
    )
    .addHelpText(
      'after',
      examples(
        'agent --server edge-1:7443 --token t-0190….…',
        "agent --check 'curl -fsS localhost:8080/healthz' --on-drain ./leave.sh",
      ),
    )
    .action(agent);
}

async function agent(flags: AgentFlags): Promise<void> {
  const { server = '', token, interval, check, onDrain } = flags;
  const place = parseListen(server);
  if (place === undefined) {
    return refuse(EXIT.usage, `--server is '${server}': write HOST:PORT, or set SWITCHYARD_SERVER`);
  }
  const log = systemLog({ level: 'info', pretty: process.stdout.isTTY });
  const clock = systemClock();
  let state: AgentState;
  try {
    state = await openStateDir(resolve(flags.state), clock.now());
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return refuse(EXIT.cannotStart, `its state cannot be kept (${reason}): correct --state`);
  }
  const running = runAgent({
    server: place,
    ...(token === undefined ? {} : { token }),
    ...(interval === undefined ? {} : { intervalMs: interval }),
    state,
    clock,
    random: systemRandom(),
    log,
    check: checkWith(check),
    carryOut: hookWith(onDrain, clock.now),
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, running.stop);
  const ended = await running.ended;
  if (ended !== undefined) return refuse(EXIT.refused, ended);
  // Hooks that still run are their own.
  process.exit(EXIT.ok);
}

function refuse(code: number, message: string): void {
  process.stderr.write(`switchyard: ${message}\n`);
  process.exitCode = code;
}
