/**
 * `switchyard run`: the daemon. Signals are taken from the first moment: SIGHUP never kills it, and a
 * stop asked for while it starts undoes what has started.
 */
import { Command, InvalidArgumentError } from 'commander';
import { LOG_LEVELS, type LogLevel } from '../adapters/system/log.js';
import { type BootFailure, readBootConfig } from '../app/boot.js';
import { startNode } from '../app/node.js';
import { serveNode } from '../app/service.js';
import { createSignals, type Signals } from '../app/signals.js';
import { findConfigFile, NO_CONFIG } from './config-file.js';
import { EXIT } from './exit-codes.js';

interface RunOptions {
  readonly dataDir?: string;
  readonly logLevel?: LogLevel;
  readonly inspector?: string | true;
  readonly singleThread?: boolean;
}

export function runCommand(): Command {
  return new Command('run')
    .description('the daemon; log lines on stdout, `msg:"ready"` once it serves')
    .option('--data-dir <dir>', 'instead of node.dataDir')
    .option('--log-level <level>', `one of ${LOG_LEVELS.join(', ')}`, logLevel)
    .option('--inspector [port]', 'watch machines in a browser')
    .option('--single-thread', 'host every actor in the main thread (for debugging)')
    .action(async (options: RunOptions, command: Command) => {
      const signals = createSignals();
      const { config } = command.optsWithGlobals<{ config?: string }>();
      process.exitCode = await run(options, { signals, named: config });
      // Signals stay taken: a hangup now must not change how the process ends.
      // Whatever still holds the event loop (a half-closed socket) must not hold the exit.
      process.exit();
    });
}

function logLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((known) => known === text);
  if (level === undefined)
    throw new InvalidArgumentError(`'${text}' is not a level: ${LOG_LEVELS.join(', ')}`);
  return level;
}

interface RunContext {
  readonly signals: Signals;
  readonly named: string | undefined;
}

async function run(options: RunOptions, { signals, named }: RunContext): Promise<number> {
  const file = findConfigFile(named);
  if (file === undefined) return refuse({ exitCode: 1, lines: [`switchyard: ${NO_CONFIG}`] });
  const { dataDir } = options;
  const booted = await readBootConfig(file, dataDir === undefined ? {} : { dataDir });
  if (!booted.ok) return refuse(booted.failure);
  const { log, inspector } = booted.value.config;
  const listen = inspectorListen(options.inspector, inspector);
  const started = await startNode({
    configFile: file,
    ...(dataDir === undefined ? {} : { dataDir }),
    booted: booted.value,
    singleThread: options.singleThread === true,
    log: { level: options.logLevel ?? log.level, pretty: process.stdout.isTTY === true },
    ...(listen === undefined ? {} : { inspector: listen }),
    failpoint: process.env['SWITCHYARD_FAILPOINT'] ?? '',
    onFatal: (reason) => signals.fatal(reason),
    stop: signals.stop,
  });
  if (!started.ok) return signals.end?.fatal ? EXIT.fatal : refuse(started.failure);
  const end = await serveNode(started.value, signals);
  return end.fatal ? EXIT.fatal : EXIT.ok;
}

function inspectorListen(
  asked: string | true | undefined,
  configured: { readonly enabled: boolean; readonly listen: string },
): string | undefined {
  if (asked === undefined) return configured.enabled ? configured.listen : undefined;
  return asked === true ? configured.listen : `127.0.0.1:${asked}`;
}

function refuse({ exitCode, lines }: BootFailure): number {
  for (const line of lines) process.stderr.write(`${line}\n`);
  return exitCode;
}
