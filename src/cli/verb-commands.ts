/** Commands that act: drain, ack-drain, replace, scale, backend, dataplane sync, actor resume, tenant undelete. */
import { Argument, Command, Option } from 'commander';
import type { JsonObject } from '../../machines/model/json.js';
import { durationMs } from './duration.js';
import { EXIT } from './exit-codes.js';
import { details, type Format, printObject } from './print.js';
import { examples, formatOptions, wholeNumber } from './read-commands.js';
import { callAndPrint } from './session.js';

export function verbCommands(): readonly Command[] {
  return [
    drainCommand(),
    instanceVerb('ack-drain', 'AckDrain', 'tell that an instance is drained and may be deleted'),
    instanceVerb('replace', 'Replace', 'make a replacement, then drain the instance'),
    scaleCommand(),
    backendCommand(),
    dataplaneCommand(),
    actorCommand(),
    tenantCommand(),
  ];
}

const REASON = ['--reason <reason>', 'why; kept in the journal', 'operator'] as const;

function act(
  command: Command,
  call: { name: string; request: JsonObject },
  format: Format,
): Promise<void> {
  return callAndPrint(command, call, (answer) => {
    printObject(answer, format, () => details(answer));
    return EXIT.ok;
  });
}

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

function scaleCommand(): Command {
  return formatOptions(new Command('scale'))
    .description('override the size of a group until the configured size itself changes')
    .argument('<group>', 'TENANT/GROUP')
    .addArgument(new Argument('<size>', 'how many instances').argParser(wholeNumber))
    .option(...REASON)
    .addHelpText('after', examples('scale acme/web 5 --reason "launch day"'))
    .action((group: string, size: number, options: Format & { reason: string }, command: Command) =>
      act(command, { name: 'Scale', request: { group, size, reason: options.reason } }, options),
    );
}

function backendCommand(): Command {
  return formatOptions(new Command('backend'))
    .description('pause or resume its probes, or take it out and put it back')
    .addArgument(new Argument('<verb>').choices(['pause', 'resume', 'enable', 'disable']))
    .argument('<name>', 'name of the backend')
    .option(...REASON)
    .action((verb: string, name: string, options: Format & { reason: string }, command: Command) =>
      act(
        command,
        { name: 'Backend', request: { name, verb: verb.toUpperCase(), reason: options.reason } },
        options,
      ),
    );
}

function dataplaneCommand(): Command {
  const dataplane = new Command('dataplane').description('the load balancer');
  formatOptions(dataplane.command('sync'))
    .description('compare with VPP and repair now')
    .argument('[frontend]', 'only this one')
    .action((frontend: string | undefined, options: Format, command: Command) =>
      act(command, { name: 'Sync', request: { name: frontend ?? '' } }, options),
    );
  return dataplane;
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
