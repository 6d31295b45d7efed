/**
 * Who we trust and who we are towards the tenant manager: an HTTPS agent from PEM files.
 *
 * Input:  paths of the files. Output: an agent that keeps its connections, the same one for as long as the
 * files are; or one sentence saying which file cannot be used.
 *
 * Rule: [TE-57] files that were replaced are used from the next request on, without a reload; while they
 * cannot be read, what was read before goes on.
 */
import { readFileSync, statSync } from 'node:fs';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { createSecureContext } from 'node:tls';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { TlsFiles } from '../../ports/tenancy-api.js';
import { CONNECTIONS_MAX, IDLE_CONNECTION_MS } from './limits.js';

export interface Agents {
  agentFor(url: URL): Result<HttpAgent, string>;
  /** From now on. */
  use(files: TlsFiles): void;
}

const KEEP = { keepAlive: true, maxSockets: CONNECTIONS_MAX, timeout: IDLE_CONNECTION_MS } as const;

export function createAgents(): Agents {
  const plain = new HttpAgent(KEEP);
  let files: TlsFiles = {};
  let secure: { readonly stamp: string; readonly agent: HttpsAgent } | undefined;

  const secureAgent = (): Result<HttpAgent, string> => {
    const stamp = stampOf(files);
    if (secure?.stamp === stamp) return ok(secure.agent);
    const read = readAll(files);
    if (!read.ok) return secure === undefined ? read : ok(secure.agent);
    secure?.agent.destroy();
    const agent = new HttpsAgent({ ...KEEP, ...read.value });
    secure = { stamp, agent };
    return ok(agent);
  };

  return {
    agentFor: ({ protocol }) => (protocol === 'https:' ? secureAgent() : ok(plain)),
    use: (next) => {
      files = next;
    },
  };
}

/** Changes with the files: also when they are replaced under their names. */
function stampOf(files: TlsFiles): string {
  return Object.entries(files)
    .map(([kind, path]) => {
      const found = statSync(path, { throwIfNoEntry: false });
      return `${kind} ${path} ${found?.mtimeMs} ${found?.size} ${found?.ino}`;
    })
    .join();
}

function readAll(files: TlsFiles): Result<Readonly<Record<string, string>>, string> {
  const read: Record<string, string> = {};
  for (const [kind, path] of Object.entries(files)) {
    try {
      read[kind] = readFileSync(path, 'utf8');
    } catch (error) {
      return fail(`tenancy.tls.${kind} cannot be read: ${(error as Error).message}`);
    }
  }
  try {
    createSecureContext(read);
  } catch (error) {
    return fail(`tenancy.tls cannot be used: ${(error as Error).message}`);
  }
  return ok(read);
}
