/**
 * The node over worker threads: main hosts its own actors, the others run in a pool of threads.
 *
 * Started in the order of actors/node-tree.ts, stopped in the reverse: main first (no new intents), then
 * the shards, lbsync, the outbox with a last pass, the store last.
 */

import { type Address, addressOf } from '../../machines/model/ids.js';
import type { Json } from '../../machines/model/json.js';
import { fail, ok, type Result } from '../../machines/model/result.js';
import { createMesh } from '../adapters/threads/mesh.js';
import { createRemoteStore } from '../adapters/threads/remote-store.js';
import { isDuty } from '../policy/duty.js';
import { createHost, type Host } from '../runtime/host.js';
import { createPlacement } from '../runtime/placement.js';
import { ROOM_MESSAGES_MAX } from '../wire/limits.js';
import { type Cluster, createCluster } from './cluster.js';
import type { CrewOptions, Muster } from './crew.js';
import { openFleet } from './fleet.js';
import { createGeneration } from './generation.js';
import { mainPorts } from './main-ports.js';
import { type Answer, answerQueries } from './queries.js';
import { castOf } from './roles.js';
import type { BootSettings, Settings } from './settings.js';
import { createThreads } from './threads.js';
import { threadsOf, threadTree } from './tree-walk.js';

/** Threads of one run have incarnations of their own million. */
const INCARNATIONS_PER_EPOCH = 1_000_000;

export async function musterThreads(options: CrewOptions): Promise<Result<Muster, string>> {
  const { boot, parts, configFile, hooks, worlds, enrol, onFatal } = options;
  const placement = createPlacement(boot.shards);
  const specs = threadsOf(placement.shards);
  const acting = specs.map(({ name }) => name).filter((name) => name !== 'store');
  const store = createRemoteStore();
  const generation = createGeneration(0);
  let settings: BootSettings | Settings = boot;
  let stopped = false;
  let host: Host | undefined;
  let own: Answer = () => null;
  let onDuty = false;
  let acknowledged = 0;
  let closeFleet = async (): Promise<void> => undefined;

  const base = (): number => ('epoch' in settings ? settings.epoch * INCARNATIONS_PER_EPOCH : 0);
  const mesh = createMesh({
    thread: 'main',
    incarnation: 0,
    log: parts.log,
    watched: (peer, frame) => host?.watched(peer, frame),
    lost: (peer) => host?.lost(peer.name, peer.incarnation),
    undelivered: (envelope) => host?.undelivered(envelope),
    hasRoom: () => (host?.waiting ?? 0) < ROOM_MESSAGES_MAX,
    distrusts: (peer, message) => threads.accuse(peer, message),
    deliver: (envelope) => host?.send(envelope),
    settle: (replyTo, outcome) => host?.settle(replyTo, outcome),
    answer: (name: string, args: Json) => own(name, args),
    store,
    storePeer: 'store',
  });
  const threads = createThreads({
    tree: threadTree(placement.shards),
    mesh,
    log: parts.log,
    metrics: parts.metrics,
    incarnationBase: base,
    settings: () => settings as unknown as { readonly [field: string]: Json },
    clock: parts.clock,
    random: parts.random,
    onReplace: async (name, incarnation) => {
      if (name !== 'store') await store.fence(name, incarnation);
    },
    onReplaced: (name) => {
      void mesh.query(name, 'generation', generation.current);
      void mesh.query(name, 'acknowledged', [acknowledged]);
      void mesh.query(name, 'duty', onDuty);
      const body = { type: 'reload.reconverge', reason: `thread ${name} was replaced` };
      host?.tell(RELOAD, body, `thread:${name}`);
    },
    onGiveUp: (name, reason) => {
      // Nobody will answer: what waits for the store must not hold up the end.
      if (name === 'store') void store.close();
      onFatal(`${name} died too often: ${reason}`);
    },
  });
  const opened = await threads.start(['store']);
  if (!opened.ok) {
    await threads.close();
    return opened;
  }

  const begin: Muster['begin'] = async (complete) => {
    if (stopped) return fail('the node is stopping');
    settings = complete;
    generation.raise(complete.generation);
    const cluster = (): Cluster => joined;
    const fleet = openFleet({
      settings: complete,
      ...{ parts, store, hooks },
      orders: {
        setDuty: async (to) => {
          onDuty = to;
          await cluster().everywhere('duty', to);
        },
        acknowledge: (upTo, lost) => {
          acknowledged = upTo;
          void cluster().everywhere('acknowledged', [upTo, ...lost]);
        },
        tell: (to, message, cause) => host?.tell(to, message, cause),
        incarnation: base(),
      },
    });
    closeFleet = fleet?.close ?? closeFleet;
    const ports = mainPorts({
      ...{ settings: complete, parts, store, configFile, hooks, generation, cluster },
      ...{ worlds, enrol, fleet },
      waiting: mesh.waiting,
      views: (kind) => host?.views(kind) ?? [],
    });
    const made = createHost({
      ...parts,
      ...castOf(['main']),
      thread: 'main',
      incarnation: base(),
      placement,
      store,
      ports,
      remote: mesh,
      generation: () => generation.current,
      ...(complete.lease === undefined ? {} : { duty: { covers: isDuty } }),
    });
    host = made;
    const answers = answerQueries({ host: made, parts, generation });
    own = (name, args) => {
      if (name === 'resume') threads.forgive(String(args) as Address);
      return answers(name, args);
    };
    const joined = createCluster({
      host: made,
      own,
      others: [...acting, 'store'],
      query: mesh.query,
    });
    const started = await threads.start(acting);
    if (!started.ok) return started;
    const ready = await made.start();
    const crew = {
      ...{ host: made, cluster: joined, killThread: threads.kill },
      joinFleet: () => fleet?.begin(),
    };
    return ready.ok ? ok(crew) : fail(ready.failure.message);
  };

  const stop = async (): Promise<void> => {
    stopped = true;
    await host?.stop();
    await closeFleet();
    await threads.stop();
    await threads.close();
  };
  return ok({ store, begin, stop });
}

const RELOAD = addressOf('reload', 'main');
