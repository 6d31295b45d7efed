/**
 * A bounded HTTP server on `host:port`.
 *
 * Input: where, a handler, bounds. Output: its address, or one sentence that names the address, the
 * configuration key it came from and what to do.
 */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { HttpLimits } from './limits.js';
import { brokenRequest, refuseRaw } from './reply.js';

export interface ListenOptions {
  /** `host:port`, `[v6]:port`; port 0 takes any free one. */
  readonly listen: string;
  /** Configuration key of `listen`, for the sentence of a failure. */
  readonly key: string;
  readonly limits: HttpLimits;
  readonly handle: RequestListener;
}

export interface Listening {
  readonly server: Server;
  /** `host:port` as bound. */
  readonly address: string;
  close(): Promise<void>;
}

export async function listenHttp(options: ListenOptions): Promise<Result<Listening, string>> {
  const { key, listen } = options;
  const place = parseListen(listen);
  if (place === undefined) return fail(`${key} is '${listen}': write HOST:PORT`);
  const server = boundedServer(options);
  const failure = await bind(server, place);
  if (failure !== undefined) return fail(sentenceFor(failure, options));
  return ok({ server, address: addressOf(server), close: () => close(server) });
}

interface Place {
  readonly host: string;
  readonly port: number;
}

export function parseListen(listen: string): Place | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(listen);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port > 65_535 ? undefined : { host, port };
}

function boundedServer({ handle, limits }: ListenOptions): Server {
  const server = createServer(
    {
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: limits.checkEveryMs,
      maxHeaderSize: limits.headerBytesMax,
    },
    handle,
  );
  server.maxConnections = limits.connectionsMax;
  server.maxRequestsPerSocket = limits.requestsPerConnectionMax;
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    refuseRaw(socket, brokenRequest(error.code));
  });
  return server;
}

function bind(server: Server, { host, port }: Place): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    server.once('error', resolve);
    server.listen({ host, port }, () => {
      server.off('error', resolve);
      resolve(undefined);
    });
  });
}

function sentenceFor(error: NodeJS.ErrnoException, { key, listen }: ListenOptions): string {
  const remedy = `set ${key} to a free HOST:PORT`;
  switch (error.code) {
    case 'EADDRINUSE':
      return `${listen} (${key}) is in use by another program: stop that one, or ${remedy}`;
    case 'EACCES':
      return `${listen} (${key}) needs a privilege this user has not: ${remedy} above 1023`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `${listen} (${key}) is no address of this host: ${remedy} of this host`;
    default:
      return `cannot listen on ${listen} (${key}): ${error.message}`;
  }
}

function addressOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Nobody is waited for: what is open now is cut. */
function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
