/**
 * `plan`: what a configuration file would do if it were reloaded now, before anything is done.
 *
 * Input:  a configuration (none: the file the daemon runs on), the node's own views.
 * Output: the plan in the operators' shape: instances to create and delete, requests to VPP in order
 *         with their effect on traffic, fields that wait for a restart, fields that interrupt traffic.
 *
 * Frontends answer for themselves: only they know what their members are. One that does not exist yet
 * is asked as if it did. Rules: [CL-70] a plan changes nothing and names everything a reload would.
 */
import { newFrontend } from '../../machines/frontend-memory.js';
import { type Expected, type Outlook, outlookOf } from '../../machines/frontend-outlook.js';
import { assert } from '../../machines/model/assert.js';
import type { FrontendSpec, TenantSpec } from '../../machines/model/desired.js';
import { addressOf, type FrontendName, parseFrontendName } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import type { LbOp } from '../../machines/model/lb.js';
import type { GuardSettings, Message } from '../../machines/model/messages.js';
import { type DataplaneOutlook, type FrontendOutlook, outlook } from '../lb/outlook.js';
import { NOBODY, type Read } from '../policy/reload.js';
import type { Clock } from '../ports/clock.js';
import type { ConfigDesk, ConfigFile, KeptConfig } from '../ports/config-file.js';
import type { GivenConfig } from '../ports/node-api.js';
import type { Store } from '../ports/store.js';
import type { Directory } from './directory.js';
import { guardOutlook } from './plan-guard.js';
import {
  instancesOf,
  tenantsIn,
  unplannable,
  type WantedTenants,
  withOrdered,
} from './plan-instances.js';
import { labelsOf } from './plan-names.js';

export interface Planner {
  readonly directory: Pick<Directory, 'views' | 'ask'>;
  readonly store: Pick<Store, 'load'>;
  readonly clock: Clock;
}

/** Of what was given, or of the daemon's own file; expanded from the daemon's environment. */
export async function planOf(
  planner: Planner & { readonly open: ConfigFile['open'] },
  given: GivenConfig | undefined,
): Promise<JsonObject> {
  const opened = await planner.open(given);
  if (!opened.ok) return { ...NOTHING, problems: opened.failure.map((one) => ({ ...one })) };
  const plan = await planOn(planner, opened.value);
  opened.value.close();
  return plan;
}

export async function planOn(planner: Planner, desk: ConfigDesk): Promise<JsonObject> {
  const { committed, booted, generation } = await inForce(planner.store);
  const against = { committed, booted, retired: NOBODY, prepare: false };
  const read = (await desk.compare(against)) as unknown as Read;
  const [tenants, groups, members] = await Promise.all(
    (['tenant', 'group', 'instance'] as const).map(planner.directory.views),
  );
  const site = await wantedBy(desk, generation + 1);
  const catalogue = await desk.settings('ordered_groups');
  const wanted = withOrdered(tenantsIn(site, tenants ?? []), tenants ?? [], catalogue);
  const stays = unplannable(tenants ?? [], catalogue);
  const judged = (groups ?? []).filter(({ tenant, name }) => !stays.has(`${tenant}/${name}`));
  const specs = [...site.frontends, ...wanted.flatMap((tenant) => tenant.frontends)];
  const dataplane = await dataplaneOf(planner, specs);
  const label = labelsOf(wanted, tenants ?? []);
  const instances = instancesOf(wanted, { groups: judged, members: members ?? [] });
  return {
    changes: read.diff,
    changesTotal: read.changes,
    instances: instances.map((row) => label(row, String(row['group']))),
    guard: guardOutlook(instances, label, {
      rule: site.guard,
      used: Number((await planner.directory.views('guard'))[0]?.['used'] ?? 0),
      total: (groups ?? []).reduce((sum, one) => sum + Number(one['effectiveSize'] ?? 0), 0),
    }),
    dataplane: dataplane.vips.map(({ ops, ...rest }) => {
      const buckets = rest.buckets.map((one) => ({ ...one }));
      return label({ ...rest, ops: ops.map(opShape), buckets }, rest.frontend);
    }),
    restartOnly: booted === null ? [] : read.requiresRestart,
    disruptive: read.disruptive,
    problems: dataplane.findings.map(({ frontend, message, code }) => ({
      path: `frontends.${frontend}`,
      message,
      code,
    })),
  };
}

