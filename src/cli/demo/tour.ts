/**
 * The tour: tenants appear, an instance is killed, its VIP loses it, the replacement enters, the feed
 * says why; then the tenants are deleted and everything goes, in order. Each sentence follows from an
 * answer of the daemon.
 */
import type { JsonObject } from '../../../machines/model/json.js';
import { readFeed } from '../../feed/read.js';
import { columnsFor } from '../columns.js';
import { out, table } from '../print.js';
import type { Stage } from './stage.js';

const TENANTS = ['acme', 'globex'] as const;
/** Of one step; a whole tour ends within two minutes. */
const STEP_WITHIN_MS = 60_000;
const POLL_EVERY_MS = 100;

export async function tour(stage: Stage): Promise<void> {
  say('1', 'Starting the tenant manager and the daemon.');
  const manager = await stage.startTenantManager();
  const ready = await stage.startDaemon(manager);
  out(`   tenant manager ${manager}, admin http://${ready['admin']}/, data ${stage.dir}`);
  out(`   watch the machines at http://${ready['inspector']}/`);

  say(
    '2',
    `Creating an organisation with two projects (${TENANTS.join(', ')}) in the tenant manager.`,
  );
  await create(manager);
  await converged(stage, TENANTS.length);
  await print(stage, ['tenants', 'instances', 'frontends']);

  say('3', 'Killing one instance of the first tenant, as a crash would.');
  const victim = await kill(stage);
  await replaced(stage, victim);

  say('4', `The feed on the death and the replacement of ${victim.id}:`);
  await printFeed(stage, victim);

  say('5', `Why ${victim.replacement} exists:`);
  await printWhy(stage, String(victim.replacement));

  say('6', 'Deleting both projects: weights go to 0, instances drain, VIPs are withdrawn.');
  await remove(manager);
  await until('every tenant is gone', async () => (await stage.list('tenants')).length === 0);
  await printDeletion(stage, victim);
  const left = await Promise.all(['instances', 'frontends', 'backends'].map(stage.list));
  out(`   left on this node: ${left.flat().length} objects`);
  const projects = (await request(manager, 'GET', '/v1/projects')) as readonly Project[];
  const told = projects.map(({ name, status }) => `${name} ${status.indicator}`);
  out(`   the tenant manager says: ${told.join(', ')}`);
  out('\nThat is the loop.');
}

/** What the tenant manager shows of a project. */
interface Project {
  readonly name: string;
  readonly status: { readonly indicator: string };
}

interface Victim {
  readonly id: string;
  readonly address: string;
  readonly tenant: string;
  replacement?: string;
}

async function create(manager: string): Promise<void> {
  await request(manager, 'POST', '/v1/orgs', { name: 'edge' });
  for (const name of TENANTS) await request(manager, 'POST', '/v1/orgs/edge/projects', { name });
}

async function remove(manager: string): Promise<void> {
  for (const name of TENANTS) await request(manager, 'DELETE', `/v1/orgs/edge/projects/${name}`);
}

async function converged(stage: Stage, tenants: number): Promise<void> {
  let shown = '';
  await until('all tenants have converged', async () => {
    const instances = await stage.list('instances');
    const states = summary(instances);
    if (states !== shown && states !== '') out(`   ${states}`);
    shown = states;
    const all = (await stage.list('tenants')).filter(({ kind }) => kind === 'project');
    return all.length === tenants && all.every(({ state }) => state === 'converged');
  });
}

function summary(instances: readonly JsonObject[]): string {
  const counts = new Map<string, number>();
  for (const { state } of instances)
    counts.set(String(state), (counts.get(String(state)) ?? 0) + 1);
  return [...counts].map(([state, count]) => `${count} ${state}`).join(', ');
}

async function print(stage: Stage, kinds: readonly string[]): Promise<void> {
  for (const kind of kinds) {
    const text = table(columnsFor(kind, Date.now()), await stage.list(kind));
    out(`\n${indent(text)}`);
  }
}

