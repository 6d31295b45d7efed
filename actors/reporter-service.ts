/**
 * The reporter, `reporter/main`: carries statuses to the tenant manager. Of each resource only the newest
 * waits; a few are on their way at once; what became of each is told to its resource, which owes it until
 * it is acknowledged: nothing here has to survive.
 *
 * Not a machine: it decides nothing, it only paces. Tenancy's questions tell whether the tenant manager
 * answers at all: while it does not, no status is tried, and after a silence of our own only one is. While
 * tenancy catches up one is on its way at a time: news goes first, and statuses still go.
 *
 * Rules: [TE-8] the latest status wins; [TE-11] a tenant manager that does not answer delays them all,
 * and one that refuses delays the refused one only; [TE-55] one breaker for questions and statuses.
 */
import { addressOf } from '../machines/model/ids.js';
import type { JsonObject } from '../machines/model/json.js';
import type { ReporterMessage, ResourceMessage, StatusOrder } from '../machines/model/messages.js';
import type { TenancyApi, TenancyFailure } from '../src/ports/tenancy-api.js';
import type { Mail, Service, ServiceScope, ServiceType } from '../src/runtime/actor-type.js';

export interface ReporterPorts {
  readonly tenancyApi: TenancyApi | undefined;
}

/** Statuses on their way at once. */
export const STATUSES_MAX = 16;
const TIMEOUT_MS = 30_000;

type Outcome = 'acknowledged' | 'refused' | 'unreachable';

/** What outside work of the service comes to; told to itself. */
interface Pushed {
  readonly type: 'status.pushed';
  readonly owed: Owed;
  readonly outcome: Outcome;
}

interface Owed {
  readonly order: StatusOrder;
  readonly cause: string;
}

interface Desk {
  readonly scope: ServiceScope;
  readonly api: TenancyApi | undefined;
  /** By tenant, the longest waiting first. */
  readonly queue: Map<string, Owed>;
  readonly running: Set<string>;
  timeoutMs: number;
  /** `trying`: it was silent, and is asked one thing. */
  line: 'up' | 'trying' | 'down';
  /** More events wait at the tenant manager. */
  busy: boolean;
  told: number;
  failed: number;
}

export const reporterService: ServiceType<ReporterPorts> = {
  kind: 'reporter',
  start: (scope, { tenancyApi: api }) => createReporter(scope, api),
};

function createReporter(scope: ServiceScope, api: TenancyApi | undefined): Service {
  const desk: Desk = {
    scope,
    api,
    queue: new Map(),
    running: new Set(),
    timeoutMs: TIMEOUT_MS,
    line: 'up',
    busy: false,
    told: 0,
    failed: 0,
  };
  return {
    receive: (message, mail) => receive(desk, message as ReporterMessage | Pushed, mail),
    view: () => viewOf(desk),
    stop: () => desk.queue.clear(),
  };
}

function receive(desk: Desk, message: ReporterMessage | Pushed, { cause }: Mail): void {
  switch (message.type) {
    case 'reporter.settings':
      desk.timeoutMs = message.settings.timeoutMs;
      break;
    case 'reporter.line':
      desk.busy = message.busy;
      if (!message.up) desk.line = 'down';
      else if (desk.line === 'down') desk.line = 'trying';
      break;
    case 'status.owed':
      desk.queue.set(message.order.tenant, { order: message.order, cause });
      break;
    case 'status.pushed':
      conclude(desk, message);
  }
  serve(desk);
}

function serve(desk: Desk): void {
  const { queue, running, scope, api, timeoutMs } = desk;
  const places = placesAt(desk);
  for (const [tenant, owed] of queue) {
    if (running.size >= places) return;
    // Two of one resource could overtake each other.
    if (running.has(tenant)) continue;
    queue.delete(tenant);
    running.add(tenant);
    scope.because(owed.cause).run(async (): Promise<Pushed> => {
      const outcome = api === undefined ? 'unreachable' : await push(api, owed.order, timeoutMs);
      return { type: 'status.pushed', owed, outcome };
    });
  }
}

function placesAt({ line, busy }: Desk): number {
  if (line === 'down') return 0;
  return line === 'trying' || busy ? 1 : STATUSES_MAX;
}

async function push(api: TenancyApi, order: StatusOrder, timeoutMs: number): Promise<Outcome> {
  const { resource, report } = order;
  const { status, message } = report;
  const told =
    status === 'deleted'
      ? await api.deleteStatus(resource, timeoutMs)
      : await api.putStatus(resource, status, message, timeoutMs);
  return told.ok ? 'acknowledged' : outcomeOf(told.failure);
}

/** Only a refusal is about this one. */
function outcomeOf({ code }: TenancyFailure): Outcome {
  return code === 'unreachable' || code === 'unauthorized' ? 'unreachable' : 'refused';
}

function conclude(desk: Desk, { owed, outcome }: Pushed): void {
  const { order, cause } = owed;
  const { tenant, report } = order;
  desk.running.delete(tenant);
  if (outcome !== 'acknowledged') desk.failed += 1;
  if (outcome === 'unreachable') {
    desk.line = 'down';
    // To the end: should this one be the reason, the others are tried before it.
    if (!desk.queue.has(tenant)) desk.queue.set(tenant, owed);
    return;
  }
  if (outcome === 'acknowledged') desk.told += 1;
  desk.line = 'up';
  const message: ResourceMessage = { type: 'status.told', report, outcome };
  desk.scope.because(cause).tell(addressOf('resource', tenant), message);
}

function viewOf({ queue, running, line, told, failed }: Desk): JsonObject {
  return { owed: queue.size, running: running.size, line, told, failed };
}
