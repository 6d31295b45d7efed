/**
 * Orgs, projects, their events and the statuses controllers report, in one SQLite file.
 *
 * Every change and its event share a transaction. Deleting marks; the row goes when no registered
 * controller has a status left (see cleanup.ts). A replay lists parents before children on the way up
 * and children before parents on the way down.
 */
import { randomUUID } from 'node:crypto';
import Database from 'better-sqlite3';
import { SCHEMA } from './schema.js';

export type ResourceType = 'org' | 'project';

export interface ResourceRow {
  readonly id: string;
  readonly name: string;
  readonly deletedAt: number | null;
  readonly orgId: string | null;
  readonly orgName: string | null;
}

export interface EventRow {
  readonly id: number;
  readonly eventType: 'created' | 'deleted';
  readonly resourceType: ResourceType;
  readonly resourceId: string;
  readonly resourceName: string;
  readonly orgId: string | null;
  readonly orgName: string | null;
  readonly folderId: null;
  readonly createdAt: string;
}

export interface StatusRow {
  readonly controller: string;
  readonly status: string;
  readonly message: string;
}

export interface StatusKey {
  readonly controller: string;
  readonly resourceType: ResourceType;
  readonly resourceId: string;
}

export interface Page {
  readonly events: readonly EventRow[];
  readonly lastEventId: number;
}

export interface Store {
  /** Undefined: the name is taken, perhaps by one that is being deleted. */
  createOrg(name: string): ResourceRow | undefined;
  createProject(org: string, name: string): ResourceRow | undefined;
  /** False: there is nothing of this name to delete. Its live projects go with it. */
  deleteOrg(name: string): boolean;
  deleteProject(org: string, name: string): boolean;
  orgs(): readonly ResourceRow[];
  projects(): readonly ResourceRow[];
  replay(): Page;
  eventsAfter(after: number, limit: number): Page;
  putStatus(key: StatusKey, status: string, message: string): void;
  deleteStatus(key: StatusKey): void;
  statusesOf(type: ResourceType, id: string): readonly StatusRow[];
  /** Ends a deleted resource for good. */
  erase(type: ResourceType, id: string): void;
  forgetEventsBefore(at: number): void;
  close(): void;
}

interface Change {
  readonly eventType: 'created' | 'deleted';
  readonly resourceType: ResourceType;
  readonly row: ResourceRow;
}

const ORG = 'id, name, deleted_at AS deletedAt, NULL AS orgId, NULL AS orgName';
const PROJECT = `projects.id, projects.name, projects.deleted_at AS deletedAt,
  orgs.id AS orgId, orgs.name AS orgName`;
const PROJECTS = `projects JOIN orgs ON orgs.seq = projects.org_seq`;
const EVENT = `id, event_type AS eventType, resource_type AS resourceType,
  resource_id AS resourceId, resource_name AS resourceName, org_id AS orgId, org_name AS orgName,
  NULL AS folderId, created_at AS at`;

