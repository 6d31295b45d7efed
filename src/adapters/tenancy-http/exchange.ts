/**
 * One bounded HTTP exchange: one deadline for all of it, one limit for the body, no redirects, and a
 * value for every outcome.
 *
 * Input:  URL, method, headers, optional JSON body, deadline. Output: the text of a 200, or a failure:
 * `unreachable` when nothing can be said about the request (silence, or a server in trouble),
 * `refused` when it was answered with anything but 200.
 *
 * Failures are logged, stored and shown, and both Node and the server may quote what was sent: [TE-44]
 * no failure holds a secret, and [TE-45] none can drive a terminal.
 */
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { TenancyFailure } from '../../ports/tenancy-api.js';
import { REFUSAL_LENGTH_MAX, RESPONSE_BYTES_MAX } from './limits.js';

export interface Exchange {
  readonly url: URL;
  readonly method: 'GET' | 'PUT' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs: number;
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
  const { url, method, headers, body, timeoutMs } = request;
  const what = `${method} ${url.pathname}`;
  try {
    const response = await fetch(url, {
      method,
      headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined ? {} : { body }),
    });
    const text = await bodyOf(response);
    if (text === undefined) {
      const message = `${what} was answered with more than ${RESPONSE_BYTES_MAX} bytes`;
      return fail({ code: 'malformed', message });
    }
    return response.status === 200 ? ok(text) : fail(refusalOf(what, response.status, text));
  } catch (error) {
    return fail({ code: 'unreachable', message: `${what} was not answered: ${reasonOf(error)}` });
  }
}

/** Undefined: longer than we read. */
async function bodyOf(response: Response): Promise<string | undefined> {
  if (response.body === null) return '';
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the rest of the body.
    if (bytes > RESPONSE_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Too slow, and too many: about the moment, not about what was asked. */
const BUSY: readonly number[] = [408, 429];

function refusalOf(what: string, status: number, text: string): TenancyFailure {
  const said = text.trim();
  const message = `${what} was answered with ${status}${said === '' ? '' : `: ${said}`}`;
  const isInTrouble = status >= 500 || BUSY.includes(status);
  return { code: isInTrouble ? 'unreachable' : 'refused', message };
}

/** `fetch failed` says nothing; its cause does. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  const { code } = cause as NodeJS.ErrnoException;
  return cause.message === '' ? (code ?? error.message) : cause.message;
}
