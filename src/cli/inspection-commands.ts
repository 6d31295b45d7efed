/** Commands for somebody who looks into things: quarantine, and why-not. */
import { Command } from 'commander';
import type { Json, JsonObject } from '../../machines/model/json.js';
import { act } from './act.js';
import { EXIT } from './exit-codes.js';
import { type OrderOptions, orderOptions, termsOf } from './override-commands.js';
import { cell, type Format, printable, printObject } from './print.js';
import { examples, formatOptions, OBJECT_HELP, objectOf } from './read-commands.js';
import { callAndPrint } from './session.js';

export function inspectionCommands(): readonly Command[] {
  return [quarantineCommand(), whyNotCommand()];
}

type QuarantineOptions = OrderOptions & { readonly release?: boolean; readonly force?: boolean };

function quarantineCommand(): Command {
  return orderOptions(new Command('quarantine'))
    .description('take an instance out of rotation and replace it, but keep it alive to look at')
    .argument('<instance>', 'id of the instance')
    .option('--release', 'end it: the instance serves again as it can')
    .option('--force', 'even when it is the last weighted member of a VIP')
    .addHelpText(
      'after',
      examples(
        'quarantine i-3f2a-0190… --reason "memory leak" --for 3d',
        'quarantine i-3f2a-0190… --release',
      ),
    )
    .action((instance: string, options: QuarantineOptions, command: Command) => {
      const { release = false, force = false } = options;
      const request = { instance, release, force, ...termsOf(options) };
      return act(command, { name: 'Quarantine', request }, options);
    });
}

function whyNotCommand(): Command {
  return formatOptions(new Command('why-not'))
    .description(
      'why nothing happens: what each gate says now (budget, window, breaker, creates, provider, guards)',
    )
    .argument('<object...>', OBJECT_HELP)
    .addHelpText('after', examples('why-not group/acme/web', 'why-not i-3f2a-0190…'))
    .action((words: string[], format: Format, command: Command) =>
      callAndPrint(command, { name: 'WhyNot', request: objectOf(words) }, (answer) => {
        printObject(answer, format, () => gatesText(answer));
        return EXIT.ok;
      }),
    );
}

const rows = (of: Json | undefined): readonly JsonObject[] =>
  Array.isArray(of) ? (of as readonly JsonObject[]) : [];

/** What holds comes first. */
function gatesText(answer: JsonObject): string {
  const gates = [...rows(answer['gates']), ...rows(answer['groupGates'])];
  const order = (state: string) => gates.filter((gate) => gate['state'] === state).map(gateText);
  const conditions = rows(answer['conditions']).map(
    ({ type, message, next }) => `condition  ${cell(type)}: ${cell(message)}; ${cell(next)}`,
  );
  const guards = rows(answer['guards']).map(
    ({ name }) => `guard      ${cell(name)} holds removals: switchyard confirm ${cell(name)}`,
  );
  const provider = answer['provider'] as JsonObject | undefined;
  const about = provider === undefined ? [] : [providerText(provider)];
  const lines = [...order('holds'), ...guards, ...conditions, ...order('open'), ...about];
  return lines.length === 0 ? 'nothing holds it' : lines.map(printable).join('\n');
}

function gateText({ gate, state, says }: JsonObject): string {
  return `${cell(state).padEnd(9)}  ${cell(gate).padEnd(10)} ${cell(says)}`;
}

function providerText({ object, state, queued, running, lastError }: JsonObject): string {
  const trouble = lastError === undefined ? '' : `; last error: ${cell(lastError)}`;
  return `provider   ${cell(object)}: ${cell(state)}, ${cell(queued)} waiting, ${cell(running)} running${trouble}`;
}
