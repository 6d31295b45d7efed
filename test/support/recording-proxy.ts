/**
 * Stands between a daemon and a tenant manager: passes everything on, remembers what was asked, and can
 * play dead, at one address for as long as it lives.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly atMs: number;
  readonly method: string;
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface RecordingProxy {
  readonly url: string;
  readonly asked: readonly Asked[];
  /** While down, every connection is cut without an answer. */
  down: boolean;
  /** Set: every answer is this text, with 200. */
  garbage: string | undefined;
  /** Every answer takes this much longer. */
  delayMs: number;
  /** Called with each question; may end the daemon before it has its answer. */
  onAsked: ((asked: Asked) => void) | undefined;
  /** Another server takes over. */
  target: string;
  close(): Promise<void>;
}

export async function recordingProxy(target: string): Promise<RecordingProxy> {
  const asked: Asked[] = [];
  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = 'GET', url = '/' } = request;
    let body = '';
    for await (const chunk of request) body += chunk;
    const question = { atMs: Date.now(), method, path: url };
    asked.push({ ...question, body: body === '' ? {} : JSON.parse(body) });
    const last = asked.at(-1);
    if (last !== undefined) proxy.onAsked?.(last);
    if (proxy.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, proxy.delayMs));
    if (proxy.garbage !== undefined) return void response.end(proxy.garbage);
    const headers = { 'content-type': 'application/json' };
    const init = body === '' ? { method } : { method, body, headers };
    const answer = await fetch(`${proxy.target}${url}`, init);
    response.writeHead(answer.status, headers);
    response.end(await answer.text());
  };
  const server = createServer((request, response) => {
    if (proxy.down) return void request.socket.destroy();
    pass(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const proxy: RecordingProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    down: false,
    garbage: undefined,
    delayMs: 0,
    onAsked: undefined,
    target,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return proxy;
}
