/** Commands that act: drain, ack-drain, replace, dataplane, actor resume, tenant undelete, and overrides. */
import { Command, Option } from 'commander';
import { act } from './act.js';
import { dataplaneCommand } from './dataplane-command.js';
import { durationMs } from './duration.js';
import { overrideCommands } from './override-commands.js';
import type { Format } from './print.js';
import { examples, formatOptions } from './read-commands.js';

export function verbCommands(): readonly Command[] {
  return [
    drainCommand(),
    instanceVerb('ack-drain', 'AckDrain', 'tell that an instance is drained and may be deleted'),
    instanceVerb('replace', 'Replace', 'make a replacement, then drain the instance'),
    ...overrideCommands(),
    dataplaneCommand(),
    actorCommand(),
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

function tenantCommand(): Command {
  const tenant = new Command('tenant').description('tenants');
  formatOptions(tenant.command('undelete'))
    .description('keep a tenant that is being removed, within its undo window')
    .argument('<name>', 'id of the tenant')
    .action((name: string, options: Format, command: Command) =>
      act(command, { name: 'UndeleteTenant', request: { name } }, options),
    );
  return tenant;
}
