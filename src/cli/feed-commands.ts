/**
 * `feed tail` and `feed verify`: what the sink has received, read from its folder. Needs no daemon; may
 * run beside one, since only whole lines are read.
 *
 * Exit codes: 0 fine, 1 a damaged line or a broken chain, 4 no such feed.
 */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { fail, ok, type Result } from '../../machines/model/result.js';
import { readConfigFile } from '../adapters/config-file/config-file.js';
import { systemClock } from '../adapters/system/clock.js';
import { printProblem } from '../config/problem.js';
import { readFeed } from '../feed/read.js';
import { type FeedReport, verifyFeed } from '../feed/verify.js';
import type { FeedEvent } from '../ports/store.js';
import { findConfigFile, NO_CONFIG } from './config-file.js';
import { EXIT } from './exit-codes.js';
import { type Format, out, printable, printObject } from './print.js';
import { formatOptions, wholeNumber } from './read-commands.js';

export function feedCommand(): Command {
  const feed = new Command('feed').description('the feed as the sink holds it');
  tailCommand(feed);
  verifyCommand(feed);
  return feed;
}

const DIR = [
  '--dir <dir>',
  "the feed's folder (default: outbox.sink.dir of the configuration)",
] as const;

interface TailOptions extends Format {
  readonly dir?: string;
  readonly from?: number;
  readonly follow?: boolean;
}

function tailCommand(feed: Command): void {
  formatOptions(feed.command('tail'))
    .description('events, oldest first')
    .addOption(
      new Option('--from <version>', 'first control version wanted').argParser(wholeNumber),
    )
    .option('--follow', 'go on as the feed grows, until Ctrl-C')
    .option(...DIR)
    .addHelpText('after', '\nExample:\n  switchyard feed tail --from 100 --follow --jsonl')
    .action(async (options: TailOptions, command: Command) => {
      const dir = await feedDir(command, options.dir);
      process.exitCode = dir.ok ? await tail(dir.value, options) : report(dir.failure);
    });
}

async function tail(dir: string, options: TailOptions): Promise<number> {
  const { follow, from } = options;
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const following = { clock: systemClock(), signal: stop.signal };
  let code: number = EXIT.ok;
  const lines = readFeed({
    dir,
    ...(from === undefined ? {} : { from }),
    ...(follow === true ? { follow: following } : {}),
  });
  const plain = options.json === true || options.jsonl === true;
  for await (const line of lines) {
    if (line.ok) out(plain ? JSON.stringify(line.value) : eventText(line.value));
    else {
      const { line: number, message, segment } = line.failure;
      process.stderr.write(`switchyard: ${segment}:${number} is damaged: ${message}\n`);
      code = EXIT.failed;
    }
  }
  return code;
}

function eventText(event: FeedEvent): string {
  const { aggregateId, aggregateKind, aggregateVersion, controlVersion, occurredAt, type } = event;
  const time = occurredAt.slice(11, 23);
  return printable(
    `${controlVersion}  ${time}  ${type}  ${aggregateKind}/${aggregateId}  v${aggregateVersion}`,
  );
}

function verifyCommand(feed: Command): void {
  formatOptions(feed.command('verify'))
    .description('prove that the feed is whole, or say where it is not')
    .option(...DIR)
    .action(async (options: Format & { readonly dir?: string }, command: Command) => {
      const dir = await feedDir(command, options.dir);
      process.exitCode = dir.ok ? await verify(dir.value, options) : report(dir.failure);
    });
}

async function verify(dir: string, format: Format): Promise<number> {
  const result = await verifyFeed(dir);
  printObject({ ...result, problems: result.problems.map((one) => ({ ...one })) }, format, () =>
    reportText(result),
  );
  return result.problemsTotal === 0 ? EXIT.ok : EXIT.failed;
}

function reportText({ events, lastControlVersion, problems, problemsTotal }: FeedReport): string {
  const lines = problems.map(({ code, line, message, segment }) =>
    printable(`${segment}:${line}: ${code}: ${message}`),
  );
  const verdict = problemsTotal === 0 ? 'whole' : `${problemsTotal} problems`;
  return [...lines, `${events} events up to ${lastControlVersion}: ${verdict}`].join('\n');
}

interface NoFeed {
  readonly exitCode: number;
  readonly message: string;
}

function report({ exitCode, message }: NoFeed): number {
  process.stderr.write(`switchyard: ${message}\n`);
  return exitCode;
}

async function feedDir(
  command: Command,
  named: string | undefined,
): Promise<Result<string, NoFeed>> {
  const dir = named === undefined ? await configuredDir(command) : ok(resolve(named));
  if (!dir.ok) return dir;
  const found = await stat(dir.value).catch(() => undefined);
  if (found?.isDirectory() === true) return dir;
  const message = `there is no feed at ${dir.value}: name its folder with --dir`;
  return fail({ exitCode: EXIT.notFound, message });
}

async function configuredDir(command: Command): Promise<Result<string, NoFeed>> {
  const { config } = command.optsWithGlobals<{ readonly config?: string }>();
  const file = findConfigFile(config);
  if (file === undefined) return fail({ exitCode: EXIT.failed, message: NO_CONFIG });
  const loaded = await readConfigFile({ file, env: process.env, inThread: false });
  if (loaded.ok) return ok(loaded.value.config.outbox.sink.dir);
  const first = loaded.failure.map(printProblem)[0] ?? `${file} cannot be read`;
  return fail({ exitCode: EXIT.failed, message: first });
}
