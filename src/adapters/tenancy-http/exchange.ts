/**
 * One bounded HTTP exchange: one deadline for all of it, one limit for the body, no redirects, and a
 * value for every outcome.
 *
 * Input:  URL, method, headers, optional JSON body, deadline. Output: the text of a 200, or a failure:
 * `unreachable` when nothing can be said about the request (silence, or a server in trouble),
 * `unauthorized` when it does not know or like us, `refused` when it was answered with anything else but 200.
 *
 * Failures are logged, stored and shown, and both Node and the server may quote what was sent: [TE-44]
 * no failure holds a secret, and [TE-45] none can drive a terminal.
 */
import {
  type ClientRequest,
  type Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { TenancyFailure } from '../../ports/tenancy-api.js';
import { REFUSAL_LENGTH_MAX, RESPONSE_BYTES_MAX } from './limits.js';

export interface Exchange {
  readonly url: URL;
  readonly method: 'GET' | 'PUT' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs: number;
  /** Connections, and who we are on them. */
  readonly agent: HttpAgent;
  /** What no failure may quote. */
  readonly secrets: readonly string[];
}

export async function exchange(request: Exchange): Promise<Result<string, TenancyFailure>> {
  const answer = await attempt(request);
  if (answer.ok) return answer;
  const { code, message } = answer.failure;
  return fail({ code, message: withheld(message, request.secrets) });
}

/** The secrets go first: cut short or cleaned, one would not be recognised. */
function withheld(message: string, secrets: readonly string[]): string {
  const bare = secrets
    .filter((secret) => secret !== '')
    .reduce((text, secret) => text.replaceAll(secret, '***'), message);
  const clean = bare.replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, ' ').trim();
  return clean.slice(0, REFUSAL_LENGTH_MAX);
}

async function attempt(request: Exchange): Promise<Result<string, TenancyFailure>> {
  const what = `${request.method} ${request.url.pathname}`;
  try {
    const { status, text } = await twice(request);
    if (text === undefined) {
      const message = `${what} was answered with more than ${RESPONSE_BYTES_MAX} bytes`;
      return fail({ code: 'malformed', message });
    }
    return status === 200 ? ok(text) : fail(refusalOf(what, status, text));
  } catch (error) {
    return fail({ code: 'unreachable', message: `${what} was not answered: ${reasonOf(error)}` });
  }
}

interface Answered {
  readonly status: number;
  /** Undefined: longer than we read. */
  readonly text: string | undefined;
}

/** A kept connection may have been closed under our request: asking anew is no retry. */
async function twice(request: Exchange): Promise<Answered> {
  const signal = AbortSignal.timeout(request.timeoutMs);
  const first = open(request, signal);
  try {
    return await first.answer;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (!first.request.reusedSocket || code !== 'ECONNRESET') throw error;
    return await open(request, signal).answer;
  }
}

interface Open {
  readonly request: ClientRequest;
  readonly answer: Promise<Answered>;
}

function open({ url, method, headers, body, agent }: Exchange, signal: AbortSignal): Open {
  const typed = body === undefined ? headers : { ...headers, ...describing(body) };
  const start = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const request = start(url, { method, headers: typed, agent, signal });
  const answer = new Promise<Answered>((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response) => {
      bodyOf(response).then((text) => {
        if (text === undefined) request.destroy();
        resolve({ status: response.statusCode ?? 0, text });
      }, reject);
    });
  });
  request.end(body);
  return { request, answer };
}

/** The length as well: without it, the body of a DELETE would be sent as if it were the next request. */
function describing(body: string): Readonly<Record<string, string>> {
  return {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
  };
}

async function bodyOf(response: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the rest of the body.
    if (bytes > RESPONSE_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Too slow, and too many: about the moment, not about what was asked. */
const BUSY: readonly number[] = [408, 429];
/** About who asks: no other question will do better. */
const DENIED: readonly number[] = [401, 403];

function refusalOf(what: string, status: number, text: string): TenancyFailure {
  const said = text.trim();
  const message = `${what} was answered with ${status}${said === '' ? '' : `: ${said}`}`;
  if (DENIED.includes(status)) return { code: 'unauthorized', message };
  const isInTrouble = status >= 500 || BUSY.includes(status);
  return { code: isInTrouble ? 'unreachable' : 'refused', message };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'AbortError') return 'it took too long';
  const { code } = error as NodeJS.ErrnoException;
  return error.message === '' ? (code ?? error.name) : error.message;
}
