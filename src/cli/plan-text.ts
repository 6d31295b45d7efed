/**
 * A plan in words, for `plan` and `reload --dry-run`: what changes in the file, which instances come and
 * go, what the load balancer is asked and what its clients notice, what waits and what needs consent.
 *
 * Input: the plan in the operators' shape. Output: lines; none when there is nothing to do.
 */
import type { JsonObject } from '../../machines/model/json.js';
import { cell, table } from './print.js';

export function planText(plan: JsonObject): readonly string[] {
  return [
    ...planRows(plan, 'problems').map(problemLine),
    ...changeLines(plan),
    ...instanceLines(planRows(plan, 'instances')),
    ...heldLines(plan),
    ...planRows(plan, 'dataplane').flatMap((vip, index) => vipLines(vip, index)),
    ...waitLines(plan),
  ];
}

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
function changeLine({ path, from, to }: JsonObject): string {
  if (from === null || from === undefined) return `  ${cell(path)}: added, ${cell(to)}`;
  if (to === null || to === undefined) return `  ${cell(path)}: removed`;
  return `  ${cell(path)}: ${cell(from)} -> ${cell(to)}`;
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
    return `  ${verb} ${count} ${what} of ${cell(row['group'])} (${cell(row['reason'])})${which}`;
  });
  return told.length === 0 ? [] : ['Instances:', ...told, ...INSTANCES_FOLLOW];
}

/** Why the load balancer's part does not name them. */
const INSTANCES_FOLLOW = [
  '  Load balancers follow one by one: who is new enters once it is up, who goes is drained first.',
];

/** What the shrink guard would not let go by itself. */
function heldLines({ guard }: JsonObject): readonly string[] {
  return planRows((guard ?? {}) as JsonObject, 'held').map(({ object, count }) => {
    return `  ! ${cell(count)} of ${cell(object)} would wait for "switchyard confirm shrink"`;
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
  const grid = shares.length === 0 ? [] : table(columns, shares).split('\n');
  return [
    ...(index === 0 ? ['Load balancer:'] : []),
    `  ${cell(vip['frontend'])} (${cell(vip['vip'])}): ${effectOf(vip)}${rebuilds === 0 ? '' : `; ${pause}`}`,
    ...planRows(vip, 'ops').map((op) => `    ${opLine(op)}`),
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
