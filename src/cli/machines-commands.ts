/** `machines list` and `machines show NAME`: the definitions of the machines, without a daemon. */
import { Command, Option } from 'commander';
import { ALL_MACHINES, type NamedMachine } from '../../machines/all-machines.js';
import type { JsonObject } from '../../machines/model/json.js';
import { EXIT } from './exit-codes.js';
import { chartOf } from './machine-chart.js';
import { mermaidOf } from './mermaid.js';
import { type Column, type Format, out, printList, table } from './print.js';
import { formatOptions } from './read-commands.js';
import { statelyOf } from './stately.js';

export function machinesCommand(): Command {
  const machines = new Command('machines').description('the state machines behind every actor');
  formatOptions(machines.command('list'))
    .description('their names and sizes')
    .action((format: Format) => printList(ALL_MACHINES.map(summaryOf), format, listText));
  machines
    .command('show')
    .description('one machine: states, events, guards, actions, delays')
    .argument('<name>', 'as in machines list')
    .addOption(
      new Option('--format <format>', 'json, a Mermaid diagram, or a module for Stately Studio')
        .choices(['json', 'mermaid', 'stately'])
        .default('json'),
    )
    .addHelpText('after', EXAMPLES)
    .action((name: string, { format }: { readonly format: MachineFormat }) => show(name, format));
  return machines;
}

const EXAMPLES = `
Examples:
  switchyard machines show instance --format mermaid > instance.mmd
  switchyard machines show group --format stately > group.ts   (import it in Stately Studio)`;

type MachineFormat = 'json' | 'mermaid' | 'stately';

function show(name: string, format: MachineFormat): void {
  const found = ALL_MACHINES.find((known) => known.name === name);
  if (found === undefined) {
    const names = ALL_MACHINES.map((known) => known.name).join(', ');
    process.stderr.write(`switchyard: there is no machine '${name}': one of ${names}\n`);
    process.exitCode = EXIT.notFound;
    return;
  }
  out(render(found, format).trimEnd());
}

export function render(
  { description, machine, name }: NamedMachine,
  format: MachineFormat,
): string {
  switch (format) {
    case 'json':
      return JSON.stringify({ name, description, ...chartOf(machine) }, null, 2);
    case 'mermaid':
      return mermaidOf(chartOf(machine));
    case 'stately':
      return statelyOf(machine);
  }
}

function summaryOf({ description, machine, name }: NamedMachine): JsonObject {
  const chart = chartOf(machine);
  return {
    name,
    states: chart.states.length - 1,
    events: chart.events.length,
    guards: chart.guards.length,
    delays: chart.delays.length,
    description,
  };
}

const COLUMNS = ['name', 'states', 'events', 'guards', 'delays', 'description'].map(
  (title): Column => ({ title, value: (item) => item[title] }),
);

function listText(): string {
  return table(COLUMNS, ALL_MACHINES.map(summaryOf));
}