const NOTHING: JsonObject = {
  changes: [],
  changesTotal: 0,
  instances: [],
  dataplane: [],
  restartOnly: [],
  disruptive: [],
};

interface InForce {
  readonly committed: KeptConfig | null;
  readonly booted: JsonObject | null;
  readonly generation: number;
}

/** What the last reload committed, as its actor's stored row has it. */
async function inForce(store: Planner['store']): Promise<InForce> {
  const rows = await store.load(['reload']);
  const context: JsonObject = rows.ok ? (rows.value[0]?.context ?? {}) : {};
  const { committed, booted, generation } = context;
  return {
    committed: isObject(committed) ? (committed as unknown as KeptConfig) : null,
    booted: isObject(booted) ? booted : null,
    generation: Number(generation ?? 0),
  };
}

type Wanted = WantedTenants & {
  readonly frontends: readonly FrontendSpec[];
  readonly guard: GuardSettings;
};

/** From what its actors would be told. */
async function wantedBy(desk: ConfigDesk, generation: number): Promise<Wanted> {
  const told = async <T>(hook: string, field: string): Promise<readonly T[]> => {
    const order = { hook, generation, retired: NOBODY, previous: null, mayRecreate: false };
    const found: T[] = [];
    for await (const batch of desk.letters(order)) {
      found.push(
        ...batch.map(({ message }) => (message as unknown as JsonObject)[field] as unknown as T),
      );
    }
    return found;
  };
  const [tenancy] = await told<NonNullable<WantedTenants['tenancy']>>('tenancy', 'settings');
  const [guard] = await told<GuardSettings>('guards', 'settings');
  assert(guard !== undefined, 'every configuration has a guard');
  return {
    generation,
    guard,
    frontends: await told<FrontendSpec>('frontends', 'spec'),
    tenants: await told<TenantSpec>('tenants', 'spec'),
    ...(tenancy === undefined ? {} : { tenancy }),
  };
}

async function dataplaneOf(
  planner: Planner,
  specs: readonly FrontendSpec[],
): Promise<DataplaneOutlook> {
  const [known, backends] = await Promise.all(
    (['frontend', 'backend'] as const).map(planner.directory.views),
  );
  const expected: Expected = Object.fromEntries(
    (backends ?? []).map(({ name, state }) => [String(name), String(state)]),
  );
  const names = (known ?? []).flatMap(({ name }) => parseFrontendName(String(name)) ?? []);
  const byName = new Map(specs.map((spec) => [spec.name, spec]));
  const asked = names.map(async (name) => {
    const spec = byName.get(name) ?? null;
    return namedOutlook(name, await askOutlook(planner, name, { spec, expected }));
  });
  const unknown = specs.filter(({ name }) => !names.includes(name));
  const fresh = unknown.map((spec) => {
    const memory = newFrontend(addressOf('frontend', spec.name));
    const nowMs = planner.clock.now();
    return namedOutlook(spec.name, outlookOf(memory, spec, { expected, nowMs }));
  });
  return outlook([...(await Promise.all(asked)), ...fresh]);
}

interface Question {
  readonly spec: FrontendSpec | null;
  readonly expected: Expected;
}

/** One that does not answer is left out of the plan by having nothing and wanting nothing. */
async function askOutlook(
  { directory }: Planner,
  name: FrontendName,
  question: Question,
): Promise<Outlook> {
  const message: Message = { type: 'frontend.outlook', ...question } as Message;
  const answer = await directory.ask(addressOf('frontend', name), message);
  const nothing: Outlook = { wanted: null, sent: null, found: null };
  return answer.ok && isObject(answer.value) ? (answer.value as unknown as Outlook) : nothing;
}

function namedOutlook(frontend: FrontendName, { wanted, sent, found }: Outlook): FrontendOutlook {
  const isThere = found?.exists === true;
  return {
    frontend,
    wanted: wanted === null ? undefined : { ...wanted, revision: 0 },
    sent: sent ?? undefined,
    found: isThere
      ? ({ ...found.conf, servers: found.servers } as FrontendOutlook['found'])
      : undefined,
  };
}

function opShape(op: LbOp): JsonObject {
  if (op.op === 'as.add') return { op: op.op, as: op.as, weight: op.weight };
  if (op.op === 'as.weight') return { op: op.op, as: op.as, weight: op.weight, flush: op.flush };
  return op.op === 'as.del' ? { op: op.op, as: op.as } : { op: op.op };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