export function openStore(file: string, now: () => number): Store {
  const db = new Database(file);
  db.pragma('journal_mode = WAL');
  db.pragma('foreign_keys = ON');
  db.exec(SCHEMA);

  const prepared = new Map<string, Database.Statement>();
  const prepare = (sql: string): Database.Statement => {
    const known = prepared.get(sql) ?? db.prepare(sql);
    prepared.set(sql, known);
    return known;
  };
  const all = <T>(sql: string, ...values: unknown[]) => prepare(sql).all(...values) as T[];
  const first = <T>(sql: string, ...values: unknown[]) =>
    prepare(sql).get(...values) as T | undefined;
  const run = (sql: string, ...values: unknown[]) => prepare(sql).run(...values).changes;

  const orgNamed = (name: string) =>
    first<ResourceRow>(`SELECT ${ORG} FROM orgs WHERE name = ?`, name);
  const projectNamed = (org: string, name: string) =>
    first<ResourceRow>(
      `SELECT ${PROJECT} FROM ${PROJECTS} WHERE orgs.name = ? AND projects.name = ?`,
      org,
      name,
    );

  const append = ({ eventType, resourceType, row }: Change): void => {
    run(
      `INSERT INTO tenancy_events
         (event_type, resource_type, resource_id, resource_name, org_id, org_name, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      ...[eventType, resourceType, row.id, row.name, row.orgId, row.orgName, now()],
    );
  };

  /** Guarded by "still live": deleting twice at once is one event. */
  const markDeleted = (resourceType: ResourceType, row: ResourceRow): boolean => {
    const sql = `UPDATE ${resourceType}s SET deleted_at = ? WHERE id = ? AND deleted_at IS NULL`;
    if (run(sql, now(), row.id) === 0) return false;
    append({ eventType: 'deleted', resourceType, row });
    return true;
  };

  const createOrg = (name: string): ResourceRow | undefined => {
    if (orgNamed(name) !== undefined) return undefined;
    run('INSERT INTO orgs (id, name, created_at) VALUES (?, ?, ?)', randomUUID(), name, now());
    const row = orgNamed(name);
    if (row !== undefined) append({ eventType: 'created', resourceType: 'org', row });
    return row;
  };

  const createProject = (org: string, name: string): ResourceRow | undefined => {
    const parent = orgNamed(org);
    if (parent === undefined || parent.deletedAt !== null) return undefined;
    if (projectNamed(org, name) !== undefined) return undefined;
    run(
      `INSERT INTO projects (id, org_seq, name, created_at)
       SELECT ?, seq, ?, ? FROM orgs WHERE name = ?`,
      ...[randomUUID(), name, now(), org],
    );
    const row = projectNamed(org, name);
    if (row !== undefined) append({ eventType: 'created', resourceType: 'project', row });
    return row;
  };

  const deleteOrg = (name: string): boolean => {
    const row = orgNamed(name);
    if (row === undefined || row.deletedAt !== null) return false;
    const live = all<ResourceRow>(
      `SELECT ${PROJECT} FROM ${PROJECTS}
       WHERE orgs.name = ? AND projects.deleted_at IS NULL ORDER BY projects.seq`,
      name,
    );
    for (const project of live) markDeleted('project', project);
    return markDeleted('org', row);
  };

  const deleteProject = (org: string, name: string): boolean => {
    const row = projectNamed(org, name);
    return row !== undefined && markDeleted('project', row);
  };

  const replay = (): Page => {
    // The boundary first: what is newer comes again, and nothing is missed.
    const boundary = first<{ id: number | null }>('SELECT max(id) AS id FROM tenancy_events');
    const live = 'deleted_at IS NULL';
    const gone = 'deleted_at IS NOT NULL';
    const orgs = (where: string, order: string) =>
      all<ResourceRow>(`SELECT ${ORG} FROM orgs WHERE ${where} ORDER BY ${order}`);
    const projects = (where: string, order: string) =>
      all<ResourceRow>(
        `SELECT ${PROJECT} FROM ${PROJECTS} WHERE projects.${where} ORDER BY projects.${order}`,
      );
    const at = now();
    const events = [
      ...orgs(live, 'seq').map((row) => replayed('created', 'org', row)),
      ...projects(live, 'seq').map((row) => replayed('created', 'project', row)),
      ...projects(gone, 'deleted_at, projects.seq').map((row) =>
        replayed('deleted', 'project', row),
      ),
      ...orgs(gone, 'deleted_at, seq').map((row) => replayed('deleted', 'org', row)),
    ].map((event) => ({ ...event, createdAt: new Date(at).toISOString() }));
    return { events, lastEventId: boundary?.id ?? 0 };
  };

  const eventsAfter = (after: number, limit: number): Page => {
    const sql = `SELECT ${EVENT} FROM tenancy_events WHERE id > ? ORDER BY id LIMIT ?`;
    const rows = all<EventRow & { readonly at: number }>(sql, after, limit);
    const events = rows.map(({ at, ...event }) => ({
      ...event,
      createdAt: new Date(at).toISOString(),
    }));
    return { events, lastEventId: events.at(-1)?.id ?? after };
  };

  const erase = (type: ResourceType, id: string): void => {
    run('DELETE FROM controller_statuses WHERE resource_type = ? AND resource_id = ?', type, id);
    run(`DELETE FROM ${type}s WHERE id = ? AND deleted_at IS NOT NULL`, id);
  };

  return {
    createOrg: db.transaction(createOrg),
    createProject: db.transaction(createProject),
    deleteOrg: db.transaction(deleteOrg),
    deleteProject: db.transaction(deleteProject),
    orgs: () => all(`SELECT ${ORG} FROM orgs ORDER BY seq`),
    projects: () => all(`SELECT ${PROJECT} FROM ${PROJECTS} ORDER BY projects.seq`),
    replay: db.transaction(replay),
    eventsAfter,
    putStatus: ({ controller, resourceType, resourceId }, status, message) => {
      run(
        `INSERT INTO controller_statuses VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET
           status = excluded.status, message = excluded.message, updated_at = excluded.updated_at`,
        ...[controller, resourceType, resourceId, status, message, now()],
      );
    },
    deleteStatus: ({ controller, resourceType, resourceId }) => {
      run(
        `DELETE FROM controller_statuses
         WHERE controller = ? AND resource_type = ? AND resource_id = ?`,
        ...[controller, resourceType, resourceId],
      );
    },
    statusesOf: (type, id) =>
      all(
        `SELECT controller, status, message FROM controller_statuses
         WHERE resource_type = ? AND resource_id = ? ORDER BY controller`,
        type,
        id,
      ),
    erase: db.transaction(erase),
    forgetEventsBefore: (at) => void run('DELETE FROM tenancy_events WHERE created_at < ?', at),
    close: () => void db.close(),
  };
}

function replayed(
  eventType: EventRow['eventType'],
  resourceType: ResourceType,
  { id, name, orgId, orgName }: ResourceRow,
): Omit<EventRow, 'createdAt'> {
  const resource = { resourceType, resourceId: id, resourceName: name };
  return { id: 0, eventType, ...resource, orgId, orgName, folderId: null };
}
