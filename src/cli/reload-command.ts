/** `reload`: apply the configuration file now and say what came of it, part by part. */
import { Command } from 'commander';
import type { JsonObject } from '../../machines/model/json.js';
import { EXIT } from './exit-codes.js';
import { cell, type Format, printList, printObject } from './print.js';
import { formatOptions } from './read-commands.js';
import { callAndPrint, listAndPrint } from './session.js';

const CODE_OF: Readonly<Record<string, number>> = {
  full_success: EXIT.ok,
  unchanged: EXIT.ok,
  no_reload_yet: EXIT.ok,
  partial_applied: EXIT.semantic,
};

export function reloadCommand(): Command {
  // `reload status --json` is about the status: what follows a subcommand's name is the subcommand's.
  const reload = formatOptions(new Command('reload').enablePositionalOptions())
    .description('apply the configuration file now')
    .option('--dry-run', 'only say what would change')
    .option('--disruptive', 'allow changes that re-create a VIP')
    .action((options: Format & { dryRun?: boolean; disruptive?: boolean }, command: Command) => {
      const request = { dryRun: options.dryRun === true, disruptive: options.disruptive === true };
      return callAndPrint(command, { name: 'Reload', request }, (result) =>
        conclude(result, options),
      );
    });
  formatOptions(reload.command('status'))
    .description('the last result')
    .action((options: Format, command: Command) =>
      callAndPrint(command, { name: 'ReloadStatus' }, (result) => conclude(result, options)),
    );
  formatOptions(reload.command('history'))
    .description('the last results, newest first')
    .action((options: Format, command: Command) =>
      listAndPrint(command, { name: 'ReloadHistory', request: {} }, (results) => {
        printList(results, options, () => results.map(summary).join('\n') || 'no reload yet');
        return EXIT.ok;
      }),
    );
  return reload;
}

function conclude(result: JsonObject, format: Format): number {
  printObject(result, format, () => text(result));
  return CODE_OF[String(result['status'])] ?? EXIT.failed;
}

function summary(result: JsonObject): string {
  return `${cell(result['endedAt'] ?? result['startedAt'])}  generation ${cell(result['generation'])}  ${cell(result['status'])}  (${cell(result['trigger'])})`;
}

function text(result: JsonObject): string {
  const items = (name: string): readonly JsonObject[] =>
    (result[name] ?? []) as readonly JsonObject[];
  const names = (name: string): readonly string[] => (result[name] ?? []) as readonly string[];
  const lines = [result['status'] === 'no_reload_yet' ? 'no reload yet' : summary(result)];
  if (result['loadError'] !== undefined) lines.push(`error: ${cell(result['loadError'])}`);
  for (const { file, line, column, message } of items('problems')) {
    lines.push(`${cell(file)}:${cell(line)}:${cell(column)}: ${cell(message)}`);
  }
  for (const { path, from, to } of items('diff')) {
    lines.push(`  ${cell(path)}: ${cell(from)} -> ${cell(to)}`);
  }
  for (const { name, status, error } of items('outcomes')) {
    lines.push(`  ${cell(name)}: ${cell(status)}${error === undefined ? '' : ` (${cell(error)})`}`);
  }
  if (names('requiresRestart').length > 0) {
    lines.push(`needs a restart to take effect: ${names('requiresRestart').join(', ')}`);
  }
  if (names('disruptive').length > 0) {
    lines.push(`re-creates VIPs: ${names('disruptive').join(', ')}`);
  }
  return lines.join('\n');
}
