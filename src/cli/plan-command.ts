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
import { cell, type Format, printObject, table } from './print.js';
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

const rows = (plan: JsonObject, name: string): readonly JsonObject[] =>
  (plan[name] ?? []) as readonly JsonObject[];
const names = (plan: JsonObject, name: string): readonly string[] =>
  (plan[name] ?? []) as readonly string[];

function exitCodeOf(plan: JsonObject): number {
  if (rows(plan, 'problems').some(({ line }) => line !== undefined)) return EXIT.failed;
  const parts = ['changes', 'instances', 'dataplane', 'restartOnly', 'disruptive', 'problems'];
  return parts.every((part) => rows(plan, part).length === 0) ? EXIT.ok : EXIT.semantic;
}

/** One comes, one goes, one takes another's place. */
const SIGNS: Readonly<Record<string, string>> = { create: '+', replace: '~' };

function text(plan: JsonObject): string {
  const lines = [
    ...rows(plan, 'problems').map(problemLine),
    ...rows(plan, 'changes').map(
      ({ path, from, to }) => `  ${cell(path)}: ${cell(from)} -> ${cell(to)}`,
    ),
    ...rows(plan, 'instances').map(
      ({ action, group, id, reason }) =>
        `${SIGNS[String(action)] ?? '-'} instance of ${cell(group)}${id === undefined ? '' : ` ${cell(id)}`}: ${cell(reason)}`,
    ),
    ...heldLines(plan),
    ...rows(plan, 'dataplane').flatMap(vipLines),
  ];
  const restart = names(plan, 'restartOnly');
  if (restart.length > 0) lines.push(`needs a restart to take effect: ${restart.join(', ')}`);
  const disruptive = names(plan, 'disruptive');
  if (disruptive.length > 0) lines.push(`interrupts traffic: ${disruptive.join(', ')}`);
  return lines.length === 0 ? 'nothing to do' : lines.join('\n');
}

/** What the shrink guard would not let go by itself. */
function heldLines({ guard }: JsonObject): readonly string[] {
  const held = rows((guard ?? {}) as JsonObject, 'held');
  return held.map(({ object, count }) => {
    return `! ${cell(count)} of ${cell(object)} would wait for "switchyard confirm shrink"`;
  });
}

function problemLine({ file, line, column, path, message }: JsonObject): string {
  const place = line === undefined ? cell(path) : `${cell(file)}:${cell(line)}:${cell(column)}`;
  return `${place}: ${cell(message)}`;
}

function vipLines(vip: JsonObject): readonly string[] {
  const moved = `${(100 * Number(vip['movedNewFlows'])).toFixed(1)} %`;
  const pause = `${cell(vip['rebuilds'])} pauses, about ${cell(vip['estimatedPauseUs'])} µs`;
  const columns = ['as', 'before', 'after'].map((name) => ({
    title: name,
    value: (item: JsonObject) => item[name],
  }));
  return [
    `${cell(vip['frontend'])} (${cell(vip['vip'])}): ${moved} of new flows move; ${pause}`,
    ...rows(vip, 'ops').map(opLine),
    table(columns, rows(vip, 'buckets')),
  ];
}

function opLine({ op, as, weight, flush }: JsonObject): string {
  const words = [op, as, weight === undefined ? undefined : `weight ${cell(weight)}`];
  const said = words.filter((word) => word !== undefined).map(cell);
  return `  ${said.join(' ')}${flush === true ? ', flush' : ''}`;
}
