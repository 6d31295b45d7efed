/**
 * Entry of every worker thread: takes a role, hosts its actors, links to its peers, and ends when told.
 *
 * Main speaks over the control port (src/wire/to-thread.ts); actors of other threads over links. The
 * task ends when the thread has stopped; the thread dies when it cannot go on.
 */
import type { MessagePort } from 'node:worker_threads';
import type { Json, JsonObject } from '../../machines/model/json.js';
import { fail, ok, type Result } from '../../machines/model/result.js';
import { openSqliteStore } from '../adapters/sqlite/open.js';
import { systemClock } from '../adapters/system/clock.js';
import { systemIds, systemRandom } from '../adapters/system/identity.js';
import { createMesh, type Mesh, type MeshOptions } from '../adapters/threads/mesh.js';
import { createRemoteStore } from '../adapters/threads/remote-store.js';
import { serveStore } from '../adapters/threads/serve-store.js';
import { openStage } from '../adapters/threads/stage.js';
import { isDuty } from '../policy/duty.js';
import { createHost } from '../runtime/host.js';
import { createPlacement } from '../runtime/placement.js';
import { rehearse as playScene } from '../runtime/rehearsal.js';
import type { FromThread } from '../wire/from-thread.js';
import { ROOM_MESSAGES_MAX } from '../wire/limits.js';
import { decodeToThread, type ToThread } from '../wire/to-thread.js';
import { type Vitals, writeVitals } from '../wire/vitals.js';
import { createGeneration } from './generation.js';
import { createParts, type Parts } from './parts.js';
import { answerQueries } from './queries.js';
import { shardScene } from './rehearsal.js';
import { type Cast, castOf, portsFor, type Role } from './roles.js';
import type { Settings } from './settings.js';
import { keepUp, metered } from './upkeep.js';

export interface WorkerTask {
  readonly control: MessagePort;
}

/** The actors of a role; tests have their own. */
export type Casting = (role: Role) => Cast;

type Link = ToThread & { readonly type: 'link' };

type Start = ToThread & { readonly type: 'start' };

/** What a running role offers to its thread. */
interface Running {
  readonly mesh: Mesh;
  /** Resolves when the role serves. */
  readonly ready: Promise<Result<void, string>>;
  stop(): Promise<void>;
}

export const runWorker = workerOf((role) => castOf([role]));

/** What a thread does that waits for its task. */
export function rehearse(isOver: () => boolean): Promise<void> {
  const house = { clock: systemClock(), ids: systemIds(), random: systemRandom(), isOver };
  return playScene(shardScene(), { ...house, open: openStage });
}

export function workerOf(casting: Casting): (task: WorkerTask) => Promise<void> {
  return ({ control }) => runRole(control, casting);
}

