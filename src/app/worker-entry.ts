/**
 * Entry of every worker thread: takes a role, hosts its actors, links to its peers, and ends when told.
 *
 * Main speaks over the control port (src/wire/to-thread.ts); actors of other threads over links. The
 * task ends when the thread has stopped; it rejects when the thread cannot go on.
 */
import type { MessagePort } from 'node:worker_threads';
import type { Json } from '../../machines/model/json.js';
import { fail, ok, type Result } from '../../machines/model/result.js';
import { openSqliteStore } from '../adapters/sqlite/open.js';
import { createMesh, type Mesh, type MeshOptions } from '../adapters/threads/mesh.js';
import { createRemoteStore } from '../adapters/threads/remote-store.js';
import { serveStore } from '../adapters/threads/serve-store.js';
import { createHost } from '../runtime/host.js';
import { createPlacement } from '../runtime/placement.js';
import type { FromThread } from '../wire/from-thread.js';
import { decodeToThread, type ToThread } from '../wire/to-thread.js';
import { createGeneration } from './generation.js';
import { createParts, type Parts } from './parts.js';
import { answerQueries } from './queries.js';
import { castOf, portsFor, type Role } from './roles.js';
import type { Settings } from './settings.js';
import { keepUp, metered } from './upkeep.js';

export interface WorkerTask {
  readonly control: MessagePort;
}

type Start = ToThread & { readonly type: 'start' };

/** What a running role offers to its thread. */
interface Running {
  readonly mesh: Mesh;
  /** Resolves when the role serves. */
  readonly ready: Promise<Result<void, string>>;
  stop(): Promise<void>;
}

export function runWorker({ control }: WorkerTask): Promise<void> {
  return new Promise((resolve, reject) => {
    let running: Running | undefined;
    const say = (frame: FromThread): void => control.postMessage(frame);

    const start = async (frame: Start): Promise<void> => {
      const opened = await openRole(frame);
      if (!opened.ok) return refuse('cannot-start', opened.failure);
      running = opened.value;
      for (const link of early) attach(link);
      const ready = await running.ready;
      if (!ready.ok) return refuse('cannot-start', ready.failure);
      say({ type: 'ready', thread: frame.thread, incarnation: frame.incarnation });
    };

    /** Main ends a thread that cannot start once it has read why: an end here could outrun the words. */
    const refuse = (code: string, message: string): void => {
      say({ type: 'failed', code, message });
    };

    const early: (ToThread & { readonly type: 'link' })[] = [];
    const attach = (frame: ToThread & { readonly type: 'link' }): void => {
      if (running === undefined) early.push(frame);
      else running.mesh.attach(frame.peer, frame.port as MessagePort);
    };

    const stop = async (): Promise<void> => {
      await running?.stop();
      say({ type: 'stopped', reason: 'told to' });
      control.close();
      resolve();
    };

    control.on('message', (value: unknown) => {
      const frame = decodeToThread(value);
      if (!frame.ok) return reject(new Error(frame.failure.message));
      switch (frame.value.type) {
        case 'start':
          return void start(frame.value).catch(reject);
        case 'link':
          return attach(frame.value);
        case 'unlink':
          return running?.mesh.detach(frame.value.peer);
        case 'stop':
          return void stop().catch(reject);
        case 'fence':
          return;
      }
    });
  });
}

async function openRole(frame: Start): Promise<Result<Running, string>> {
  const settings = frame.settings as unknown as Settings;
  const parts = createParts(settings, frame.thread);
  return frame.role === 'store'
    ? openStoreRole(frame, settings, parts)
    : openActorRole(frame, { settings, parts, role: frame.role });
}

function openStoreRole(frame: Start, settings: Settings, parts: Parts): Result<Running, string> {
  const opened = openSqliteStore({
    file: settings.storeFile,
    durability: settings.durability,
    node: settings.node,
    run: settings.run,
    failpoints: parts.failpoints,
    clock: parts.clock,
    outboxAttemptsMax: settings.outboxAttemptsMax,
  });
  if (!opened.ok) return fail(opened.failure.message);
  const store = metered(opened.value, parts);
  const upkeep = keepUp({ store, boot: settings, parts });
  const mesh = createMesh({
    ...meshBase(frame, parts),
    deliver: () => undefined,
    settle: () => undefined,
    answer: (name) => (name === 'metrics' ? parts.snapshot() : null),
    store: serveStore(store),
  });
  const stop = async (): Promise<void> => {
    upkeep.stop();
    await store.close();
    mesh.close();
  };
  return ok({ mesh, ready: Promise.resolve(ok(undefined)), stop });
}

interface ActorRole {
  readonly settings: Settings;
  readonly parts: Parts;
  readonly role: Role;
}

async function openActorRole(
  frame: Start,
  { settings, parts, role }: ActorRole,
): Promise<Result<Running, string>> {
  const { thread, incarnation } = frame;
  const store = createRemoteStore({ placed: { thread, shards: settings.shards } });
  const ports = await portsFor([role], { settings, parts, store });
  if (!ports.ok) return ports;
  const generation = createGeneration(settings.generation);
  const mesh = createMesh({
    ...meshBase(frame, parts),
    deliver: (envelope) => host.send(envelope),
    settle: (replyTo, outcome) => host.settle(replyTo, outcome),
    answer: (name: string, args: Json) => answer(name, args),
    store,
    storePeer: 'store',
  });
  const host = createHost({
    ...parts,
    ...castOf([role]),
    thread,
    incarnation,
    placement: createPlacement(settings.shards),
    store,
    ports: ports.value.ports,
    remote: mesh,
    generation: () => generation.current,
  });
  const answer = answerQueries({ host, parts, generation });
  const ready = host
    .start()
    .then((started) => (started.ok ? ok(undefined) : fail(started.failure.message)));
  const stop = async (): Promise<void> => {
    await host.stop();
    await ports.value.close();
    mesh.close();
  };
  return ok({ mesh, ready, stop });
}

function meshBase(
  { thread, incarnation }: Start,
  { log }: Parts,
): Pick<MeshOptions, 'thread' | 'incarnation' | 'log'> {
  return { thread, incarnation, log };
}
