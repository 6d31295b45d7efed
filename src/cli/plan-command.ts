/**
 * `plan [FILE]`: what this file, or a reload now, would do: instances, requests to VPP in their order
 * with their effect on traffic, what waits for a restart and what interrupts traffic. Does nothing.
 *
 * Exit codes: 0 nothing to do, 2 changes, 1 the file has problems.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command } from 'commander';
import type { JsonObject } from '../../machines/model/json.js';
import { EXIT } from './exit-codes.js';
import { planRows, planText } from './plan-text.js';
import { type Format, printObject } from './print.js';
import { examples, formatOptions } from './read-commands.js';
import { callAndPrint } from './session.js';

export function planCommand(): Command {
  return formatOptions(new Command('plan'))
    .description('what this file, or a reload now, would do')
    .argument('[file]', "default: the daemon's own")
    .addHelpText('after', examples('plan next.yaml'))
    .action((file: string | undefined, options: Format, command: Command) => {
      const given = file === undefined ? {} : read(resolve(file));
      if (given === undefined) return unreadable(file ?? '');
      return callAndPrint(command, { name: 'Plan', request: given }, (plan) => {
        printObject(plan, options, () => text(plan));
        return exitCodeOf(plan);
      });
    });
}

function read(file: string): JsonObject | undefined {
  try {
    return { file, text: readFileSync(file, 'utf8') };
  } catch {
    return undefined;
  }
}

function unreadable(file: string): void {
  process.stderr.write(`switchyard: ${file} cannot be read: name a configuration file\n`);
  process.exitCode = EXIT.failed;
}

function exitCodeOf(plan: JsonObject): number {
  if (planRows(plan, 'problems').some(({ line }) => line !== undefined)) return EXIT.failed;
  const parts = ['changes', 'instances', 'dataplane', 'restartOnly', 'disruptive', 'problems'];
  return parts.every((part) => planRows(plan, part).length === 0) ? EXIT.ok : EXIT.semantic;
}

function text(plan: JsonObject): string {
  const lines = planText(plan);
  return lines.length === 0 ? 'nothing to do' : lines.join('\n');
}
