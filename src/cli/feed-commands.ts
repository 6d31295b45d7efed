/**
 * `feed tail` and `feed verify`: what the sink has received, read from where it lies. Needs no daemon; may
 * run beside one, since only whole events are read.
 *
 * Exit codes: 0 fine, 1 a damaged event, a broken chain or a feed that cannot be read, 4 no such feed.
 */
import { Command, Option } from 'commander';
import type { FeedFailure } from '../../machines/model/failures.js';
import { READ_ITEMS } from '../feed/limits.js';
import { type FeedReport, verifyFeed } from '../feed/verify.js';
import type { FeedItem, FeedSource } from '../ports/feed-source.js';
import type { FeedEvent } from '../ports/store.js';
import { EXIT } from './exit-codes.js';
import { type NoFeed, openFeed } from './feed-source.js';
import { type Format, out, printable, printObject } from './print.js';
import { formatOptions, wholeNumber } from './read-commands.js';

export function feedCommand(): Command {
  const feed = new Command('feed').description('the feed as the sink holds it');
  tailCommand(feed);
  verifyCommand(feed);
  return feed;
}

const SOURCE = [
  '--source <source>',
  "the feed: a folder, or nats://HOST:PORT/STREAM (default: the configuration's feed.source, else its sink)",
] as const;
const DIR = ['--dir <dir>', 'a folder; as --source'] as const;

interface TailOptions extends Format {
  readonly dir?: string;
  readonly source?: string;
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
    .option(...SOURCE)
    .option(...DIR)
    .addHelpText('after', '\nExample:\n  switchyard feed tail --from 100 --follow --jsonl')
    .action(async (options: TailOptions, command: Command) => {
      const source = await openFeed(command, options.source ?? options.dir, 'tail');
      process.exitCode = source.ok ? await tail(source.value, options) : report(source.failure);
    });
}

async function tail(source: FeedSource, options: TailOptions): Promise<number> {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const plain = options.json === true || options.jsonl === true;
  let code: number = EXIT.ok;
  let after = (options.from ?? 1) - 1;
  try {
    for (;;) {
      const items = await source.read(after, READ_ITEMS);
      if (!items.ok) return unreadable(items.failure);
      for (const item of items.value) {
        after = item.controlVersion;
        if (!show(item, plain)) code = EXIT.failed;
      }
      if (items.value.length > 0) continue;
      if (options.follow !== true || stop.signal.aborted) return code;
      // What is not there yet may be far away: until the feed grows at all.
      const head = await source.head();
      await source.wait(head.ok ? Math.min(after, head.value) : after, stop.signal);
    }
  } finally {
    await source.close();
  }
}

/** Whether it is an event. */
function show(item: FeedItem, plain: boolean): boolean {
  if ('event' in item) {
    out(plain ? JSON.stringify(item.event) : eventText(item.event));
    return true;
  }
  const { controlVersion, damaged, place = `control version ${controlVersion}` } = item;
  process.stderr.write(`switchyard: ${place} is damaged: ${damaged}\n`);
  return false;
}

function unreadable({ message }: FeedFailure): number {
  return report({ exitCode: EXIT.failed, message });
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
    .option(...SOURCE)
    .option(...DIR)
    .action(async (options: TailOptions, command: Command) => {
      const source = await openFeed(command, options.source ?? options.dir, 'verify');
      process.exitCode = source.ok ? await verify(source.value, options) : report(source.failure);
    });
}

async function verify(source: FeedSource, format: Format): Promise<number> {
  const verified = await verifyFeed(source);
  await source.close();
  if (!verified.ok) return unreadable(verified.failure);
  const result = verified.value;
  printObject({ ...result, problems: result.problems.map((one) => ({ ...one })) }, format, () =>
    reportText(result),
  );
  return result.problemsTotal === 0 ? EXIT.ok : EXIT.failed;
}

function reportText({ events, lastControlVersion, problems, problemsTotal }: FeedReport): string {
  const lines = problems.map(({ code, controlVersion, message }) =>
    printable(`${controlVersion}: ${code}: ${message}`),
  );
  const verdict = problemsTotal === 0 ? 'whole' : `${problemsTotal} problems`;
  return [...lines, `${events} events up to ${lastControlVersion}: ${verdict}`].join('\n');
}

function report({ exitCode, message }: NoFeed): number {
  process.stderr.write(`switchyard: ${message}\n`);
  return exitCode;
}
