/** Commands that read: status, get, show, why, watch. */
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import type { JsonObject } from '../../machines/model/json.js';
import { RESOURCE_KINDS } from '../ports/node-api.js';
import { columnsFor } from './columns.js';
import { EXIT } from './exit-codes.js';
import {
  cell,
  details,
  type Format,
  out,
  printable,
  printList,
  printObject,
  table,
} from './print.js';
import { callAndPrint, listAndPrint, report, withDaemon } from './session.js';

export function formatOptions(command: Command): Command {
  return command.option('--json', 'print JSON').option('--jsonl', 'print one JSON object per line');
}

/** Example lines below a command's help. */
export function examples(...lines: readonly string[]): string {
  return ['', 'Examples:', ...lines.map((line) => `  switchyard ${line}`)].join('\n');
}

export function readCommands(): readonly Command[] {
  return [statusCommand(), getCommand(), showCommand(), whyCommand(), watchCommand()];
}

function statusCommand(): Command {
  return formatOptions(new Command('status'))
    .description('one screen: health, lease, generation, counts, conditions')
    .action((format: Format, command: Command) =>
      callAndPrint(command, { name: 'Status' }, (status) => {
        printObject(status, format, () => statusText(status));
        return healthy(status) ? EXIT.ok : EXIT.failed;
      }),
    );
}

function healthy(status: JsonObject): boolean {
  const conditions = (status['conditions'] ?? []) as readonly JsonObject[];
  return status['ready'] === true && conditions.every(({ severity }) => severity === 'info');
}

function statusText(status: JsonObject): string {
  const part = (name: string): JsonObject => (status[name] ?? {}) as JsonObject;
  const dataplane = part('dataplane');
  const outbox = part('outbox');
  const tenancy = status['tenancy'] as JsonObject | undefined;
  const conditions = (status['conditions'] ?? []) as readonly JsonObject[];
  const counts = Object.entries(part('counts')).map(([name, count]) => `${count} ${name}`);
  const connected = dataplane['connected'] === true ? 'connected' : 'NOT CONNECTED';
  const synced = dataplane['synced'] === true ? 'synced' : 'not synced';
  return [
    `${cell(status['node'])}  switchyard ${cell(status['version'])}  ${status['ready'] === true ? 'ready' : 'NOT READY'}`,
    `config      generation ${cell(status['generation'])}`,
    `lease       ${cell(part('lease')['driver'])}, epoch ${cell(part('lease')['epoch'])}`,
    `dataplane   ${cell(dataplane['driver'])}, ${connected}, ${synced}`,
    `outbox      ${cell(outbox['pending'])} pending, ${cell(outbox['dead'])} dead`,
    ...(tenancy === undefined
      ? []
      : [`tenancy     cursor ${cell(tenancy['cursor'])}, ${cell(tenancy['parked'])} parked`]),
    `objects     ${counts.join(', ')}`,
    ...(conditions.length === 0
      ? ['conditions  none']
      : ['conditions', table(columnsFor('conditions', 0), conditions)]),
  ].join('\n');
}

interface GetOptions extends Format {
  readonly tenant?: string;
  readonly group?: string;
  readonly state?: string;
  readonly limit?: number;
  readonly watch?: boolean;
}

const WATCH_EVERY_MS = 1_000;

function getCommand(): Command {
  return formatOptions(new Command('get'))
    .description('tables of objects')
    .addArgument(new Argument('<kind>', 'what to list').choices([...RESOURCE_KINDS]))
    .option('--tenant <tenant>', 'only of this tenant')
    .option('--group <group>', 'only of this group (NAME or TENANT/NAME)')
    .option('--state <state>', 'only in this state')
    .addOption(new Option('--limit <n>', 'at most this many').argParser(wholeNumber))
    .option('--watch', 'print again whenever it changed, until Ctrl-C')
    .addHelpText(
      'after',
      examples('get instances --tenant acme --state serving', 'get groups --watch'),
    )
    .action(async (kind: string, options: GetOptions, command: Command) => {
      const { tenant, group, state, limit } = options;
      const request = {
        kind,
        tenant: tenant ?? '',
        group: group ?? '',
        state: state ?? '',
        limit: limit ?? 0,
      };
      if (options.watch !== true) return getOnce(command, request, options);
      for (let last = ''; process.exitCode === undefined || process.exitCode === 0; ) {
        last = await getAgain(command, request, { options, last });
        await new Promise((resolve) => setTimeout(resolve, WATCH_EVERY_MS));
      }
    });
}

