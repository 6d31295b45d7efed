/**
 * The example tenant manager: a small, complete server with its own database, for the demo and the tests.
 *
 * It keeps orgs and projects, tells controllers of them by events, takes the statuses they report, and
 * ends a deleted resource when no registered controller holds it any more.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Controllers, cleanUp } from './cleanup.js';
import { answer } from './routes.js';
import { openStore } from './store.js';

export interface TenantManagerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly file: string;
  /** Who must report before people see a resource as done. */
  readonly controllers: Controllers;
  /** Asked for in `X-Internal-Token` by the routes of controllers; absent: they are open. */
  readonly token?: string;
  readonly cleanupIntervalMs?: number;
}

export interface TenantManager {
  readonly url: string;
  /** One round of cleanup, now. */
  cleanUp(): void;
  close(): Promise<void>;
}

const BODY_BYTES_MAX = 64 * 1024;
const CLEANUP_INTERVAL_MS = 60_000;
const CONTROLLER_ROUTES = /^\/v1\/(events|status|internal\/.*)$/;

export async function startTenantManager(options: TenantManagerOptions): Promise<TenantManager> {
  const { host, port, file, controllers, token } = options;
  const store = openStore(file, Date.now);

  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (token !== undefined && CONTROLLER_ROUTES.test(url.pathname)) {
      if (request.headers['x-internal-token'] !== token) {
        return send(response, 401, { error: 'the token is missing or wrong' });
      }
    }
    const body = await bodyOf(request);
    if (body === undefined) return send(response, 413, { error: 'the body is too large' });
    const parsed = parse(body);
    if (!parsed.ok) return send(response, 400, { error: 'the body is no JSON' });
    const { status, body: answered } = answer(
      { store, controllers },
      {
        method: request.method ?? 'GET',
        path: decodeURI(url.pathname),
        query: url.searchParams,
        body: parsed.value,
      },
    );
    send(response, status, answered);
  };

  const server = createServer((request, response) => {
    respond(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else send(response, 500, { error: String(error) });
    });
  });
  const cleanup = () => cleanUp(store, controllers, Date.now());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const timer = setInterval(cleanup, options.cleanupIntervalMs ?? CLEANUP_INTERVAL_MS);
  return {
    url: urlOf(server.address() as AddressInfo),
    cleanUp: cleanup,
    close: async () => {
      clearInterval(timer);
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      store.close();
    },
  };
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

/** Undefined: larger than anybody needs. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= BODY_BYTES_MAX) chunks.push(chunk);
  }
  return bytes > BODY_BYTES_MAX ? undefined : Buffer.concat(chunks).toString('utf8');
}

function parse(text: string): { readonly ok: boolean; readonly value?: unknown } {
  if (text === '') return { ok: true };
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    return { ok: false };
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
}
