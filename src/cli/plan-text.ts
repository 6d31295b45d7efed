/**
 * A plan in words, for `plan` and `reload --dry-run`: what changes in the file, which instances come and
 * go, what the load balancer is asked and what its clients notice, what waits and what needs consent.
 *
 * Input: the plan in the operators' shape. Output: lines; none when there is nothing to do.
 */
import type { JsonObject } from '../../machines/model/json.js';
import { cell, table } from './print.js';

export function planText(plan: JsonObject): readonly string[] {
  const changes = changeLines(plan);
  const follows = [
    ...instanceLines(planRows(plan, 'instances')),
    ...heldLines(plan),
    ...planRows(plan, 'dataplane').flatMap((vip, index) => vipLines(vip, index)),
  ];
  return [
    ...planRows(plan, 'problems').map(problemLine),
    ...changes,
    ...(changes.length > 0 && follows.length === 0 ? [UNTOUCHED] : follows),
    ...waitLines(plan),
  ];
}

const UNTOUCHED = 'No instance comes or goes, and the load balancer is asked for nothing.';

export function planRows(plan: JsonObject, name: string): readonly JsonObject[] {
  return (plan[name] ?? []) as readonly JsonObject[];
}

const names = (plan: JsonObject, name: string): readonly string[] =>
  (plan[name] ?? []) as readonly string[];

export function problemLine({ file, line, column, path, message }: JsonObject): string {
  const place = line === undefined ? cell(path) : `${cell(file)}:${cell(line)}:${cell(column)}`;
  return `${place}: ${cell(message)}`;
}

function changeLines(plan: JsonObject): readonly string[] {
  const changes = planRows(plan, 'changes');
  return changes.length === 0
    ? []
    : ['Changes in the file:', ...diffLines(changes, plan['changesTotal'])];
}

/** `total`: how many there are, should they not all be here. */
export function diffLines(
  changes: readonly JsonObject[],
  total: JsonObject[string] | undefined,
): readonly string[] {
  const rest = Number(total ?? 0) - changes.length;
  const more = rest > 0 ? [`  and ${rest} more`] : [];
  return [...changes.map(changeLine), ...more];
}

/** Objects come and go whole. */
function changeLine({ path, from, to, follows }: JsonObject): string {
  if (from === null || from === undefined) return `  ${cell(path)}: added, ${short(cell(to))}`;
  if (to === null || to === undefined) return `  ${cell(path)}: removed`;
  if (isDigest(from) && isDigest(to))
    return `  ${cell(path)}: has other contents, which are not shown`;
  const why = follows === undefined ? '' : ` (it follows ${beside(String(path), String(follows))})`;
  return `  ${cell(path)}: ${cell(from)} -> ${cell(to)}${why}`;
}

/** Of an object with all its defaults the beginning is what was written. */
const ADDED_MAX = 160;

function short(text: string): string {
  return text.length <= ADDED_MAX ? text : `${text.slice(0, ADDED_MAX)}…`;
}

function isDigest(value: JsonObject[string] | undefined): boolean {
  return typeof value === 'string' && /^sha256:[0-9a-f]+$/.test(value);
}

/** A key by its name alone where both lie together. */
function beside(path: string, key: string): string {
  const folder = path.slice(0, path.lastIndexOf('.') + 1);
  const name = key.slice(folder.length);
  return key.startsWith(folder) && !name.includes('.') ? name : key;
}

const VERBS: Readonly<Record<string, string>> = { create: '+ create', replace: '~ replace' };

/** One line for all that happen to a group for one reason. */
function instanceLines(instances: readonly JsonObject[]): readonly string[] {
  const lines = new Map<
    string,
    { count: number; readonly ids: string[]; readonly row: JsonObject }
  >();
  for (const row of instances) {
    const key = JSON.stringify([row['action'], row['group'], row['reason']]);
    const found = lines.get(key) ?? { count: 0, ids: [], row };
    found.count += 1;
    if (row['id'] !== undefined) found.ids.push(String(row['id']));
    lines.set(key, found);
  }
  const told = [...lines.values()].map(({ count, ids, row }) => {
    const verb = VERBS[String(row['action'])] ?? '- delete';
    const which = ids.length === 0 ? '' : `: ${ids.join(', ')}`;
    const what = count === 1 ? 'instance' : 'instances';
    return `  ${verb} ${count} ${what} of ${cell(row['label'] ?? row['group'])} (${cell(row['reason'])})${which}`;
  });
  if (told.length === 0) return [];
  const replaces = instances.some(({ action }) => action === 'replace');
  return ['Instances:', ...told, ...(replaces ? [IN_TURN] : []), INSTANCES_FOLLOW];
}

