/** `reload`: apply the configuration file now and say what came of it, part by part. */
import { Command } from 'commander';
import type { JsonObject } from '../../machines/model/json.js';
import { EXIT } from './exit-codes.js';
import { diffLines, planRows, planText, problemLine } from './plan-text.js';
import { cell, type Format, printList, printObject } from './print.js';
import { formatOptions } from './read-commands.js';
import { callAndPrint, listAndPrint } from './session.js';

const CODE_OF: Readonly<Record<string, number>> = {
  full_success: EXIT.ok,
  unchanged: EXIT.ok,
  no_reload_yet: EXIT.ok,
  requested: EXIT.ok,
  partial_applied: EXIT.semantic,
  refused: EXIT.refused,
};

interface Options extends Format {
  readonly dryRun?: boolean;
  readonly disruptive?: boolean;
  readonly wait: boolean;
}

const EXAMPLES = `
Examples:
  switchyard reload --dry-run      what would change: fields, instances, load balancer
  switchyard reload                apply it and wait: 0 done or nothing to do, 2 in part, 1 not at all
  switchyard reload --disruptive   also what interrupts traffic`;

export function reloadCommand(): Command {
  // `reload status --json` is about the status: what follows a subcommand's name is the subcommand's.
  const reload = formatOptions(new Command('reload').enablePositionalOptions())
    .description('apply the configuration file now')
    .option('--dry-run', 'only say what would change')
    .option('--disruptive', 'allow changes that re-create a VIP')
    .option('--no-wait', 'only ask for it; `reload status` tells the result')
    .addHelpText('after', EXAMPLES)
    .action((options: Options, command: Command) => {
      const request = {
        dryRun: options.dryRun === true,
        disruptive: options.disruptive === true,
        noWait: !options.wait,
      };
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

const HEADLINES: Readonly<Record<string, string>> = {
  full_success: 'done: everything is as the file says',
  partial_applied: 'done in part: some parts could not be brought to what the file says',
  validation_failed: 'refused: the file cannot be applied; nothing has changed',
  load_failed: 'refused: the file cannot be read; nothing has changed',
  unchanged: 'nothing to do: the file says what is in force',
  refused: 'not begun: nothing has changed',
  no_result: 'no result: `switchyard reload status` tells it once the reload is over',
  rolled_back: 'taken back: parts failed, and everything is as it was before',
  no_reload_yet: 'no reload yet',
  requested: 'asked for; `switchyard reload status` tells the result',
};

const REHEARSALS: Readonly<Record<string, string>> = {
  full_success: 'a reload would change this; nothing has been changed yet',
  unchanged: 'a reload would do nothing: the file says what is in force',
  validation_failed: 'a reload would be refused: the file cannot be applied',
  load_failed: 'a reload would be refused: the file cannot be read',
  refused: 'not begun: ask again',
  no_result: 'no answer: nothing has been changed',
};

function text(result: JsonObject): string {
  const { status, dryRun, generation } = result;
  const known = dryRun === true ? REHEARSALS : HEADLINES;
  const headline = refusalIn(result) ?? known[String(status)] ?? cell(status);
  const where = generation === undefined ? '' : ` (generation ${cell(generation)})`;
  const lines = [`${headline}${where}`, ...refusalLines(result)];
  const { plan } = result;
  if (typeof plan === 'object' && plan !== null) lines.push(...planText(plan as JsonObject));
  else lines.push(...diffLines(planRows(result, 'diff'), result['changes']), ...afterLines(result));
  return lines.join('\n');
}

/** What stands in the way, where it can be said in one line. */
function refusalIn(result: JsonObject): string | undefined {
  const { status, dryRun } = result;
  if (status !== 'load_failed' && status !== 'validation_failed') return undefined;
  const would = dryRun === true ? 'a reload would be refused' : 'refused';
  const rest = dryRun === true ? '' : '; nothing has changed';
  const { length } = planRows(result, 'problems');
  if (length > 0) return `${would}: ${length} problem${length === 1 ? '' : 's'} in the file${rest}`;
  return isConsentAlone(result)
    ? `${would}: it interrupts traffic, and so needs --disruptive${rest}`
    : undefined;
}

/** Nothing is wrong with it but that nobody has agreed to it yet. */
function isConsentAlone(result: JsonObject): boolean {
  const outcomes = planRows(result, 'outcomes');
  const failed = outcomes.filter(({ status }) => status === 'failed');
  const disruptive = (result['disruptive'] ?? []) as readonly string[];
  const [only] = failed.length === 1 ? failed : [];
  return disruptive.length > 0 && String(only?.['error']).startsWith('needs --disruptive');
}

function refusalLines(result: JsonObject): readonly string[] {
  const { loadError } = result;
  const problems = planRows(result, 'problems').map(problemLine);
  const told = problems.length > 0 || loadError === undefined ? [] : [`error: ${cell(loadError)}`];
  const outcomes = isConsentAlone(result) ? [] : outcomeLines(planRows(result, 'outcomes'));
  return [...told, ...problems, ...outcomes];
}

/** Those that went well in one line, each other in its own. */
function outcomeLines(outcomes: readonly JsonObject[]): readonly string[] {
  const applied = outcomes
    .filter(({ status }) => status === 'applied')
    .map(({ name }) => cell(name));
  const failed = outcomes.filter(({ status }) => status === 'failed' || status === 'timed_out');
  return [
    ...failed.map(({ name, status, error }) => `  ${cell(name)} ${cell(status)}: ${cell(error)}`),
    ...(applied.length === 0 ? [] : [`  applied: ${applied.join(', ')}`]),
  ];
}

function afterLines(result: JsonObject): readonly string[] {
  const names = (name: string): readonly string[] => (result[name] ?? []) as readonly string[];
  const restart = names('requiresRestart');
  const disruptive = names('disruptive');
  return [
    ...(restart.length === 0 ? [] : [`Takes effect only at a restart: ${restart.join(', ')}`]),
    ...(disruptive.length === 0 ? [] : [`Re-creates VIPs: ${disruptive.join(', ')}`]),
  ];
}
