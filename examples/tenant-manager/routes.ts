/**
 * The example tenant manager's HTTP interface, as a function from request to answer.
 *
 *   for controllers   GET /v1/events, PUT and DELETE /v1/status, GET /v1/internal/projects/:id
 *   for people        POST and GET /v1/orgs, DELETE /v1/orgs/:org, POST /v1/orgs/:org/projects,
 *                     DELETE /v1/orgs/:org/projects/:name, GET /v1/projects, GET /healthz
 */
import type { Controllers } from './cleanup.js';
import { derivedStatus } from './derived-status.js';
import type { ResourceRow, ResourceType, StatusKey, Store } from './store.js';

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Parsed JSON; undefined when there was none. */
  readonly body: unknown;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface Context {
  readonly store: Store;
  readonly controllers: Controllers;
}

type Handler = (context: Context, request: Request, names: readonly string[]) => Answer;

const ROUTES: readonly (readonly [method: string, path: RegExp, handler: Handler])[] = [
  ['GET', /^\/healthz$/, () => done({ status: 'ok' })],
  ['GET', /^\/v1\/events$/, events],
  ['PUT', /^\/v1\/status$/, putStatus],
  ['DELETE', /^\/v1\/status$/, deleteStatus],
  ['GET', /^\/v1\/orgs$/, (context) => done(shown(context, 'org', context.store.orgs()))],
  ['POST', /^\/v1\/orgs$/, createOrg],
  ['DELETE', /^\/v1\/orgs\/([^/]+)$/, deleteOrg],
  [
    'GET',
    /^\/v1\/projects$/,
    (context) => done(shown(context, 'project', context.store.projects())),
  ],
  ['GET', /^\/v1\/internal\/projects\/([^/]+)$/, showProject],
  ['POST', /^\/v1\/orgs\/([^/]+)\/projects$/, createProject],
  ['DELETE', /^\/v1\/orgs\/([^/]+)\/projects\/([^/]+)$/, deleteProject],
];

const NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const EVENTS_MAX = 1_000;
const EVENTS_DEFAULT = 100;
const STATUSES = ['in_progress', 'completed', 'error'];

export function answer(context: Context, request: Request): Answer {
  const matching = ROUTES.filter(([, path]) => path.test(request.path));
  const route = matching.find(([method]) => method === request.method);
  if (matching.length === 0) return refused(404, `nothing is at ${request.path}`);
  if (route === undefined) return refused(405, `${request.method} is not possible here`);
  const [, path, handler] = route;
  return handler(context, request, path.exec(request.path)?.slice(1) ?? []);
}

function done(body: unknown): Answer {
  return { status: 200, body };
}

function refused(status: number, error: string): Answer {
  return { status, body: { error } };
}

// --- controllers ----------------------------------------------------------------------------------

function events({ store }: Context, { query }: Request): Answer {
  if (!query.get('controller')) return refused(400, 'controller is missing');
  if (query.get('replay') === 'true') return done(store.replay());
  const after = wholeIn(query.get('after') ?? '0');
  const limit = wholeIn(query.get('limit') ?? String(EVENTS_DEFAULT));
  if (after === undefined) return refused(400, 'after is no whole number from 0');
  if (limit === undefined || limit < 1 || limit > EVENTS_MAX) {
    return refused(400, `limit is no whole number from 1 to ${EVENTS_MAX}`);
  }
  return done(store.eventsAfter(after, limit));
}

function wholeIn(text: string): number | undefined {
  const value = Number(text);
  return /^\d+$/.test(text) && Number.isSafeInteger(value) ? value : undefined;
}

function putStatus({ store }: Context, { body }: Request): Answer {
  const key = statusKeyIn(body);
  const { status, message = '' } = fieldsOf(body);
  if (key === undefined || typeof status !== 'string') return refused(400, 'a field is missing');
  if (!STATUSES.includes(status)) return refused(500, `${status} is no status`);
  store.putStatus(key, status, String(message));
  return done({});
}

function deleteStatus({ store }: Context, { body }: Request): Answer {
  const key = statusKeyIn(body);
  if (key === undefined) return refused(400, 'a field is missing');
  store.deleteStatus(key);
  return done({});
}

function statusKeyIn(body: unknown): StatusKey | undefined {
  const { controller, resourceType, resourceId } = fieldsOf(body);
  if (typeof controller !== 'string' || typeof resourceId !== 'string') return undefined;
  if (resourceType !== 'org' && resourceType !== 'project') return undefined;
  return { controller, resourceType, resourceId };
}

function fieldsOf(body: unknown): Readonly<Record<string, unknown>> {
  return typeof body === 'object' && body !== null ? { ...body } : {};
}

/** One project by its id, also while it is being deleted. */
function showProject(context: Context, _request: Request, [id = '']: readonly string[]): Answer {
  const found = context.store.projects().filter((project) => project.id === id);
  const [project] = shown(context, 'project', found);
  return project === undefined ? refused(404, `there is no project ${id}`) : done(project);
}

// --- people ---------------------------------------------------------------------------------------

function createOrg(context: Context, { body }: Request): Answer {
  const name = nameIn(body);
  if (name === undefined) return refused(400, 'name is missing or no name');
  return made(context, 'org', context.store.createOrg(name));
}

function createProject(context: Context, { body }: Request, [org = '']: readonly string[]): Answer {
  const name = nameIn(body);
  if (name === undefined) return refused(400, 'name is missing or no name');
  return made(context, 'project', context.store.createProject(org, name));
}

function deleteOrg({ store }: Context, _request: Request, [org = '']: readonly string[]): Answer {
  return store.deleteOrg(org) ? done({}) : refused(400, `there is no org ${org} to delete`);
}

function deleteProject(
  { store }: Context,
  _request: Request,
  [org = '', name = '']: readonly string[],
): Answer {
  const gone = store.deleteProject(org, name);
  return gone ? done({}) : refused(400, `there is no project ${org}/${name} to delete`);
}

function nameIn(body: unknown): string | undefined {
  const { name } = fieldsOf(body);
  return typeof name === 'string' && NAME.test(name) ? name : undefined;
}

function made(context: Context, type: ResourceType, row: ResourceRow | undefined): Answer {
  if (row === undefined) return refused(400, 'the name is taken, or its org is not there');
  return { status: 201, body: shown(context, type, [row])[0] };
}

function shown({ store, controllers }: Context, type: ResourceType, rows: readonly ResourceRow[]) {
  return rows.map(({ id, name, deletedAt, orgName }) => ({
    id,
    name,
    ...(orgName === null ? {} : { org: orgName }),
    deleted: deletedAt !== null,
    status: derivedStatus(deletedAt !== null, controllers[type], store.statusesOf(type, id)),
  }));
}
