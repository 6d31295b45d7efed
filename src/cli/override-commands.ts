/**
 * Commands that order something against the configuration until it ends: backend, weight, scale, and the
 * list of all of it. Every order has an owner, a reason, and an end (`--for`, a day) or `--forever`.
 */
import { userInfo } from 'node:os';
import { Argument, Command, Option } from 'commander';
import type { JsonObject } from '../../machines/model/json.js';
import { act } from './act.js';
import { durationMs } from './duration.js';
import { EXIT } from './exit-codes.js';
import { type Format, printList } from './print.js';
import { examples, formatOptions, listText, wholeNumber } from './read-commands.js';
import { listAndPrint } from './session.js';

export function overrideCommands(): readonly Command[] {
  return [
    scaleCommand(),
    confirmCommand(),
    backendCommand(),
    weightCommand(),
    nodeCommand(),
    overrideCommand(),
  ];
}

export interface OrderOptions extends Format {
  readonly reason: string;
  readonly owner: string;
  readonly for?: number;
  readonly forever?: boolean;
}

/** Options of every order. */
export function orderOptions(command: Command): Command {
  return ownerOptions(formatOptions(command))
    .addOption(
      new Option('--for <duration>', 'how long it holds; a day when left out')
        .argParser(durationMs)
        .conflicts('forever'),
    )
    .option('--forever', 'until it is cleared, or the configured value itself changes');
}

export function ownerOptions(command: Command): Command {
  return command
    .option('--reason <reason>', 'why; kept in the journal', 'operator')
    .option('--owner <name>', 'who orders it', userInfo().username);
}

export function termsOf({ reason, owner, for: forMs = 0, forever = false }: OrderOptions) {
  return { reason, owner, forMs, forever };
}

function scaleCommand(): Command {
  return orderOptions(new Command('scale'))
    .description('override the size of a group')
    .argument('<group>', 'TENANT/GROUP')
    .addArgument(new Argument('<size>', 'how many instances').argParser(wholeNumber))
    .addHelpText('after', examples('scale acme/web 5 --reason "launch day" --for 8h'))
    .action((group: string, size: number, options: OrderOptions, command: Command) =>
      act(command, { name: 'Scale', request: { group, size, ...termsOf(options) } }, options),
    );
}

function confirmCommand(): Command {
  return ownerOptions(formatOptions(new Command('confirm')))
    .description('let go what a guard holds: removals of more instances than may go by themselves')
    .argument('<guard>', 'its name, as get guards shows it')
    .addOption(
      new Option(
        '--at-most <instances>',
        'refused when more would go than get guards showed',
      ).argParser(wholeNumber),
    )
    .addHelpText(
      'after',
      examples('get guards', 'confirm shrink --at-most 40 --reason "the tenant moved away"'),
    )
    .action(confirm);
}

function confirm(
  name: string,
  { reason, owner, atMost = 0, ...format }: OrderOptions & { readonly atMost?: number },
  command: Command,
): Promise<void> {
  return act(command, { name: 'Confirm', request: { name, reason, owner, atMost } }, format);
}

function backendCommand(): Command {
  return orderOptions(new Command('backend'))
    .description('pause or resume its probes, or take it out and put it back')
    .addArgument(new Argument('<verb>').choices(['pause', 'resume', 'enable', 'disable']))
    .argument('<name>', 'name of the backend')
    .addHelpText('after', examples('backend disable cache-1 --reason "bad disk" --forever'))
    .action((verb: string, name: string, options: OrderOptions, command: Command) => {
      const request = { name, verb: verb.toUpperCase(), ...termsOf(options) };
      return act(command, { name: 'Backend', request }, options);
    });
}

function weightCommand(): Command {
  return orderOptions(new Command('weight'))
    .description('override the weight of a member')
    .argument('<frontend>', 'name of the frontend')
    .argument('<pool>', 'name of the pool')
    .argument('<member>', 'a backend, a group TENANT/GROUP, or one instance of it')
    .addArgument(new Argument('<weight>', '0 to 100, as configured').argParser(wholeNumber))
    .option('--flush', 'let the flows pinned to it choose again')
    .addHelpText('after', examples('weight cache primary cache-1 10 --reason canary --for 1h'))
    .action(weigh);
}

function weigh(
  ...[frontend, pool, member, weight, options, command]: [
    string,
    string,
    string,
    number,
    OrderOptions & { readonly flush?: true },
    Command,
  ]
): Promise<void> {
  const { flush = false } = options;
  const request: JsonObject = { frontend, pool, member, weight, flush, ...termsOf(options) };
  return act(command, { name: 'SetWeight', request }, options);
}

function nodeCommand(): Command {
  const node = new Command('node').description('this node as the world sees it');
  const verb = (name: 'drain' | 'undrain', call: string, description: string) =>
    orderOptions(node.command(name))
      .description(description)
      .action((options: OrderOptions, command: Command) =>
        act(command, { name: call, request: termsOf(options) }, options),
      );
  verb('drain', 'NodeDrain', 'withdraw every VIP through the announce hook');
  verb('undrain', 'NodeUndrain', 'announce them again');
  return node;
}

function overrideCommand(): Command {
  const override = new Command('override').description('what operators ordered, and until when');
  formatOptions(override.command('list'))
    .description('all overrides that stand')
    .action((options: Format, command: Command) =>
      listAndPrint(command, { name: 'List', request: { kind: 'overrides' } }, (items) => {
        printList(items, options, () => listText('overrides', items));
        return EXIT.ok;
      }),
    );
  ownerOptions(formatOptions(override.command('clear')))
    .description('end one of them: the configuration holds again')
    .argument('<object>', 'KIND/NAME as listed')
    .argument('<kind>', 'as listed')
    .addHelpText('after', examples('override clear backend/cache-1 pause'))
    .action((object: string, kind: string, options: OrderOptions, command: Command) => {
      const { reason, owner } = options;
      return act(
        command,
        { name: 'ClearOverride', request: { object, kind, reason, owner } },
        options,
      );
    });
  return override;
}