async function kill(stage: Stage): Promise<Victim> {
  const [found] = await stage.list('instances');
  if (found === undefined) throw new Error('there is no instance to kill');
  const { id, address, tenant } = found;
  const identity = await (await fetch(`http://${address}:8080/`)).json();
  const pid = Number((identity as { readonly pid?: unknown }).pid);
  process.kill(pid, 'SIGKILL');
  const { name } = await stage.show('tenant', String(tenant));
  out(`   killed process ${pid}: ${id} at ${address}, of tenant ${name}`);
  return { id: String(id), address: String(address), tenant: String(tenant) };
}

async function replaced(stage: Stage, victim: Victim): Promise<void> {
  const vip = `${victim.tenant}/web`;
  const startedAt = Date.now();
  await until('the VIP loses the dead instance', async () => {
    const member = (await members(stage, vip)).find(({ name }) => name === victim.id);
    return member === undefined || Number(member['sentWeight'] ?? 0) === 0;
  });
  out(`   after ${Date.now() - startedAt} ms the VIP of ${vip} no longer has it:`);
  out(indent(weights(await members(stage, vip))));
  await until('the replacement enters the VIP', async () => {
    const instances = await stage.list('instances');
    victim.replacement = String(
      instances.find(({ replaces }) => replaces === victim.id)?.['id'] ?? '',
    );
    const entered = (await members(stage, vip)).filter(({ sentWeight }) => Number(sentWeight) > 0);
    return entered.length === 3 && entered.some(({ name }) => name === victim.replacement);
  });
  out(`   after ${Date.now() - startedAt} ms its replacement ${victim.replacement} has entered:`);
  out(indent(weights(await members(stage, vip))));
}

async function members(stage: Stage, frontend: string): Promise<readonly JsonObject[]> {
  const { pools } = await stage.show('frontend', frontend);
  return (pools as readonly { readonly members: readonly JsonObject[] }[]).flatMap(
    (pool) => pool.members,
  );
}

function weights(all: readonly JsonObject[]): string {
  const columns = ['name', 'address', 'state', 'sentWeight', 'buckets'].map((title) => ({
    title,
    value: (item: JsonObject) => item[title],
  }));
  return table(columns, all);
}

async function printFeed(stage: Stage, { id, replacement }: Victim): Promise<void> {
  const about = [id, replacement];
  for await (const read of readFeed({ dir: stage.feedDir })) {
    if (!read.ok || !about.includes(read.value.aggregateId)) continue;
    const event = read.value;
    const at = event.occurredAt.slice(11, 23);
    const { state } = event.data;
    out(`   ${event.controlVersion}  ${at}  ${event.orderingKey}  ${event.type}  ${state ?? ''}`);
  }
}

/** The feed on one tenant's end: drained first, then deleted, then its VIP, then the tenant itself. */
async function printDeletion(stage: Stage, { tenant }: Victim): Promise<void> {
  let deleting = false;
  for await (const read of readFeed({ dir: stage.feedDir })) {
    if (!read.ok || read.value.tenantId !== tenant) continue;
    const { type, orderingKey, occurredAt, controlVersion } = read.value;
    deleting ||= type === 'tenant.deletion_accepted';
    if (deleting) out(`   ${controlVersion}  ${occurredAt.slice(11, 23)}  ${orderingKey}  ${type}`);
  }
}

async function printWhy(stage: Stage, id: string): Promise<void> {
  const { chain } = await stage.call('Why', { kind: 'instance', name: id });
  for (const { at, actor, event, rule } of chain as readonly JsonObject[]) {
    out(`   ${String(at).slice(11, 23)}  ${actor}  ${event}  [${rule}]`);
  }
}

async function request(
  base: string,
  method: string,
  path: string,
  body?: JsonObject,
): Promise<unknown> {
  const answer = await fetch(`${base}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`tenant manager: ${method} ${path}: ${answer.status} ${text}`);
  return text === '' ? null : JSON.parse(text);
}

async function until(what: string, probe: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + STEP_WITHIN_MS;
  while (Date.now() < deadline) {
    if (await probe()) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_EVERY_MS));
  }
  throw new Error(`waited ${STEP_WITHIN_MS / 1_000} s in vain until ${what}`);
}

function say(step: string, sentence: string): void {
  out(`\n${step}. ${sentence}`);
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `   ${line}`)
    .join('\n');
}
