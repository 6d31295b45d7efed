/** HTTP as tests need it: an answer with all its parts, and bytes on a bare socket. */
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface HttpRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** `path` is sent as it is. */
export function fetchPath(
  address: string,
  path: string,
  { method = 'GET', headers = {}, body = '' }: HttpRequest = {},
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const [host = '', port = ''] = address.split(':');
    const sent = request({ host, port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Sends raw bytes; resolves with all that came back when the server closes the connection. */
export function rawExchange(address: string, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = dial(address);
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('utf8');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(received));
    socket.write(text);
  });
}

export function dial(address: string): Socket {
  const [host = '', port = ''] = address.split(':');
  return connect({ host, port: Number(port) });
}

/** Asks again until it is so; the test runner's own limit is the deadline. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}
