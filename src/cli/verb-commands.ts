/** Commands that act: drain, ack-drain, replace, dataplane, actor resume, and overrides. */
import { Command, Option } from 'commander';
import type { Json, JsonObject } from '../../machines/model/json.js';
import { act } from './act.js';
import { dataplaneCommand } from './dataplane-command.js';
import { durationMs } from './duration.js';
import { EXIT } from './exit-codes.js';
import { overrideCommands } from './override-commands.js';
import { details, type Format, printable, printList, printObject } from './print.js';
import { examples, formatOptions, listText } from './read-commands.js';
import { callAndPrint, listAndPrint } from './session.js';
import { tenantCommand } from './tenant-commands.js';

export function verbCommands(): readonly Command[] {
  return [
    drainCommand(),
    instanceVerb('ack-drain', 'AckDrain', 'tell that an instance is drained and may be deleted'),
    instanceVerb('replace', 'Replace', 'make a replacement, then drain the instance'),
    ...overrideCommands(),
    probeCommand(),
    dataplaneCommand(),
    actorCommand(),
    identityCommand(),
    sweepCommand(),
    tenantCommand(),
  ];
}

const REASON = ['--reason <reason>', 'why; kept in the journal', 'operator'] as const;

function drainCommand(): Command {
  return formatOptions(new Command('drain'))
    .description('take an instance out of its VIPs, let its flows end, delete it')
    .argument('<instance>', 'id of the instance')
    .addOption(
      new Option('--deadline <duration>', "the group's own when left out").argParser(durationMs),
    )
    .option(...REASON)
    .option('--force', 'even when it is the last weighted member of a VIP')
    .addHelpText('after', examples('drain i-3f2a-0190… --deadline 10m --reason "new kernel"'))
    .action(
      (
        instance: string,
        options: Format & { deadline?: number; reason: string; force?: boolean },
        command: Command,
      ) => {
        const { deadline = 0, reason, force = false } = options;
        return act(
          command,
          { name: 'Drain', request: { instance, deadlineMs: deadline, reason, force } },
          options,
        );
      },
    );
}

function instanceVerb(name: string, call: string, description: string): Command {
  return formatOptions(new Command(name))
    .description(description)
    .argument('<instance>', 'id of the instance')
    .option(...REASON)
    .action((instance: string, options: Format & { reason: string }, command: Command) =>
      act(command, { name: call, request: { name: instance, reason: options.reason } }, options),
    );
}

function probeCommand(): Command {
  const probe = new Command('probe').description('health checks by hand');
  formatOptions(probe.command('test'))
    .description(
      'run the check of a backend once, now, and tell all about it; exit 1 when it fails',
    )
    .argument('<backend>', 'name of a backend, or id of an instance')
    .addHelpText('after', examples('probe test cache-1'))
    .action((name: string, format: Format, command: Command) =>
      callAndPrint(command, { name: 'ProbeTest', request: { name } }, (answer) => {
        printObject(answer, format, () => details(answer));
        return answer['passed'] === true ? EXIT.ok : EXIT.failed;
      }),
    );
  return probe;
}

function actorCommand(): Command {
  const actor = new Command('actor').description('the actors themselves');
  formatOptions(actor.command('resume'))
    .description('bring a quarantined actor back')
    .argument('<address>', 'KIND/NAME as in get actors')
    .action((address: string, options: Format, command: Command) =>
      act(command, { name: 'ResumeActor', request: { name: address } }, options),
    );
  return actor;
}

function sweepCommand(): Command {
  return formatOptions(new Command('sweep'))
    .description('ask providers at once for all they have, and list what no instance knows')
    .argument('[provider]', 'only this one, as get providers shows it')
    .addHelpText('after', examples('sweep cloud', 'sweep --json'))
    .action((name: string | undefined, format: Format, command: Command) =>
      listAndPrint(command, { name: 'Sweep', request: { name: name ?? '' } }, (swept) => {
        printList(swept, format, () => sweptText(swept));
        return EXIT.ok;
      }),
    );
}

function sweptText(swept: readonly JsonObject[]): string {
  const orphans = swept.flatMap(({ name, orphans }) =>
    ((orphans ?? []) as readonly JsonObject[]).map((one) => ({ ...one, provider: name as Json })),
  );
  const heads = swept.map(({ name, listed, mode }) => `${name}: ${listed} of ours, mode ${mode}`);
  return [...heads.map(printable), listText('orphans', orphans)].join('\n');
}

function identityCommand(): Command {
  const identity = new Command('identity').description('the keys that speak for instances');
  formatOptions(identity.command('revoke'))
    .description("the key of an instance's agent counts no more, nor does its token")
    .argument('<instance>', 'id of the instance')
    .option(...REASON)
    .action((name: string, options: Format & { reason: string }, command: Command) =>
      act(command, { name: 'RevokeIdentity', request: { name, reason: options.reason } }, options),
    );
  return identity;
}
