/**
 * The node as its operators see it, put together from the actors' own views and the store's journal.
 * Nothing is kept here: every answer is read when it is asked for.
 */
import type { Refusal } from '../../machines/model/failures.js';
import { type ActorKind, type Address, addressOf } from '../../machines/model/ids.js';
import type { Json, JsonObject } from '../../machines/model/json.js';
import { fail, ok, type Result } from '../../machines/model/result.js';
import type { Clock } from '../ports/clock.js';
import type { ConfigFile } from '../ports/config-file.js';
import type { ListFilter, NodeApi, ReloadRequest, ResourceKind } from '../ports/node-api.js';
import type { Store } from '../ports/store.js';
import type { AskFailure } from '../runtime/asks.js';
import { conditionsOf } from './conditions.js';
import type { Directory } from './directory.js';
import { incidentsOf } from './incidents.js';
import { planOf } from './plan.js';
import { tenancyOf, tenantsOf } from './tenants.js';
import { watchJournal } from './watch.js';
import { whyChain } from './why.js';

export interface ApiOptions {
  readonly directory: Directory;
  readonly store: Store;
  readonly clock: Clock;
  readonly node: string;
  readonly version: string;
  readonly epoch: number;
  /** Reads a configuration for a plan. */
  readonly open: ConfigFile['open'];
  readonly planGroup: NodeApi['planGroup'];
}

const ACTOR_OF: Readonly<Partial<Record<ResourceKind, ActorKind>>> = {
  tenants: 'tenant',
  groups: 'group',
  instances: 'instance',
  backends: 'backend',
  frontends: 'frontend',
  guards: 'guard',
  providers: 'provider',
};

/** Reloads read files and wait for every part; they may take longer than an ordinary question. */
const RELOAD_ACTOR = addressOf('reload', 'main');

export function createApi(options: ApiOptions): NodeApi {
  const { directory, store, clock } = options;

  const list = async (kind: ResourceKind, filter: ListFilter): Promise<readonly JsonObject[]> => {
    const all = await listAll(options, kind);
    return select([...all].sort(byName), filter);
  };

  const show = async (kind: string, name: string): Promise<JsonObject | undefined> => {
    const all = await listAll(options, `${kind}s` as ResourceKind);
    return all.find((item) => nameOf(item) === name || item['name'] === name);
  };

  const first = async (kind: ActorKind): Promise<JsonObject> =>
    (await directory.views(kind))[0] ?? {};

  return {
    list,
    show,
    view: directory.view,
    tell: directory.tell,
    status: () => statusOf(options, first),
    ask: async (to, message) => {
      if (message.type === 'actor.resume') return resumed(directory, to);
      return refusalOf(to, await directory.ask(to, message));
    },
    dataplane: () => first('lbsync'),
    why: (object) => whyChain(store, object),
    watch: (since, listener) => watchJournal({ store, clock, since, listener }),
    reload: ({ dryRun, disruptive, trigger }: ReloadRequest) =>
      askReload(directory, { type: 'reload.requested', dryRun, disruptive, trigger }),
    plan: (given) => planOf(options, given),
    planGroup: options.planGroup,
    reloadStatus: async () => {
      const { last } = await first('reload');
      return isObject(last) ? last : { status: 'no_reload_yet' };
    },
    reloadHistory: async () => {
      const { history } = await first('reload');
      return Array.isArray(history) ? history.filter(isObject) : [];
    },
    outbox: async (filter) => valueOr(await store.outboxList(filter), []),
    ready: () => readiness(options, first),
  };
}

async function listAll(options: ApiOptions, kind: ResourceKind): Promise<readonly JsonObject[]> {
  const { directory } = options;
  if (kind === 'actors') return directory.actors();
  if (kind === 'conditions') return conditionsOf(options);
  if (kind === 'overrides') return overridesOf(directory);
  if (kind === 'incidents') return incidentsOf(options);
  if (kind === 'tenants') return tenantsOf(directory);
  const actor = ACTOR_OF[kind];
  return actor === undefined ? [] : directory.views(actor);
}

/** Each object's are kept together; here is one list of all. */
async function overridesOf(directory: Directory): Promise<readonly JsonObject[]> {
  const views = await directory.views('override');
  return views.flatMap(({ overrides }) => (Array.isArray(overrides) ? overrides : []));
}

function nameOf(item: JsonObject): string {
  const { address, id, tenant, name, object } = item;
  if (typeof item['mailboxDepth'] === 'number') return String(address);
  if (typeof item['effectiveSize'] === 'number') return `${tenant}/${name}`;
  if (item['owner'] !== undefined) return `${object} ${item['kind']}`;
  return String(id ?? name ?? object ?? '');
}

function byName(a: JsonObject, b: JsonObject): number {
  return nameOf(a) < nameOf(b) ? -1 : 1;
}

