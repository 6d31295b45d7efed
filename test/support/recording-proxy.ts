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
  close(): Promise<void>;
}

export async function recordingProxy(target: string): Promise<RecordingProxy> {
  const asked: Asked[] = [];
  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = 'GET', url = '/' } = request;
    let body = '';
    for await (const chunk of request) body += chunk;
    asked.push({ atMs: Date.now(), method, path: url, body: body === '' ? {} : JSON.parse(body) });
    const headers = { 'content-type': 'application/json' };
    const init = body === '' ? { method } : { method, body, headers };
    const answer = await fetch(`${target}${url}`, init);
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
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return proxy;
}
