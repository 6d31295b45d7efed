/**
 * Fills in what depends on the place of the file and on other keys: absolute paths, the node's
 * name, sockets below the data directory.
 *
 * Input: a configuration that passed the schema, the directory of its file, the host's name.
 * Output: `Config`, in which every default is written out. Same input, same output.
 */
import { isAbsolute, join, resolve } from 'node:path';
import { isName } from '../../machines/model/ids.js';
import type { ParsedConfig } from './schema.js';

export interface Place {
  /** Absolute: where relative paths start. */
  readonly directory: string;
  readonly hostname: string;
  /** Wins over `node.dataDir` (the `--data-dir` flag). */
  readonly dataDir?: string | undefined;
}

type DeepReadonly<T> = T extends (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

/** Everything the node is told, defaults included, secrets replaced by fingerprints. */
export type Config = DeepReadonly<ReturnType<typeof completeConfig>>;

const VPP_SOCKET = '/run/vpp/api.sock';

export function completeConfig(parsed: ParsedConfig, place: Place) {
  const absolute = (path: string): string => resolve(place.directory, path);
  const dataDir = place.dataDir ?? absolute(parsed.node.dataDir);
  const below = (path: string | undefined, fallback: string): string =>
    path === undefined ? join(dataDir, fallback) : absolute(path);
  const { api, dataplane, outbox } = parsed;
  const socketDefault = dataplane.driver === 'vpp' ? VPP_SOCKET : join(dataDir, 'vpp.sock');
  return {
    ...parsed,
    node: { ...parsed.node, name: parsed.node.name ?? nodeName(place.hostname), dataDir },
    api: {
      ...api,
      tls: mapPaths(api.tls, absolute),
      agentCa: { ...api.agentCa, dir: below(api.agentCa.dir, 'ca') },
    },
    ...(parsed.tenancy === undefined
      ? {}
      : { tenancy: { ...parsed.tenancy, tls: mapPaths(parsed.tenancy.tls, absolute) } }),
    providers: mapValues(parsed.providers, (provider) => programOf(provider, place.directory)),
    announce: programOf(parsed.announce, place.directory),
    dataplane: {
      ...dataplane,
      apiSocket: dataplane.apiSocket === undefined ? socketDefault : absolute(dataplane.apiSocket),
    },
    feed: feedOf(parsed.feed, absolute),
    lease: natsPaths(parsed.lease, absolute),
    outbox: {
      ...outbox,
      sink: { ...natsPaths(outbox.sink, absolute), dir: below(outbox.sink.dir, 'feed') },
    },
  };
}

/** The part of a host's name before its first dot, with everything that is no name made a hyphen. */
export function nodeName(hostname: string): string {
  const [first = ''] = hostname.toLowerCase().split('.');
  const name = first
    .replaceAll(/[^a-z0-9-]/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 63);
  return isName(name) ? name : 'node';
}

/** A program named by a relative path lies beside the file; a bare name is looked up as usual. */
function programOf<T extends { readonly command?: readonly string[] | undefined }>(
  owner: T,
  directory: string,
): T {
  const [program = '', ...rest] = owner.command ?? [];
  if (!program.includes('/') || isAbsolute(program)) return owner;
  return { ...owner, command: [resolve(directory, program), ...rest] };
}

/** A folder lies beside the file; a stream lies nowhere. */
function feedOf(
  { source, ...rest }: ParsedConfig['feed'],
  absolute: (path: string) => string,
): ParsedConfig['feed'] {
  if (source === undefined || source.includes('://')) return { source, ...rest };
  return { source: absolute(source), ...rest };
}

function natsPaths<T extends { readonly credentials?: string | undefined; readonly tls: object }>(
  access: T,
  absolute: (path: string) => string,
): T {
  const { credentials, tls } = access;
  return {
    ...access,
    ...(credentials === undefined ? {} : { credentials: absolute(credentials) }),
    tls: mapPaths(tls, absolute),
  };
}

function mapPaths<T extends object>(paths: T, absolute: (path: string) => string): T {
  return mapValues(paths as Record<string, string | undefined>, (path) =>
    path === undefined ? undefined : absolute(path),
  ) as T;
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, change: (value: T) => U) {
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => [key, change(value)]),
  ) as Record<string, U>;
}
