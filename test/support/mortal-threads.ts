/**
 * Two real shard threads and a host on main, with actors that end their thread when told. No store, no
 * outside: what is left is threads, links, heartbeats and who hears of an end.
 */
import assert from 'node:assert/strict';
import { NODE_TREE } from '../../actors/node-tree.js';
import { type Address, addressOf } from '../../machines/model/ids.js';
import type { Json } from '../../machines/model/json.js';
import type { Message } from '../../machines/model/messages.js';
import type { Result } from '../../machines/model/result.js';
import { systemClock } from '../../src/adapters/system/clock.js';
import type { LinkPorts } from '../../src/adapters/threads/link.js';
import { createMesh, type Mesh } from '../../src/adapters/threads/mesh.js';
import { createThreads, type ThreadSpec, type Threads } from '../../src/app/threads.js';
import { threadTree } from '../../src/app/tree-walk.js';
import type { AskFailure } from '../../src/runtime/asks.js';
import { createHost, type Host } from '../../src/runtime/host.js';
import { createPlacement } from '../../src/runtime/placement.js';
import type { HeartbeatRules } from '../../src/supervision/heartbeat.js';
import type { SupervisorSpec } from '../../src/supervision/spec.js';
import { mortalCast } from './mortal-cast.js';
import { numberedIds, rememberingLog, rememberingMetrics, seededRandom } from './quiet.js';
import { memoryStore } from './toy-node.js';
import { workerSettings } from './worker-settings.js';

export const SHARDS = ['shard-0', 'shard-1'] as const;

/** On main. */
export const MOURNER = addressOf('reload', 'main');

/** A question that is answered late, or never, says what it waited for, and not that it waited. */
const PATIENT_MS = 120_000;

export interface MortalThreads {
  readonly host: Host;
  readonly threads: Threads;
  readonly mesh: Mesh;
  readonly log: ReturnType<typeof rememberingLog>;
  readonly metrics: ReturnType<typeof rememberingMetrics>;
  readonly gaveUp: string[];
  ask(to: Address, message: Message): Promise<Result<Json, AskFailure>>;
  peek(of: Address): Promise<{ readonly count: number; readonly downs: readonly object[] }>;
  /** Main's own ends of the links it made, by thread, oldest first. */
  readonly ports: ReadonlyMap<string, LinkPorts>;
  /** Resolves when it was replaced so often since the beginning. */
  replaced(name: string, times: number): Promise<void>;
  /** What was logged of deaths and replacements, in order. */
  deaths(): readonly string[];
  stop(): Promise<void>;
}

export interface MortalOptions {
  readonly heartbeat?: HeartbeatRules;
  readonly heapMb?: number;
  readonly shutdownMs?: number;
}

const placement = createPlacement(SHARDS.length);

/** Actors of that shard. */
export function actorsOf(shard: string, count: number): readonly Address[] {
  const all = Array.from({ length: 64 }, (_, n) => addressOf('group', `t/g${n}`));
  return all.filter((address) => placement.threadOf(address) === shard).slice(0, count);
}

function treeOf({ shutdownMs }: MortalOptions): SupervisorSpec<ThreadSpec> {
  const children = threadTree(SHARDS).children.flatMap((child) =>
    'supervisor' in child ? child.supervisor.children : [],
  );
  const shards = children.filter(({ id }) => id.startsWith('shard'));
  assert.equal(shards.length, SHARDS.length);
  return {
    ...NODE_TREE,
    backoff: { baseMs: 1, maxMs: 4 },
    children: shards.map((child) => ({ ...child, ...(shutdownMs && { shutdownMs }) })),
  };
}

export async function mortalThreads(options: MortalOptions = {}): Promise<MortalThreads> {
  const log = rememberingLog();
  const metrics = rememberingMetrics();
  const gaveUp: string[] = [];
  const counts = new Map<string, number>();
  let waiting: { name: string; times: number; resolve: () => void }[] = [];
  const mesh = createMesh({
    thread: 'main',
    incarnation: 0,
    log,
    watched: (peer, frame) => host.watched(peer, frame),
    lost: (peer) => host.lost(peer.name, peer.incarnation),
    distrusts: (peer, message) => threads.accuse(peer, message),
    deliver: (envelope) => host.send(envelope),
    settle: (replyTo, outcome) => host.settle(replyTo, outcome),
    answer: () => null,
  });
  const host = createHost({
    ...mortalCast(['reload']),
    thread: 'main',
    incarnation: 1,
    placement,
    clock: systemClock(),
    ids: numberedIds(),
    random: seededRandom(1),
    log,
    metrics,
    store: memoryStore(),
    ports: {},
    remote: mesh,
    generation: () => 1,
  });
  const onReplaced = (name: string): void => {
    const times = (counts.get(name) ?? 0) + 1;
    counts.set(name, times);
    const over = waiting.filter((wait) => wait.name === name && wait.times <= times);
    waiting = waiting.filter((wait) => !over.includes(wait));
    for (const { resolve } of over) resolve();
  };
  const ports = new Map<string, LinkPorts>();
  const overheard: Mesh = {
    ...mesh,
    attach: (peer, made) => {
      ports.set(peer.name, made);
      mesh.attach(peer, made);
    },
  };
  const threads = createThreads({
    tree: treeOf(options),
    mesh: overheard,
    log,
    metrics,
    incarnationBase: () => 100,
    settings: () => workerSettings({ shards: SHARDS.length }),
    clock: systemClock(),
    random: seededRandom(1),
    entry: new URL('./mortal-entry.js', import.meta.url).href,
    onReplace: async () => undefined,
    onReplaced,
    onGiveUp: (name) => void gaveUp.push(name),
    ...options,
  });
  const started = await threads.start(SHARDS);
  assert.ok(started.ok, JSON.stringify(started));
  assert.ok((await host.start()).ok);
  const ask: MortalThreads['ask'] = (to, message) => host.ask(to, message, PATIENT_MS);
  return {
    ...{ host, threads, mesh, log, metrics, gaveUp, ports, ask },
    peek: async (of) => {
      const answer = await ask(of, { type: 'peek' });
      assert.ok(answer.ok, JSON.stringify(answer));
      return answer.value as never;
    },
    replaced: (name, times) =>
      new Promise((resolve) => {
        if ((counts.get(name) ?? 0) >= times) return resolve();
        waiting.push({ name, times, resolve });
      }),
    deaths: () =>
      log.lines.flatMap(({ message, fields }) =>
        /^thread (died|replaced)/.test(message)
          ? [`${message.slice(7)} ${(fields as { thread: string }).thread}`]
          : [],
      ),
    stop: async () => {
      await host.stop();
      await threads.stop();
      await threads.close();
    },
  };
}