type ListRequest = JsonObject & { readonly kind: string };

function getOnce(command: Command, request: ListRequest, options: GetOptions): Promise<void> {
  return listAndPrint(command, { name: 'List', request }, (items) => {
    printList(items, options, () => listText(request.kind, items));
    return EXIT.ok;
  });
}

async function getAgain(
  command: Command,
  request: ListRequest,
  { options, last }: { readonly options: GetOptions; readonly last: string },
): Promise<string> {
  let seen = last;
  await listAndPrint(command, { name: 'List', request }, (items) => {
    seen = JSON.stringify(items);
    if (seen !== last) printList(items, options, () => `${listText(request.kind, items)}\n`);
    return EXIT.ok;
  });
  return seen;
}

export function listText(kind: string, items: readonly JsonObject[]): string {
  return items.length === 0 ? `no ${kind}` : table(columnsFor(kind, Date.now()), items);
}

export function wholeNumber(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(number)) return number;
  throw new InvalidArgumentError(`'${text}' is not a whole number`);
}

/** `KIND/NAME`, `KIND NAME`, or an instance's id alone. */
export function objectOf(words: readonly string[]): {
  readonly kind: string;
  readonly name: string;
} {
  const [first = '', second] = words;
  if (second !== undefined) return { kind: first, name: second };
  if (/^i-[0-9a-f]{4}-/.test(first)) return { kind: 'instance', name: first };
  const slash = first.indexOf('/');
  if (slash < 0) throw new RangeError(`'${first}' names no object: write ${OBJECT_HELP}`);
  return { kind: first.slice(0, slash), name: first.slice(slash + 1) };
}

export const OBJECT_HELP = 'KIND/NAME, KIND NAME, or the id of an instance';

function showCommand(): Command {
  return formatOptions(new Command('show'))
    .description('one object: state, since, cause, deadline, next step')
    .addHelpText('after', examples('show group/acme/web', 'show frontend web --json'))
    .argument('<object...>', OBJECT_HELP)
    .action((words: string[], format: Format, command: Command) =>
      callAndPrint(command, { name: 'Show', request: objectOf(words) }, (item) => {
        printObject(item, format, () => details(item));
        return EXIT.ok;
      }),
    );
}

function whyCommand(): Command {
  return formatOptions(new Command('why'))
    .description('the chain of decisions behind an object, oldest first')
    .addHelpText('after', examples('why group/acme/web'))
    .argument('<object...>', OBJECT_HELP)
    .action((words: string[], format: Format, command: Command) =>
      callAndPrint(command, { name: 'Why', request: objectOf(words) }, (answer) => {
        printObject(answer, format, () => chainText(answer));
        return EXIT.ok;
      }),
    );
}

function chainText(answer: JsonObject): string {
  const chain = (answer['chain'] ?? []) as readonly JsonObject[];
  return chain.map(eventText).join('\n');
}

function eventText(entry: JsonObject): string {
  const at = String(entry['at']).slice(11, 23);
  const object = entry['actor'] ?? `${cell(entry['kind'])}/${cell(entry['object'])}`;
  const numbers = Object.entries((entry['numbers'] ?? {}) as JsonObject)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${cell(value)}`);
  const subject = entry['subject'] === undefined ? '' : `  ${cell(entry['subject'])}`;
  return printable(
    `${at}  ${object}${subject}  ${entry['event']}  [${entry['rule']}]  ${numbers.join(' ')}`,
  ).trimEnd();
}

function watchCommand(): Command {
  return formatOptions(new Command('watch'))
    .description('the stream of decisions, resumable by sequence')
    .addHelpText('after', examples('watch --kind group', 'watch --since 1200 --jsonl'))
    .option('--kind <kind>', 'only of this kind')
    .option('--tenant <tenant>', 'only of this tenant')
    .addOption(
      new Option('--since <seq>', 'after this sequence; new ones only when left out').argParser(
        wholeNumber,
      ),
    )
    .action(
      (options: Format & { kind?: string; tenant?: string; since?: number }, command: Command) =>
        withDaemon(command, async (client) => {
          const { kind = '', tenant = '', since = -1 } = options;
          const plain = options.json === true || options.jsonl === true;
          const ended = await client.stream('WatchEvents', { since, kind, tenant }, (item) =>
            out(plain ? JSON.stringify(item) : `${cell(item['seq'])}  ${eventText(item)}`),
          );
          return ended.ok ? EXIT.ok : report(ended.failure);
        }),
    );
}
