/**
 * The tenant manager over HTTP: the port `TenancyApi` on its REST interface.
 *
 *   GET    /v1/events?controller=…&replay=true            everything there is
 *   GET    /v1/events?controller=…&after=…&limit=…        what is newer
 *   PUT    /v1/status  {controller, resourceType, resourceId, status, message}
 *   DELETE /v1/status  {controller, resourceType, resourceId}
 *
 * Only 200 is success. Rules: [TE-20] [TE-21] read-page.ts; [TE-22] every outcome is a value, within
 * one deadline and one size, and redirects are not followed.
 */
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { TenancyApi, TenancyFailure, TenancyPage } from '../../ports/tenancy-api.js';
import { type Exchange, exchange } from './exchange.js';
import { type Asked, readPage } from './read-page.js';
import { createAgents } from './tls-agent.js';

/** Given for good, or looked up at every request, so that a reload can change it. */
export type Secret = string | (() => string | undefined);

export interface TenancyHttpOptions {
  readonly url: string;
  readonly controller: string;
  readonly token?: Secret;
  /** Header of `token`. */
  readonly tokenHeader?: string;
  readonly bearer?: Secret;
  readonly userAgent: string;
}

export function openTenancyHttp(options: TenancyHttpOptions): TenancyApi {
  const { controller } = options;
  const agents = createAgents();

  const send = (
    request: Pick<Exchange, 'method' | 'timeoutMs' | 'body'> & { readonly path: string },
  ): Promise<Result<string, TenancyFailure>> => {
    const { path, ...rest } = request;
    const secrets = [lookedUp(options.token) ?? '', lookedUp(options.bearer) ?? ''];
    const url = urlOf(options.url, path);
    const agent = agents.agentFor(url);
    if (!agent.ok) return Promise.resolve(fail({ code: 'unauthorized', message: agent.failure }));
    const headers = headersOf(options);
    return exchange({ ...rest, url, headers, secrets, agent: agent.value });
  };

  const read = async (
    query: Readonly<Record<string, string>>,
    timeoutMs: number,
    asked?: Asked,
  ): Promise<Result<TenancyPage, TenancyFailure>> => {
    const path = `v1/events?${new URLSearchParams({ controller, ...query })}`;
    const answer = await send({ method: 'GET', path, timeoutMs });
    if (!answer.ok) return answer;
    const page = readPage(answer.value, asked);
    if (page.ok) return page;
    return fail({ code: 'malformed', message: `GET /v1/events cannot be read: ${page.failure}` });
  };

  const report = async (
    method: 'PUT' | 'DELETE',
    fields: Readonly<Record<string, string>>,
    timeoutMs: number,
  ): Promise<Result<void, TenancyFailure>> => {
    const body = JSON.stringify({ controller, ...fields });
    const answer = await send({ method, path: 'v1/status', timeoutMs, body });
    return answer.ok ? ok(undefined) : answer;
  };

  return {
    secure: agents.use,
    replay: (timeoutMs) => read({ replay: 'true' }, timeoutMs),
    poll: (after, limit, timeoutMs) =>
      read({ after: String(after), limit: String(limit) }, timeoutMs, { after, limit }),
    putStatus: ({ type, id }, status, message, timeoutMs) =>
      report('PUT', { resourceType: type, resourceId: id, status, message }, timeoutMs),
    deleteStatus: ({ type, id }, timeoutMs) =>
      report('DELETE', { resourceType: type, resourceId: id }, timeoutMs),
  };
}

/** A base URL may have a path of its own. */
function urlOf(base: string, path: string): URL {
  return new URL(path, base.endsWith('/') ? base : `${base}/`);
}

function headersOf(options: TenancyHttpOptions): Readonly<Record<string, string>> {
  const { tokenHeader = 'X-Internal-Token', userAgent } = options;
  const token = lookedUp(options.token);
  const bearer = lookedUp(options.bearer);
  return {
    accept: 'application/json',
    'user-agent': userAgent,
    ...(token === undefined ? {} : { [tokenHeader]: token }),
    ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
  };
}

function lookedUp(secret: Secret | undefined): string | undefined {
  return typeof secret === 'function' ? secret() : secret;
}
