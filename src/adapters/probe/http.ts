/**
 * Layer 7: one GET on a connected stream, and what its answer means.
 *
 * Follows no redirects: the status is the answer. Reads at most 64 KB of body, and only when the body
 * has to match; a longer body is judged by its beginning.
 */
import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import type { HealthCheckSpec } from '../../../machines/model/desired.js';
import type { Pattern } from '../../policy/pattern.js';
import type { ProbeTarget } from '../../ports/prober.js';
import type { Attempt } from './attempt.js';
import { failed, type Outcome, passed } from './outcome.js';

const BODY_BYTES_MAX = 64 * 1024;

export interface Question {
  readonly target: ProbeTarget;
  readonly check: HealthCheckSpec;
  readonly userAgent: string;
  /** Absent: any body will do. */
  readonly pattern: Pattern | undefined;
}

export function exchange(current: Attempt, stream: Socket, question: Question): Promise<Outcome> {
  current.layer = 'L7';
  const { target, check, userAgent } = question;
  const headers = {
    host: check.host ?? hostOf(target.address),
    'user-agent': userAgent,
    accept: '*/*',
    connection: 'close',
  };
  return new Promise((resolve) => {
    const call = request({
      method: 'GET',
      path: check.path,
      headers,
      setHost: false,
      createConnection: () => stream,
    });
    current.closing(() => call.destroy());
    call.on('error', (error) => resolve(failed('L7RSP', error.message)));
    call.once('response', (response) =>
      judge(response, question, (outcome) => {
        resolve(outcome);
        current.close();
      }),
    );
    call.end();
  });
}

function hostOf(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

function judge(
  response: IncomingMessage,
  { check, pattern }: Question,
  resolve: (outcome: Outcome) => void,
): void {
  response.on('error', (error) => resolve(failed('L7RSP', error.message)));
  const status = response.statusCode ?? 0;
  const wanted = check.status.some(({ from, to }) => status >= from && status <= to);
  if (!wanted) return resolve(failed('L7STS', `status ${status}`));
  if (pattern === undefined) return resolve(passed('L7OK', `status ${status}`));
  readBody(response, (body) => {
    if (body === undefined) return resolve(failed('L7RSP', 'the body ended early'));
    const shown = `"${check.bodyMatches ?? ''}"`;
    if (pattern(body)) return resolve(passed('L7OK', `status ${status}, body matches ${shown}`));
    return resolve(failed('L7RSP', `status ${status}, body does not match ${shown}`));
  });
}

/** Calls back once: with the body's beginning, or with `undefined` when it broke off before its end. */
function readBody(response: IncomingMessage, done: (body: string | undefined) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const finish = (): void => {
    const body = Buffer.concat(chunks).subarray(0, BODY_BYTES_MAX);
    done(body.toString('utf8'));
  };
  response.on('data', (chunk: Buffer) => {
    if (bytes >= BODY_BYTES_MAX) return;
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= BODY_BYTES_MAX) finish();
  });
  // Before Node's own listener, which would end the connection politely.
  response.prependOnceListener('end', () => {
    if (bytes < BODY_BYTES_MAX) finish();
  });
  response.once('close', () => {
    if (!response.complete && bytes < BODY_BYTES_MAX) done(undefined);
  });
}
