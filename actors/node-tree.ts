/**
 * The node's supervision tree: what runs, where, and what ends together. Start here to find your
 * way.
 *
 *   node ─┬─ store       the only writer of SQLite
 *         ├─ outbox      rows to the sink
 *         ├─ dataplane ──┬─ lbsync    frontends, the one connection to VPP
 *         │              └─ shards    one thread each: backends, instances, agents, groups, tenants
 *         └─ main ───────┬─ pools, announcements, providers, reload, lease, tenancy    in the main thread
 *                        └─ api                                  what operators and agents speak to
 *
 * Nothing in `dataplane` is built on `store` or `outbox`: both may be down and probes go on,
 * weights follow verdicts, VIPs stand; decisions wait. That is why the root is one-for-one [SU-9].
 *
 * Started from top to bottom, stopped from bottom to top: no new intents, groups settle, the last
 * diff reaches VPP, the last rows reach the sink, the store closes.
 */
import type { ActorKind } from '../machines/model/ids.js';
import type { ChildSpec, SupervisorSpec, WorkerSpec } from '../src/supervision/spec.js';

/** What a leaf of the tree is. */
export type NodeStart =
  /** Thread of its own; `many`: as many as the node has shards. */
  | {
      readonly kind: 'thread';
      readonly role: 'store' | 'outbox' | 'dataplane' | 'shard';
      readonly many: boolean;
      readonly hosts: readonly ActorKind[];
    }
  /** Actors of the main thread. */
  | { readonly kind: 'actors'; readonly hosts: readonly ActorKind[] }
  /** Servers of the main thread. */
  | { readonly kind: 'service' };

/** A thread may take this long to finish what it has; the whole node a little longer. */
const THREAD_SHUTDOWN_MS = 8_000;
const ACTORS_SHUTDOWN_MS = 5_000;

/** Five ends a minute are borne, as for a single actor; the sixth is no accident. */
const LIMIT = { intensity: 5, periodMs: 60_000 } as const;

type Role = (NodeStart & { kind: 'thread' })['role'];

function thread(id: string, role: Role, hosts: readonly ActorKind[]): WorkerSpec<NodeStart> {
  return {
    id,
    start: { kind: 'thread', role, many: role === 'shard', hosts },
    restart: 'permanent',
    shutdownMs: THREAD_SHUTDOWN_MS,
    essential: true,
  };
}

/**
 * Actors restart one by one within their own limits: a quarantined one is no failure of its host.
 */
function actors(id: string, hosts: readonly ActorKind[]): WorkerSpec<NodeStart> {
  return {
    id,
    start: { kind: 'actors', hosts },
    restart: 'permanent',
    shutdownMs: ACTORS_SHUTDOWN_MS,
    essential: false,
  };
}

const dataplane: ChildSpec<NodeStart> = {
  id: 'dataplane',
  restart: 'permanent',
  essential: true,
  supervisor: {
    ...LIMIT,
    strategy: 'one-for-one',
    children: [
      thread('lbsync', 'dataplane', ['lbsync', 'frontend', 'suspicion', 'override']),
      thread('shards', 'shard', [
        'backend',
        'instance',
        'agent',
        'identity',
        'group',
        'tenant',
        'override',
      ]),
    ],
  },
};

const main: ChildSpec<NodeStart> = {
  id: 'main',
  restart: 'permanent',
  essential: true,
  supervisor: {
    ...LIMIT,
    strategy: 'one-for-one',
    children: [
      actors('pools', ['pool', 'block', 'guard']),
      actors('announcements', ['announcement']),
      actors('providers', ['provider', 'sweep']),
      actors('reload', ['reload']),
      actors('lease', ['lease']),
      actors('tenancy', ['tenancy', 'resource', 'reporter']),
      {
        id: 'api',
        start: { kind: 'service' },
        restart: 'permanent',
        shutdownMs: ACTORS_SHUTDOWN_MS,
        essential: false,
      },
    ],
  },
};

export const NODE_TREE: SupervisorSpec<NodeStart> = {
  ...LIMIT,
  strategy: 'one-for-one',
  children: [thread('store', 'store', []), thread('outbox', 'outbox', ['outbox']), dataplane, main],
};
