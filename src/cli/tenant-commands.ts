/** `tenant list|show|unpark|undelete|sleep|wake`: tenants, by their id or by their name. */
import { Command } from 'commander';
import { act } from './act.js';
import { columnsFor } from './columns.js';
import { EXIT } from './exit-codes.js';
import { ownerOptions } from './override-commands.js';
import { details, type Format, printList, printObject, table } from './print.js';
import { examples, formatOptions } from './read-commands.js';
import { callAndPrint, listAndPrint } from './session.js';

const NAME = 'id or name of the tenant';

export function tenantCommand(): Command {
  const tenant = new Command('tenant').description('tenants');
  addList(tenant);
  addShow(tenant);
  formatOptions(tenant.command('unpark'))
    .description('try at once what is parked, instead of when its wait is over')
    .argument('<name>', NAME)
    .action((name: string, options: Format, command: Command) =>
      act(command, { name: 'UnparkTenant', request: { name } }, options),
    );
  formatOptions(tenant.command('undelete'))
    .description('keep a tenant that is being removed, within its undo window')
    .argument('<name>', NAME)
    .action((name: string, options: Format, command: Command) =>
      act(command, { name: 'UndeleteTenant', request: { name } }, options),
    );
  addOrder(tenant, 'sleep', 'SleepTenant', 'let its groups go down to nothing; their sizes stand');
  addOrder(tenant, 'wake', 'WakeTenant', 'bring its groups back to their sizes');
  return tenant;
}

function addOrder(tenant: Command, verb: string, name: string, description: string): void {
  ownerOptions(formatOptions(tenant.command(verb)))
    .description(description)
    .argument('<name>', NAME)
    .action(
      (shown: string, options: Format & { reason: string; owner: string }, command: Command) => {
        const { reason, owner } = options;
        return act(command, { name, request: { name: shown, reason, owner } }, options);
      },
    );
}

function addList(tenant: Command): void {
  formatOptions(tenant.command('list'))
    .description('all tenants: how far they are, what they wait for, why they are parked')
    .addHelpText('after', examples('tenant list', 'tenant list --json'))
    .action((options: Format, command: Command) =>
      listAndPrint(command, { name: 'List', request: { kind: 'tenants' } }, (items) => {
        const text = (): string =>
          items.length === 0 ? 'no tenants' : table(columnsFor('tenant list', Date.now()), items);
        printList(items, options, text);
        return EXIT.ok;
      }),
    );
}

function addShow(tenant: Command): void {
  formatOptions(tenant.command('show'))
    .description('one tenant, and what the tenant manager knows of it')
    .argument('<name>', NAME)
    .action((name: string, options: Format, command: Command) =>
      callAndPrint(command, { name: 'Show', request: { kind: 'tenant', name } }, (item) => {
        printObject(item, options, () => details(item));
        return EXIT.ok;
      }),
    );
}