const IN_TURN = '  Replacements take turns: so many of a group at a time as its budget allows.';
/** Why the load balancer's part does not name them. */
const INSTANCES_FOLLOW =
  '  Load balancers follow one by one: who is new enters once it is up, who goes is drained first.';

/** What the shrink guard would not let go by itself. */
function heldLines({ guard }: JsonObject): readonly string[] {
  return planRows((guard ?? {}) as JsonObject, 'held').map(({ object, label, count }) => {
    return `  ! ${cell(count)} of ${cell(label ?? object)} would wait for "switchyard confirm shrink"`;
  });
}

function vipLines(vip: JsonObject, index: number): readonly string[] {
  const rebuilds = Number(vip['rebuilds']);
  const times = rebuilds === 1 ? 'once' : `${rebuilds} times`;
  const pause = `VPP pauses ${times}, about ${cell(vip['estimatedPauseUs'])} µs in all`;
  const columns = [
    { title: 'server', value: (item: JsonObject) => item['as'] },
    { title: 'buckets now', value: (item: JsonObject) => item['before'] },
    { title: 'then', value: (item: JsonObject) => item['after'] },
  ];
  const shares = planRows(vip, 'buckets');
  const ops = planRows(vip, 'ops');
  const has = (name: string): boolean => ops.some(({ op }) => op === name);
  const [made, goes] = [has('vip.add'), has('vip.del') && !has('vip.add')];
  const grid = goes || shares.length === 0 ? [] : table(columns, shares).split('\n');
  // A VIP that has just been made has no connections yet.
  const told = made ? ops.filter(({ op }) => op !== 'vip.flush') : ops;
  return [
    ...(index === 0 ? ['Load balancer:'] : []),
    `  ${cell(vip['label'] ?? vip['frontend'])} (${cell(vip['vip'])}): ${effectOf(vip)}${rebuilds === 0 ? '' : `; ${pause}`}`,
    ...told.map((op) => `    ${opLine(op)}`),
    ...grid.map((line) => `    ${line}`),
  ];
}

/** What its clients notice. */
function effectOf(vip: JsonObject): string {
  const ops = planRows(vip, 'ops').map(({ op }) => op);
  const [made, removed] = [ops.includes('vip.add'), ops.includes('vip.del')];
  if (made && removed) return 'it is made anew: every open connection may break';
  if (made) return 'it is new';
  if (removed) return 'it goes: nobody answers there any more';
  const moved = (100 * Number(vip['movedNewFlows'])).toFixed(1);
  return `${moved} % of new connections go to another server than before`;
}

function opLine({ op, as, weight, flush }: JsonObject): string {
  const flushed = flush === true ? '; its open connections go elsewhere' : '';
  switch (op) {
    case 'vip.add':
      return 'the VIP is made';
    case 'vip.del':
      return 'the VIP is removed';
    case 'vip.flush':
      return 'its open connections are spread anew';
    case 'as.add':
      return `server ${cell(as)} is added with weight ${cell(weight)}`;
    case 'as.del':
      return `server ${cell(as)} is removed`;
    case 'as.weight':
      return `server ${cell(as)} gets weight ${cell(weight)}${flushed}`;
    default:
      return cell(op);
  }
}

function waitLines(plan: JsonObject): readonly string[] {
  const restart = names(plan, 'restartOnly');
  const disruptive = names(plan, 'disruptive');
  return [
    ...(restart.length === 0 ? [] : [`Takes effect only at a restart: ${restart.join(', ')}`]),
    ...(disruptive.length === 0
      ? []
      : [`Interrupts traffic, and so needs reload --disruptive: ${disruptive.join(', ')}`]),
  ];
}