function select(items: readonly JsonObject[], filter: ListFilter): readonly JsonObject[] {
  const { tenant, group, state, after, limit } = filter;
  return items
    .filter((item) => tenant === undefined || [item['tenant'], item['id']].includes(tenant))
    .filter((item) => group === undefined || groupMatches(item, group))
    .filter((item) => state === undefined || item['state'] === state)
    .filter((item) => after === undefined || nameOf(item) > after)
    .slice(0, limit ?? items.length);
}

function groupMatches(item: JsonObject, group: string): boolean {
  return item['group'] === group || `${item['tenant']}/${item['group'] ?? item['name']}` === group;
}

async function resumed(directory: Directory, address: Address): Promise<Result<Json, Refusal>> {
  if (await directory.resume(address)) return ok({ resumed: address });
  const message = `${address} is not quarantined, or its row is of another release: see 'switchyard get actors'`;
  return fail({ code: 'refused', rule: 'SU-3', message });
}

/** Answers of actors are `{ok, …}`; a refusal inside becomes a refusal. */
function refusalOf(to: Address, outcome: Result<Json, AskFailure>): Result<Json, Refusal> {
  if (!outcome.ok) {
    const { code, message } = outcome.failure;
    const kind = code === 'no-actor' ? 'not-found' : 'refused';
    return fail({ code: kind, rule: code, message: `${to}: ${message}` });
  }
  const answer = outcome.value;
  if (!isObject(answer) || answer['ok'] !== false) return ok(answer);
  return fail(answer['refusal'] as unknown as Refusal);
}

async function askReload(
  directory: Directory,
  message: { readonly type: string; readonly [field: string]: Json },
): Promise<JsonObject> {
  const outcome = refusalOf(RELOAD_ACTOR, await directory.ask(RELOAD_ACTOR, message));
  if (outcome.ok && isObject(outcome.value)) return outcome.value;
  // A pass that was begun goes on whoever waits for it: only one that was refused is known not to be.
  const { rule, message: why } = outcome.ok ? NO_RESULT : outcome.failure;
  const status = rule === 'RE-1' ? 'refused' : 'no_result';
  const { dryRun } = message;
  return { status, dryRun: dryRun ?? false, loadError: why, outcomes: [], problems: [] };
}

const NO_RESULT = { rule: '', message: 'the reload gave no result' };

type First = (kind: ActorKind) => Promise<JsonObject>;

/** Where the node is its own fleet nobody keeps a lease, and it is always held. */
function leaseOf(view: JsonObject, epoch: number): JsonObject {
  if (view['driver'] === undefined) return { driver: 'solo', held: true, epoch };
  return { driver: view['driver'], held: view['held'] ?? false, epoch: view['epoch'] ?? 0 };
}

async function statusOf(options: ApiOptions, first: First): Promise<JsonObject> {
  const { directory, store, clock } = options;
  const kinds = ['tenant', 'group', 'instance', 'backend', 'frontend'] as const;
  const counts = await Promise.all(kinds.map(async (kind) => (await directory.views(kind)).length));
  const outbox = valueOr(await store.outboxCounts(), { pending: 0, dead: 0 });
  const tenancy = await tenancyOf(directory, clock.now());
  const lbsync = await first('lbsync');
  const { ready } = await readiness(options, first);
  return {
    node: options.node,
    version: options.version,
    ready,
    lease: leaseOf(await first('lease'), options.epoch),
    generation: (await first('reload'))['generation'] ?? 0,
    dataplane: {
      driver: lbsync['driver'] ?? 'none',
      connected: lbsync['connected'] ?? false,
      synced: lbsync['synced'] ?? false,
      frozen: lbsync['frozen'] ?? false,
    },
    outbox: {
      pending: outbox.pending,
      oldestAgeMs:
        outbox.oldestPendingAt === undefined
          ? 0
          : Math.max(0, clock.now() - outbox.oldestPendingAt),
      dead: outbox.dead,
    },
    ...(tenancy === undefined ? {} : { tenancy }),
    counts: Object.fromEntries(kinds.map((kind, index) => [`${kind}s`, counts[index] ?? 0])),
    conditions: await conditionsOf(options),
  };
}

async function readiness(
  { store }: ApiOptions,
  first: First,
): Promise<{ readonly ready: boolean; readonly reasons: readonly string[] }> {
  const reasons: string[] = [];
  const opened = await store.metaGet('epoch');
  if (!opened.ok) reasons.push(`store: ${opened.failure.message}`);
  const lbsync = await first('lbsync');
  const { driver, connected, problem } = lbsync;
  if (driver !== 'none' && connected !== true) {
    reasons.push(`dataplane: ${problem ?? 'not connected yet'}`);
  }
  const { generation } = await first('reload');
  if (typeof generation !== 'number') reasons.push('config: not applied yet');
  return { ready: reasons.length === 0, reasons };
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function valueOr<T>(result: Result<T, unknown>, otherwise: T): T {
  return result.ok ? result.value : otherwise;
}
