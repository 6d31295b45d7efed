/**
 * Rules of the node itself: sockets that fit, pairs of bounds in order, what a real VPP needs.
 */
import { join } from 'node:path';
import { parseFeedSource } from '../feed-source.js';
import { configLimits } from '../limits.js';
import { type Finding, type Path, semantic } from '../problem.js';
import { allFrontends, type CheckContext } from './context.js';
import { backendFamilies } from './frontends.js';

export function checkNode(context: CheckContext): readonly Finding[] {
  return [
    ...checkSockets(context),
    ...checkOrder(context),
    ...checkGreSources(context),
    ...checkNats(context),
    ...checkFeed(context),
    ...checkTenancyTls(context),
  ];
}

function checkSockets({ config }: CheckContext): readonly Finding[] {
  const { dataDir } = config.node;
  const { apiSocket } = config.dataplane;
  // The default socket is shorter than the daemon's own in the same directory.
  const isDefault = apiSocket === join(dataDir, 'vpp.sock');
  return [
    ...fits(['node', 'dataDir'], join(dataDir, 'switchyard.sock')),
    ...(isDefault ? [] : fits(['dataplane', 'apiSocket'], apiSocket)),
  ];
}

function fits(path: Path, socket: string): readonly Finding[] {
  const bytes = Buffer.byteLength(socket);
  const max = configLimits.socketPathBytesMax;
  if (bytes <= max) return [];
  return [semantic(path, `socket path ${socket} has ${bytes} bytes; at most ${max} work`)];
}

function checkOrder({ config }: CheckContext): readonly Finding[] {
  const { dataplane, retry, tenancy } = config;
  return [
    ...atLeast(['dataplane', 'startupMaxDelay'], 'startupMinDelay', [
      dataplane.startupMaxDelay,
      dataplane.startupMinDelay,
    ]),
    ...atLeast(['retry', 'max'], 'base', [retry.max, retry.base]),
    ...(tenancy === undefined
      ? []
      : [
          ...atLeast(['tenancy', 'maxBackoff'], 'initialBackoff', [
            tenancy.maxBackoff,
            tenancy.initialBackoff,
          ]),
          ...atLeast(['tenancy', 'laneBackoff', 'max'], 'base', [
            tenancy.laneBackoff.max,
            tenancy.laneBackoff.base,
          ]),
        ]),
  ];
}

function checkTenancyTls({ config }: CheckContext): readonly Finding[] {
  if (config.tenancy === undefined) return [];
  const { tls, url } = config.tenancy;
  const { ca, cert, key } = tls;
  const path = ['tenancy', 'tls'];
  const given = ca !== undefined || cert !== undefined || key !== undefined;
  return [
    ...((cert === undefined) === (key === undefined)
      ? []
      : [semantic(path, 'cert and key belong together')]),
    ...(given && !url.startsWith('https:')
      ? [semantic(path, 'is of no use: tenancy.url does not begin with https')]
      : []),
  ];
}

function atLeast(
  path: Path,
  lowerName: string,
  [upper, lower]: readonly [number, number],
): readonly Finding[] {
  return upper >= lower ? [] : [semantic(path, `must not be less than ${lowerName}`)];
}

/** Without a source of its own, VPP would send GRE from 255.255.255.255. */
function checkGreSources(context: CheckContext): readonly Finding[] {
  const { driver, lb } = context.config.dataplane;
  if (driver !== 'vpp') return [];
  return allFrontends(context.config).flatMap((place) => {
    if (place.value.encap === 'l3dsr') return [];
    const family = place.value.encap === 'gre6' ? 6 : backendFamilies(context, place)[0]?.family;
    const key = family === 6 ? 'ip6Source' : 'ip4Source';
    if (lb[key] !== undefined || (family === undefined && lb.ip6Source !== undefined)) return [];
    const message = `frontend "${place.name}" uses GRE: a real VPP needs dataplane.lb.${key}`;
    return [semantic(['dataplane', 'lb'], message)];
  });
}

/** Who speaks NATS has to be told where, and both halves of a key pair; a fleet needs a log. */
function checkNats({ config }: CheckContext): readonly Finding[] {
  const { lease, outbox } = config;
  const { sink } = outbox;
  const shared = lease.driver === 'nats';
  return [
    ...(sink.driver === 'nats' ? checkAccess(['outbox', 'sink'], sink, sink.servers) : []),
    ...(shared ? checkAccess(['lease'], lease, lease.servers ?? sink.servers) : []),
    ...(shared && sink.driver !== 'nats' ? [semantic(['lease', 'driver'], NO_LOG)] : []),
    ...(shared && lease.ttl < LEASE_TTL_MIN_MS ? [semantic(['lease', 'ttl'], TOO_SHORT)] : []),
  ];
}

/** Whoever may take over must have read the log itself: a copy of it may lag behind. */
function checkFeed({ config: { feed, lease } }: CheckContext): readonly Finding[] {
  if (feed.source === undefined) return [];
  const path = ['feed', 'source'];
  const parsed = parseFeedSource(feed.source);
  if (!parsed.ok) return [semantic(path, parsed.failure)];
  return lease.driver === 'nats' ? [semantic(path, IS_THE_LOG)] : [];
}

const IS_THE_LOG =
  'nodes that share a lease follow the log itself, outbox.sink.stream: leave it out, and name another feed to "feed tail" with --source';

/** A cluster's change of leader takes 5 s, in which nobody can renew. */
const LEASE_TTL_MIN_MS = 3_000;

const NO_LOG = 'a shared lease needs the fleet to share a log: set outbox.sink.driver to nats';
const TOO_SHORT = 'expected at least 3s: a lease is renewed at a third of its time';

function checkAccess(
  path: Path,
  {
    tls,
  }: { readonly tls: { readonly cert?: string | undefined; readonly key?: string | undefined } },
  servers: readonly string[] | undefined,
): readonly Finding[] {
  const lonely = (tls.cert === undefined) !== (tls.key === undefined);
  return [
    ...(servers === undefined ? [semantic(path, NO_SERVERS)] : []),
    ...(lonely ? [semantic([...path, 'tls'], 'cert and key go together')] : []),
  ];
}

const NO_SERVERS = 'the nats driver needs servers, e.g. [nats://127.0.0.1:4222]';
