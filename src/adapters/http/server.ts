/**
 * The admin port: health, readiness, metrics, the objects as JSON, the event stream, and a page.
 *
 * Input: requests of anybody who can reach it, so everything is bounded and nothing here acts except a
 * reload asked for from this host (guard.ts). Output: JSON, text, one page; failures as JSON.
 *
 * Rules: [CL-1] known paths answer, others are 404, other methods 405; [CL-2] not ready is 503 with
 * the reasons; [CL-4] a request too large, too slow or malformed is refused and costs its own
 * connection only; [CL-5] a failure inside is logged and told without details.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ok, type Result } from '../../../machines/model/result.js';
import type { Log } from '../../ports/log.js';
import type { NodeApi } from '../../ports/node-api.js';
import { wantedItems } from '../watch/wanted.js';
import { readBody } from './body.js';
import { streamEvents } from './events.js';
import { HTTP_LIMITS, type HttpLimits } from './limits.js';
import { listenHttp } from './listen.js';
import { loadPage } from './page.js';
import { sinceOf, type Target, targetOf } from './query.js';
import { problem, type Reply, send } from './reply.js';
import { createRoutes, type Handler, type Routes } from './routes.js';

export interface AdminOptions {
  /** `host:port`, from `admin.listen`. */
  readonly listen: string;
  readonly api: NodeApi;
  readonly metrics: () => Promise<{ readonly text: string; readonly contentType: string }>;
  readonly log: Log;
  readonly limits?: Partial<HttpLimits>;
}

export interface AdminServer {
  /** `host:port` as bound. */
  readonly address: string;
  close(): Promise<void>;
}

interface Door {
  readonly options: AdminOptions;
  readonly limits: HttpLimits;
  readonly routes: Routes;
  streams: number;
}

const EVENTS_PATH = '/api/v1/events';

export async function serveAdmin(options: AdminOptions): Promise<Result<AdminServer, string>> {
  const { api, listen, metrics } = options;
  const page = loadPage({ file: 'http/page.html', connect: "'self'" });
  const door: Door = {
    options,
    limits: { ...HTTP_LIMITS, ...options.limits },
    routes: createRoutes({ api, metrics, page }),
    streams: 0,
  };
  const listening = await listenHttp({
    listen,
    key: 'admin.listen',
    limits: door.limits,
    handle: (request, response) => void handle(door, request, response),
  });
  if (!listening.ok) return listening;
  const { address, close } = listening.value;
  return ok({ address, close });
}

async function handle(door: Door, request: IncomingMessage, response: ServerResponse) {
  const target = targetOf(request.url ?? '/');
  const handlers = handlersOf(door.routes, target.path);
  const handler = handlers?.[request.method === 'HEAD' ? 'GET' : (request.method ?? '')];
  if (handlers === undefined) return refuse(request, response, notFound(target.path));
  if (handler === undefined) return refuse(request, response, notAllowed(handlers));
  const body = await readBody(request, door.limits.bodyBytesMax);
  if (body === 'too-large') return refuse(request, response, tooLarge(door.limits));
  if (body === 'cut') return;
  if (target.path === EVENTS_PATH && request.method === 'GET') {
    return openStream(door, { request, response, target });
  }
  send(response, await answer(door, handler, { request, target }));
}

/** The event stream answers by itself; it is listed so that other methods are 405. */
const EVENTS: Readonly<Record<string, Handler>> = {
  GET: async () => problem('bad-request', 'the event stream has no head of its own'),
};

function handlersOf(routes: Routes, path: string): Readonly<Record<string, Handler>> | undefined {
  return path === EVENTS_PATH ? EVENTS : routes.get(path);
}

async function answer(
  { options: { log } }: Door,
  handler: Handler,
  asked: { readonly request: IncomingMessage; readonly target: Target },
): Promise<Reply> {
  try {
    return await handler(asked);
  } catch (error) {
    log.error({ path: asked.target.path, err: error }, 'HTTP request failed');
    return problem('internal', 'the request failed inside the daemon: see its log');
  }
}

interface Stream {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: Target;
}

function openStream(door: Door, { request, response, target: { query } }: Stream): void {
  const { limits, options } = door;
  const lastEventId = request.headers['last-event-id'];
  const since = sinceOf(query, typeof lastEventId === 'string' ? lastEventId : undefined);
  if (!since.ok) return send(response, problem('bad-request', since.failure));
  if (door.streams >= limits.streamsMax) {
    const message = `${limits.streamsMax} event streams are open already: close one`;
    return send(response, problem('too-many', message));
  }
  door.streams += 1;
  response.on('close', () => {
    door.streams -= 1;
  });
  const wanted = wantedItems({ kind: query.get('kind') ?? '', tenant: query.get('tenant') ?? '' });
  streamEvents(response, { api: options.api, since: since.value, wanted, limits });
}

/** A refused request may have a body coming: nothing of it is read, the connection ends. */
function refuse(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  const hasBody =
    request.headers['transfer-encoding'] !== undefined ||
    Number(request.headers['content-length'] ?? 0) > 0;
  send(
    response,
    hasBody ? { ...reply, headers: { ...reply.headers, connection: 'close' } } : reply,
  );
}

function notFound(path: string): Reply {
  const shown = path.slice(0, 100);
  return problem('not-found', `there is nothing at ${shown}: the paths are in docs/API.md`);
}

function notAllowed(handlers: Readonly<Record<string, Handler>>): Reply {
  const allow = Object.keys(handlers).flatMap((name) => (name === 'GET' ? ['GET', 'HEAD'] : name));
  const message = `this path takes ${allow.join(', ')} only`;
  return { ...problem('method-not-allowed', message), headers: { allow: allow.join(', ') } };
}

function tooLarge({ bodyBytesMax }: HttpLimits): Reply {
  return problem('too-large', `the body is larger than ${bodyBytesMax} bytes`);
}
