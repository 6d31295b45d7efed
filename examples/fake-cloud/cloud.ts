/**
 * A small cloud over HTTP, for trying an exec provider: servers that are rows in memory, with a client
 * token that makes creation idempotent, labels, pages, a quota, and faults on request.
 *
 *   POST   /v1/servers                    {clientToken, labels}  → server (the same for the same token)
 *   GET    /v1/servers?installation=&after=&limit=  → {servers, next?}
 *   GET    /v1/servers?clientToken=T      → {servers}
 *   GET    /v1/servers/ID                 → server, or 404
 *   DELETE /v1/servers/ID                 → 204, or 404
 *   POST   /v1/faults                     {method, times, status?, lost?, delayMs?}
 *   POST   /v1/servers/ID/stop            its power fails: it is there, and stopped
 *   POST   /v1/servers/ID/leave           {id, deadline?}: its host goes, as the server says from now on
 *
 * Everything needs `Authorization: Bearer TOKEN`.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export interface CloudServer {
  readonly id: string;
  readonly clientToken: string;
  readonly address: string;
  readonly status: 'running' | 'stopped';
  readonly labels: Readonly<Record<string, string>>;
  /** Its host goes. */
  readonly leaves?: { readonly id: string; readonly deadline?: string };
}

/** The next `times` requests of a method fail; `lost`: they do their work first. */
export interface Fault {
  readonly method: string;
  times: number;
  readonly status?: number;
  readonly lost?: boolean;
  readonly delayMs?: number;
}

export interface CloudOptions {
  readonly token: string;
  /** Servers there may be. */
  readonly quota?: number;
  readonly pageSize?: number;
}

export interface Cloud {
  readonly servers: Map<string, CloudServer>;
  readonly faults: Fault[];
  /** Most servers there ever were at once. */
  readonly most: () => number;
  /** Client tokens of all servers there ever were, in order. */
  readonly tokens: () => readonly string[];
  readonly http: Server;
}

interface Reply {
  readonly status: number;
  readonly body?: unknown;
}

const PAGE_SERVERS = 50;

export function createCloud({
  token,
  quota = 1_000,
  pageSize = PAGE_SERVERS,
}: CloudOptions): Cloud {
  const servers = new Map<string, CloudServer>();
  const faults: Fault[] = [];
  const tokens: string[] = [];
  let made = 0;
  let most = 0;

  const create = (body: Readonly<Record<string, unknown>>): Reply => {
    const clientToken = String(body['clientToken'] ?? '');
    if (clientToken === '') return { status: 400, body: { message: 'clientToken is missing' } };
    const known = [...servers.values()].find((server) => server.clientToken === clientToken);
    if (known !== undefined) return { status: 200, body: known };
    if (servers.size >= quota)
      return { status: 429, body: { message: `quota of ${quota} servers` } };
    const id = `srv-${made.toString().padStart(6, '0')}`;
    const address = `10.77.${(made >> 8) & 255}.${made & 255}`;
    made += 1;
    const labels = body['labels'] as CloudServer['labels'];
    const server = { id, clientToken, address, status: 'running' as const, labels };
    servers.set(id, server);
    tokens.push(clientToken);
    most = Math.max(most, servers.size);
    return { status: 201, body: server };
  };

  const list = (query: URLSearchParams): Reply => {
    const clientToken = query.get('clientToken');
    const installation = query.get('installation');
    const after = query.get('after') ?? '';
    const found = [...servers.values()]
      .filter((one) => clientToken === null || one.clientToken === clientToken)
      .filter((one) => installation === null || one.labels['installation'] === installation)
      .filter(({ id }) => id > after);
    const page = found.slice(0, pageSize);
    const next = found.length > page.length ? page.at(-1)?.id : undefined;
    return { status: 200, body: { servers: page, ...(next === undefined ? {} : { next }) } };
  };

  const one = (method: string, id: string, verb: string | undefined, body: object): Reply => {
    const server = servers.get(id);
    if (server === undefined) return { status: 404, body: { message: `there is no server ${id}` } };
    if (method === 'DELETE') {
      servers.delete(id);
      return { status: 204 };
    }
    if (verb === 'stop') servers.set(id, { ...server, status: 'stopped' });
    if (verb === 'leave') servers.set(id, { ...server, leaves: body as { id: string } });
    return { status: 200, body: servers.get(id) };
  };

  const answer = (method: string, url: URL, body: Readonly<Record<string, unknown>>): Reply => {
    const [, version, kind, id, verb] = url.pathname.split('/');
    if (version !== 'v1') return { status: 404, body: { message: 'this is /v1' } };
    if (kind === 'faults') {
      faults.push(body as unknown as Fault);
      return { status: 204 };
    }
    if (id !== undefined) return one(method, id, verb, body);
    return method === 'POST' ? create(body) : list(url.searchParams);
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.headers.authorization !== `Bearer ${token}`) {
      return send(response, { status: 401, body: { message: 'unknown token' } });
    }
    const { method = 'GET' } = request;
    const body = await readBody(request);
    const url = new URL(request.url ?? '/', 'http://cloud');
    const fault = url.pathname === '/v1/faults' ? undefined : takeFault(faults, method);
    if (fault?.delayMs !== undefined) await new Promise((go) => setTimeout(go, fault.delayMs));
    if (fault?.status === undefined) return send(response, answer(method, url, body));
    if (fault.lost === true) answer(method, url, body);
    send(response, { status: fault.status, body: { message: 'as ordered' } });
  };

  const http = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      send(response, { status: 400, body: { message: String(error) } });
    });
  });
  return { servers, faults, most: () => most, tokens: () => tokens, http };
}

function takeFault(faults: Fault[], method: string): Fault | undefined {
  const fault = faults.find((entry) => entry.method === method && entry.times > 0);
  if (fault !== undefined) fault.times -= 1;
  return fault;
}

async function readBody(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}

function send(response: ServerResponse, { status, body }: Reply): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}
