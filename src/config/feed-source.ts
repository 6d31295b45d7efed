/**
 * `feed.source` as text: a folder, or a stream of NATS servers, `nats://HOST:PORT[,HOST:PORT…]/STREAM`
 * (`tls://` for servers that speak nothing else).
 */
import { fail, ok, type Result } from '../../machines/model/result.js';

export type FeedSourceSpec =
  | { readonly driver: 'file'; readonly dir: string }
  | { readonly driver: 'nats'; readonly servers: readonly string[]; readonly stream: string };

const URL = /^(nats|tls):\/\/([^/\s]+)\/([A-Za-z0-9_-]+)$/;
const SERVER = /^[^:,\s]+:\d{1,5}$|^\[[0-9a-f:.]+\]:\d{1,5}$/i;

export function parseFeedSource(text: string): Result<FeedSourceSpec, string> {
  if (!text.includes('://')) return ok({ driver: 'file', dir: text });
  const [, scheme = '', hosts = '', stream = ''] = URL.exec(text) ?? [];
  const servers = hosts.split(',');
  if (scheme === '' || !servers.every((server) => SERVER.test(server))) return fail(EXPECTED);
  return ok({ driver: 'nats', servers: servers.map((one) => `${scheme}://${one}`), stream });
}

const EXPECTED = 'expected a folder, or nats://HOST:PORT[,HOST:PORT…]/STREAM';
