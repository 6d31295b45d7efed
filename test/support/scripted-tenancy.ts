/**
 * A tenant manager in memory, as strict as the real interface: the port `TenancyApi` on scripted orgs and
 * projects. It keeps what it is asked and told, and can be taken away.
 */
import { fail, ok } from '../../machines/model/result.js';
import type {
  TenancyApi,
  TenancyEvent,
  TenancyFailure,
  TenancyPage,
} from '../../src/ports/tenancy-api.js';

type Kind = TenancyEvent['resourceType'];

interface Known {
  readonly kind: Kind;
  readonly id: string;
  readonly name: string;
  deleted: boolean;
}

export interface ScriptedTenancy extends TenancyApi {
  create(kind: Kind, name: string): string;
  /** Marks as deleted: replays go on telling of it until `erase`. */
  remove(id: string): void;
  erase(id: string): void;
  /** A backup from when event `id` was the newest takes its place. */
  restore(id: number): void;
  /** Events that are there and not to be seen yet, as of a commit that comes late. */
  readonly hidden: Set<number>;
  /** Questions, in order: `replay`, or `after 3 limit 100`. */
  readonly questions: string[];
  /** Reports, in order: `name completed`, `name error: why`, `name deleted`. */
  readonly reports: string[];
  /** `id` → status, as the tenant manager has it. */
  readonly statuses: ReadonlyMap<string, string>;
  /** Set: every question (or report) fails with it. */
  down: TenancyFailure | undefined;
  refuseStatusOf: string | undefined;
  /** Set: every report fails with it. */
  statusDown: TenancyFailure | undefined;
}

export function scriptedTenancy(): ScriptedTenancy {
  const known: Known[] = [];
  let made = 0;
  const log: TenancyEvent[] = [];
  const statuses = new Map<string, string>();

  const append = (eventType: TenancyEvent['eventType'], { kind, id, name }: Known): void => {
    const resource = { resourceType: kind, resourceId: id, resourceName: name } as const;
    log.push({ id: log.length + 1, eventType, ...resource });
  };
  const replayed = (kind: Kind, deleted: boolean): TenancyEvent[] =>
    known
      .filter((one) => one.kind === kind && one.deleted === deleted)
      .map(({ id, name }) => ({
        id: 0,
        eventType: deleted ? 'deleted' : 'created',
        resourceType: kind,
        resourceId: id,
        resourceName: name,
      }));
  const find = (id: string) => known.find((one) => one.id === id);

  const reported = (id: string, what: string) => {
    const { down, refuseStatusOf, statusDown } = manager;
    if (down !== undefined) return fail(down);
    manager.reports.push(`${find(id)?.name ?? id} ${what}`);
    if (statusDown !== undefined) return fail(statusDown);
    if (refuseStatusOf === id) return fail({ code: 'refused', message: 'poison' } as const);
    return undefined;
  };

  const manager: ScriptedTenancy = {
    questions: [],
    reports: [],
    statuses,
    down: undefined,
    refuseStatusOf: undefined,
    statusDown: undefined,
    hidden: new Set(),
    create: (kind, name) => {
      made += 1;
      const id = uuidOf(made);
      const resource = { kind, id, name, deleted: false };
      known.push(resource);
      append('created', resource);
      return id;
    },
    remove: (id) => {
      const resource = find(id);
      if (resource === undefined || resource.deleted) return;
      resource.deleted = true;
      append('deleted', resource);
    },
    erase: (id) => void known.splice(known.findIndex((one) => one.id === id) >>> 0, 1),
    restore: (id) => {
      log.length = id;
      const mentioned = new Set(log.map(({ resourceId }) => resourceId));
      for (const one of known.splice(0)) if (mentioned.has(one.id)) known.push(one);
      for (const one of known) {
        const last = log.findLast(({ resourceId }) => resourceId === one.id);
        one.deleted = last?.eventType === 'deleted';
      }
    },
    secure: () => undefined,
    replay: async () => {
      manager.questions.push('replay');
      if (manager.down !== undefined) return fail(manager.down);
      const events = [
        ...replayed('org', false),
        ...replayed('project', false),
        ...replayed('project', true),
        ...replayed('org', true),
      ];
      return ok({ events, lastEventId: log.length });
    },
    poll: async (after, limit) => {
      manager.questions.push(`after ${after} limit ${limit}`);
      if (manager.down !== undefined) return fail(manager.down);
      const seen = log.filter(({ id }) => id > after && !manager.hidden.has(id));
      const events = seen.slice(0, limit);
      return ok<TenancyPage>({ events, lastEventId: events.at(-1)?.id ?? after });
    },
    putStatus: async ({ id }, status, message) => {
      const failed = reported(id, message === '' ? status : `${status}: ${message}`);
      if (failed !== undefined) return failed;
      statuses.set(id, status);
      return ok(undefined);
    },
    deleteStatus: async ({ id }) => {
      const failed = reported(id, 'deleted');
      if (failed !== undefined) return failed;
      statuses.delete(id);
      return ok(undefined);
    },
  };
  return manager;
}

/** Readable, valid, and in the order of creation. */
export function uuidOf(number: number): string {
  return `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;
}
