/**
 * Answers of the HTTP doors. Every answer says that it must not be cached, guessed about or framed;
 * a failure is `{error: {code, message}}` with a sentence for a person.
 */
import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { HANG_UP_MS } from './limits.js';

export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export type ErrorCode =
  | 'bad-request'
  | 'forbidden'
  | 'not-found'
  | 'method-not-allowed'
  | 'too-large'
  | 'too-slow'
  | 'too-many'
  | 'internal';

const STATUS_OF: Readonly<Record<ErrorCode, number>> = {
  'bad-request': 400,
  forbidden: 403,
  'not-found': 404,
  'method-not-allowed': 405,
  'too-slow': 408,
  'too-large': 413,
  internal: 500,
  'too-many': 503,
};

const ALWAYS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
} as const;

export function json(value: unknown, status = 200): Reply {
  return { status, contentType: 'application/json', body: `${JSON.stringify(value)}\n` };
}

export function text(body: string, contentType = 'text/plain; charset=utf-8'): Reply {
  return { status: 200, contentType, body };
}

export function problem(code: ErrorCode, message: string): Reply {
  return json({ error: { code, message } }, STATUS_OF[code]);
}

export function send(response: ServerResponse, reply: Reply): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(reply.status, {
    ...ALWAYS,
    'content-type': reply.contentType,
    'content-length': Buffer.byteLength(reply.body),
    ...reply.headers,
  });
  response.end(reply.body);
}

/** Head of a stream of server-sent events. */
export function sendStreamHead(response: ServerResponse): void {
  response.writeHead(200, { ...ALWAYS, 'content-type': 'text/event-stream' });
  response.flushHeaders();
}

/**
 * An answer on a bare socket: there is no request to answer, or it wanted another protocol. The peer
 * has a moment to read it and hang up; one that does not would keep its connection, and us, for ever.
 */
export function refuseRaw(socket: Duplex, reply: Reply): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const timer = setTimeout(() => socket.destroy(), HANG_UP_MS);
  socket.once('close', () => clearTimeout(timer));
  socket.on('error', () => undefined);
  socket.resume();
  socket.end(rawResponse(reply));
}

function rawResponse({ status, contentType, body }: Reply): string {
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Connection: close',
    `Content-Type: ${contentType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}

/** What could be read was not HTTP, or came too slowly; `code` is Node's. */
export function brokenRequest(code: string | undefined): Reply {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return { ...problem('too-large', 'the head of the request is too large'), status: 431 };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return problem('too-slow', 'the request took too long to arrive');
    default:
      return problem('bad-request', 'this is not an HTTP request');
  }
}
