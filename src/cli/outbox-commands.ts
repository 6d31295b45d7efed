/**
 * `outbox`: feed events on their way to the sink, and what an operator may do about them. Every verb is
 * recorded with its reason.
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import { act } from './act.js';
import { columnsFor } from './columns.js';
import { durationMs } from './duration.js';
import { EXIT } from './exit-codes.js';
import { type Format, printList, table } from './print.js';
import { examples, formatOptions, wholeNumber } from './read-commands.js';
import { listAndPrint } from './session.js';

export function outboxCommand(): Command {
  const outbox = new Command('outbox').description('feed events on their way to the sink');
  listCommand(outbox);
  requeueCommand(outbox);
  discardCommand(outbox);
  republishCommand(outbox);
  return outbox;
}

function listCommand(outbox: Command): void {
  formatOptions(outbox.command('list'))
    .description('newest first')
    .option('--dead', 'only dead letters')
    .addOption(new Option('--limit <n>', 'at most this many').default(50).argParser(wholeNumber))
    .action((options: Format & { dead?: boolean; limit: number }, command: Command) => {
      const request = { dead: options.dead === true, limit: options.limit };
      return listAndPrint(command, { name: 'ListOutbox', request }, (rows) => {
        printList(rows, options, () =>
          rows.length === 0 ? 'no rows' : table(columnsFor('outbox', 0), rows),
        );
        return EXIT.ok;
      });
    });
}

const ROW = ['<row>', 'a dead row: its number or its event id'] as const;

function requeueCommand(outbox: Command): void {
  formatOptions(outbox.command('requeue'))
    .description('send a dead row again, as if for the first time')
    .argument(...ROW)
    .addHelpText('after', examples('outbox requeue 1042'))
    .action((row: string, options: Format, command: Command) =>
      act(command, { name: 'AmendOutbox', request: { verb: 'REQUEUE', row } }, options),
    );
}

function discardCommand(outbox: Command): void {
  formatOptions(outbox.command('discard'))
    .description('let a dead row go: its tombstone stays in the feed')
    .argument(...ROW)
    .requiredOption('--reason <reason>', 'why; kept with the row and in the journal')
    .addHelpText('after', examples('outbox discard 1042 --reason "made by a bug"'))
    .action((row: string, options: Format & { readonly reason: string }, command: Command) => {
      const request = { verb: 'DISCARD', row, reason: options.reason };
      return act(command, { name: 'AmendOutbox', request }, options);
    });
}

function republishCommand(outbox: Command): void {
  formatOptions(outbox.command('republish'))
    .description('send again what was published since, with the same ids and bytes')
    .addOption(
      new Option('--since <time>', 'as 2026-03-01T12:00:00Z, or a duration ago: 10m')
        .makeOptionMandatory()
        .argParser(timeMs),
    )
    .addHelpText('after', examples('outbox republish --since 10m'))
    .action((options: Format & { readonly since: number }, command: Command) => {
      const request = { verb: 'REPUBLISH', sinceMs: options.since };
      return act(command, { name: 'AmendOutbox', request }, options);
    });
}

function timeMs(text: string): number {
  if (/^\d+(ms|s|m|h|d)$/.test(text)) return Date.now() - durationMs(text);
  const at = Date.parse(text);
  if (/^\d{4}-\d{2}-\d{2}T/.test(text) && at > 0) return at;
  throw new InvalidArgumentError(`'${text}' is no time: write 2026-03-01T12:00:00Z, or 10m`);
}