function runRole(control: MessagePort, casting: Casting): Promise<void> {
  return new Promise((resolve) => {
    let running: Running | undefined;
    let beating: NodeJS.Timeout | undefined;
    const say = (frame: FromThread): void => control.postMessage(frame);

    const start = async (frame: Start): Promise<void> => {
      const vitals = writeVitals(frame.vitals);
      beating = setInterval(vitals.beat, frame.heartbeatMs);
      const opened = await openRole(frame, { casting, vitals, say });
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

    const early: Link[] = [];
    const attach = (frame: Link): void => {
      if (running === undefined) return void early.push(frame);
      const ports = { bulk: frame.bulk as MessagePort, urgent: frame.urgent as MessagePort };
      running.mesh.attach({ name: frame.peer, incarnation: frame.incarnation }, ports);
    };

    const stop = async (): Promise<void> => {
      await running?.stop();
      clearInterval(beating);
      say({ type: 'stopped', reason: 'told to' });
      control.close();
      resolve();
    };

    control.on('message', (value: unknown) => {
      const frame = decodeToThread(value);
      if (!frame.ok) return die(new Error(frame.failure.message));
      switch (frame.value.type) {
        case 'start':
          return void start(frame.value).catch(die);
        case 'link':
          return attach(frame.value);
        case 'unlink':
          return running?.mesh.detach(frame.value.peer);
        case 'stop':
          return void stop().catch(die);
      }
    });
  });
}

/**
 * As an uncaught error: a task that merely rejects leaves its thread in the pool, with all it held, for
 * the next one.
 */
function die(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}

interface Stage {
  readonly casting: Casting;
  readonly vitals: Vitals;
  say(frame: FromThread): void;
}

async function openRole(frame: Start, stage: Stage): Promise<Result<Running, string>> {
  const settings = frame.settings as unknown as Settings;
  const parts = createParts(settings, frame.thread);
  const base = { ...stage, settings, parts };
  return frame.role === 'store'
    ? openStoreRole(frame, base)
    : openActorRole(frame, { ...base, role: frame.role });
}

interface StoreRole extends Stage {
  readonly settings: Settings;
  readonly parts: Parts;
}

function openStoreRole(frame: Start, role: StoreRole): Result<Running, string> {
  const { settings, parts } = role;
  const opened = openSqliteStore({
    file: settings.storeFile,
    durability: settings.durability,
    node: settings.node,
    run: settings.run,
    failpoints: parts.failpoints,
    clock: parts.clock,
    coalesceWindowMs: settings.coalesceWindowMs,
  });
  if (!opened.ok) return fail(opened.failure.message);
  const store = metered(opened.value, parts);
  const upkeep = keepUp({ store, boot: settings, parts });
  const mesh = createMesh({
    ...meshBase(frame, role),
    deliver: () => undefined,
    settle: () => undefined,
    answer: (name, args) => {
      if (name === 'retention') upkeep.retain(args as JsonObject);
      return name === 'metrics' ? parts.snapshot() : null;
    },
    store: serveStore(store),
  });
  const stop = async (): Promise<void> => {
    upkeep.stop();
    await store.close();
    mesh.close();
  };
  return ok({ mesh, ready: Promise.resolve(ok(undefined)), stop });
}

interface ActorRole extends StoreRole {
  readonly role: Role;
}

async function openActorRole(frame: Start, actorRole: ActorRole): Promise<Result<Running, string>> {
  const { settings, parts, role, casting, vitals } = actorRole;
  const { thread, incarnation } = frame;
  const store = createRemoteStore({ placed: { thread, shards: settings.shards } });
  const ports = await portsFor([role], { settings, parts, store, thread, incarnation });
  if (!ports.ok) return ports;
  const generation = createGeneration(settings.generation);
  const mesh = createMesh({
    ...meshBase(frame, actorRole),
    watched: (peer, frame) => host.watched(peer, frame),
    lost: ({ name, incarnation }) => host.lost(name, incarnation),
    undelivered: (envelope) => host.undelivered(envelope),
    hasRoom: () => host.waiting < ROOM_MESSAGES_MAX,
    deliver: (envelope) => host.send(envelope),
    settle: (replyTo, outcome) => host.settle(replyTo, outcome),
    answer: (name: string, args: Json) => answer(name, args),
    store,
    storePeer: 'store',
  });
  const host = createHost({
    ...parts,
    ...casting(role),
    thread,
    incarnation,
    placement: createPlacement(settings.shards),
    store,
    ports: ports.value.ports,
    remote: mesh,
    turn: vitals,
    quarantine: new Set(frame.quarantine),
    generation: () => generation.current,
    ...(settings.lease === undefined ? {} : { duty: { covers: isDuty } }),
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

/** What a thread cannot believe it tells main, which started whoever sent it. */
function meshBase(
  { thread, incarnation }: Start,
  { parts, say }: StoreRole,
): Pick<MeshOptions, 'thread' | 'incarnation' | 'log' | 'distrusts'> {
  return {
    thread,
    incarnation,
    log: parts.log,
    distrusts: (peer, message) =>
      say({ type: 'distrust', peer: peer.name, incarnation: peer.incarnation, message }),
  };
}
