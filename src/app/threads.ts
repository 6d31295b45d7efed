/**
 * The worker threads: one never-ending task each in a Piscina pool, one warm spare, nothing ever queued.
 *
 * A thread that dies, however (throw, exit, out of memory, closed port), is seen once per life. Its
 * peers unlink, the store fences it off, its successor starts on the spare and gets the same links;
 * its actors come back from the store, without the one that killed it too often. A thread that is
 * silent, or sends garbage, is ended and so becomes such a death. Order, restarts, limits and deadlines
 * are the tree's; here is what a start, a stop and a death mean for a thread.
 *
 * Rules: [SU-4] a thread's death is handled once, and only its own actors notice; [SU-12] [SU-13]
 * [SU-14] who is ended, and what for; [SU-29] the tree is the truth.
 */

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { NODE_TREE } from '../../actors/node-tree.js';
import { assert } from '../../machines/model/assert.js';
import { type Address, kindOf } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import { fail, ok, type Result } from '../../machines/model/result.js';
import { linkPorts } from '../adapters/threads/link.js';
import type { Mesh, Peer } from '../adapters/threads/mesh.js';
import { createThreadPool } from '../adapters/threads/pool.js';
import type { Clock, Random } from '../ports/clock.js';
import type { Log } from '../ports/log.js';
import type { Metrics } from '../ports/metrics.js';
import { DELIVERY_ATTEMPTS_MAX } from '../runtime/limits.js';
import { createCulprits } from '../supervision/culprits.js';
import { type HeartbeatRules, judgeHeartbeats, NEVER_CHECKED } from '../supervision/heartbeat.js';
import { type SupervisorSpec, workersOf } from '../supervision/spec.js';
import { decodeFromThread, type FromThread } from '../wire/from-thread.js';
import type { ThreadRole, ToThread } from '../wire/to-thread.js';
import { beatsOf, createVitals, culpritOf } from '../wire/vitals.js';
import { createExecutioner } from './executioner.js';
import { type Child, createSupervisor } from './supervisor.js';
import { createWanted, type Wanted } from './wanted.js';

export interface ThreadSpec {
  readonly name: string;
  readonly role: ThreadRole;
}

export interface ThreadsOptions {
  /** What runs, in which order, and what its end means. */
  readonly tree: SupervisorSpec<ThreadSpec>;
  /** Of main: linked to every thread. */
  readonly mesh: Mesh;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Incarnations start above this, so that every run of the daemon has its own. */
  incarnationBase(): number;
  settings(): JsonObject;
  /** Called before a dead thread's successor starts. */
  onReplace(name: string, incarnation: number): Promise<void>;
  /** Called when the successor serves. */
  onReplaced(name: string): void;
  /** A thread died too often. */
  onGiveUp(name: string, reason: string): void;
  readonly clock: Pick<Clock, 'monotonic' | 'after'>;
  readonly random: Random;
  /** Tests have shorter ones, threads that die more easily, and actors that kill. */
  readonly heartbeat?: HeartbeatRules;
  readonly heapMb?: number;
  readonly entry?: string;
}

export interface Threads {
  /** Starts threads in order, each linked to all before it. */
  start(names: readonly string[]): Promise<Result<void, string>>;
  /** Stops all of them in the reverse order, each finishing what it has within its deadline. */
  stop(): Promise<void>;
  /** Cuts a thread off, whatever it is doing: a death like any other. False: it is not there. */
  kill(name: string): boolean;
  /** That life of a thread sent what cannot be believed. */
  accuse(suspect: Peer, message: string): void;
  /** An operator resumes an actor: that it killed its thread counts no more. */
  forgive(culprit: Address): void;
  close(): Promise<void>;
}

type ThreadChild = Child<ThreadSpec>;

interface Thread {
  readonly spec: ThreadSpec;
  readonly child: ThreadChild;
  readonly incarnation: number;
  readonly control: MessagePort;
  readonly vitals: SharedArrayBuffer;
  readonly ended: Promise<void>;
  readonly kill: (reason: string) => void;
  /** Serves, and is not being stopped: its end would be a death. */
  serving: boolean;
}

/** Old-space of one worker: a leak takes its own thread, not the node. */
const HEAP_MB = 4_096;

/** How long a thread may take to serve; a large database is opened in one go. */
const START_DEADLINE_MS = 120_000;

/** Ten beats: a thread that missed them all is not merely slow. */
const HEARTBEAT: HeartbeatRules = { intervalMs: 500, timeoutMs: 5_000 };

assert(HEARTBEAT.timeoutMs >= 4 * HEARTBEAT.intervalMs, 'one missed beat is no death');
assert(DELIVERY_ATTEMPTS_MAX <= NODE_TREE.intensity, 'a killer is caught before the node gives up');

const LOADER = new URL('./worker-loader.cjs', import.meta.url).href;
const ENTRY = new URL('./worker-entry.js', import.meta.url).href;

export function createThreads(options: ThreadsOptions): Threads {
  const { log, mesh, metrics, heartbeat = HEARTBEAT } = options;
  const children = workersOf(options.tree).map(({ worker }) => worker);
  const pool = createThreadPool({
    loader: LOADER,
    entry: options.entry ?? ENTRY,
    tasks: children.length,
    heapMb: options.heapMb ?? HEAP_MB,
    after: options.clock.after,
    onSpareDied: (error) => log.error({ err: error }, 'idle thread died; the pool replaces it'),
  });
  const alive = new Map<string, Thread>();
  /** Threads that have served before: their next start is a replacement. */
  const served = new Set<string>();
  const wants = new Map<string, Wanted>();
  let up: Promise<Result<void, string>> | undefined;
  const culprits = createCulprits(DELIVERY_ATTEMPTS_MAX);
  const executioner = createExecutioner((suspect, reason) => {
    const thread = alive.get(suspect.name);
    if (thread?.incarnation !== suspect.incarnation || closing) return false;
    thread.kill(reason);
    return true;
  });
  let pulse = NEVER_CHECKED;
  let launched = 0;
  let starting = 0;
  let closing = false;
  let closed = false;

  const launch = async (child: ThreadChild): Promise<Result<void, string>> => {
    assert(alive.size < children.length, 'a task without a thread would wait for ever');
    starting += 1;
    const thread = open(child);
    const answer = await answerOf(thread, (frame) => hear(thread, frame));
    starting -= 1;
    // A task waits in the pool only while its thread comes up.
    assert(starting > 0 || !pool.isBehind, 'nothing is ever queued in the pool');
    thread.serving = answer.ok;
    if (answer.ok) {
      if (starting === 0) pool.settled();
      return ok(undefined);
    }
    // Gone, and off the books, before anybody tries again.
    thread.kill('it did not start');
    await thread.ended;
    return answer;
  };

  const open = (child: ThreadChild): Thread => {
    const spec = child.start;
    const { name, role } = spec;
    const incarnation = options.incarnationBase() + ++launched;
    const { port1: control, port2 } = new MessageChannel();
    const killer = new AbortController();
    const { signal } = killer;
    const vitals = createVitals();
    const task = pool.run({ control: port2 }, [port2], signal);
    const thread: Thread = {
      spec,
      child,
      incarnation,
      control,
      vitals,
      serving: false,
      kill: (reason) => killer.abort(new Error(reason)),
      ended: task.then(
        () => ended(thread, 'its task ended'),
        (error: unknown) => ended(thread, reasonOf(error)),
      ),
    };
    say(thread, {
      type: 'start',
      role,
      thread: name,
      incarnation,
      settings: options.settings(),
      vitals,
      heartbeatMs: heartbeat.intervalMs,
      quarantine: culprits.quarantined(name),
    });
    for (const peer of alive.values()) link(thread, peer);
    linkToMain(thread);
    alive.set(name, thread);
    return thread;
  };

  /** A thread that distrusts main cannot have another main: it is itself replaced. */
  const hear = ({ spec, incarnation }: Thread, frame: FromThread): void => {
    if (frame.type !== 'distrust') return;
    const { peer, message } = frame;
    if (peer === 'main') accuse({ name: spec.name, incarnation }, `it distrusts main: ${message}`);
    else accuse({ name: peer, incarnation: frame.incarnation }, message);
  };

  const accuse = (suspect: Peer, message: string): void =>
    executioner.accuse(suspect, `it sent what cannot be believed: ${message}`);

  /** Only of threads that serve: one that starts has a deadline of its own. */
  const check = (): void => {
    const serving = [...alive.values()].filter((thread) => thread.serving);
    const beats = new Map(serving.map(({ incarnation, vitals }) => [incarnation, beatsOf(vitals)]));
    const judged = judgeHeartbeats(heartbeat, pulse, { now: options.clock.monotonic(), beats });
    pulse = judged.state;
    const silent = serving.find(({ incarnation }) => incarnation === judged.silent);
    if (silent === undefined) return;
    const { spec, incarnation } = silent;
    const reason = `it gave no sign of life for ${heartbeat.timeoutMs} ms`;
    executioner.accuse({ name: spec.name, incarnation }, reason);
  };
  const checks = setInterval(check, heartbeat.intervalMs);

  const link = (one: Thread, other: Thread): void => {
    const [near, far] = linkPorts();
    const { spec, incarnation } = other;
    say(one, { type: 'link', peer: spec.name, incarnation, ...near });
    say(other, { type: 'link', peer: one.spec.name, incarnation: one.incarnation, ...far });
  };

  const linkToMain = (thread: Thread): void => {
    const [near, far] = linkPorts();
    say(thread, { type: 'link', peer: 'main', incarnation: MAIN_INCARNATION, ...far });
    mesh.attach({ name: thread.spec.name, incarnation: thread.incarnation }, near);
  };

  const ended = (thread: Thread, reason: string): void => {
    const { name } = thread.spec;
    if (alive.get(name) !== thread) return;
    alive.delete(name);
    thread.control.close();
    if (closed) return;
    if (!closing) {
      // One that refuses to start has said why; one that an actor ended meanwhile has not.
      if (thread.serving || culpritOf(thread.vitals) !== undefined) report(thread, reason);
      cutLinks(thread, reason);
    }
    // Of one that never served, whoever started it is told.
    if (thread.serving || closing) supervisor.ended(thread.child, 'abnormal', reason);
  };

  const cutLinks = ({ spec: { name }, incarnation }: Thread, reason: string): void => {
    const unlink = { type: 'unlink', peer: name, incarnation, reason } as const;
    for (const peer of alive.values()) say(peer, unlink);
    mesh.detach(name);
  };

  const report = ({ spec: { name }, vitals }: Thread, reason: string): void => {
    const culprit = culpritOf(vitals);
    metrics.count('thread_deaths_total', {
      thread: name,
      culprit: culprit === undefined ? '' : kindOf(culprit.address),
    });
    if (culprit === undefined) return log.error({ thread: name, reason }, 'thread died');
    const { address: actor, type: message } = culprit;
    const times = culprits.blame(name, actor);
    log.error({ thread: name, reason, actor, message, times }, 'thread died');
  };

  /** The tree says when; before its first start a thread waits until the node is ready for it. */
  const startChild = async (child: ThreadChild): Promise<Result<void, string>> => {
    const { name } = child.start;
    await wanted(name).promise;
    if (closing) return fail(STOPPING);
    if (!served.has(name)) return first(child);
    await options.onReplace(name, options.incarnationBase() + launched + 1);
    if (closing) return fail(STOPPING);
    const started = await launch(child);
    if (!started.ok) {
      log.error({ thread: name, reason: started.failure }, 'thread not replaced');
      return started;
    }
    executioner.over(name);
    if (closing) return started;
    log.info({ thread: name }, 'thread replaced');
    options.onReplaced(name);
    return started;
  };

  const first = async (child: ThreadChild): Promise<Result<void, string>> => {
    const started = await launch(child);
    if (started.ok) served.add(child.start.name);
    wanted(child.start.name).settle(started);
    return started;
  };

  const wanted = (name: string): Wanted => {
    const known = wants.get(name) ?? createWanted();
    wants.set(name, known);
    return known;
  };

  const supervisor = createSupervisor<ThreadSpec>({
    spec: options.tree,
    clock: options.clock,
    random: options.random,
    log,
    start: startChild,
    stop: ({ start: { name } }, deadlineMs) => {
      wanted(name).open();
      const thread = alive.get(name);
      if (thread === undefined) return;
      if (closing) say(thread, { type: 'stop', deadlineMs });
      else thread.kill('it is taken down with another');
    },
    kill: ({ start: { name } }) => alive.get(name)?.kill('it overstayed its deadline'),
    onEscalate: (above, path, reason) => {
      if (above === '' && !closing) options.onGiveUp(path, reason);
    },
  });

  return {
    start: async (names) => {
      if (closing) return fail(STOPPING);
      up ??= supervisor.start();
      const undone = up.then((started) => (started.ok ? new Promise<never>(() => {}) : started));
      for (const name of names) {
        wanted(name).open();
        const started = await Promise.race([wanted(name).answer, undone]);
        if (!started.ok) return started;
      }
      return ok(undefined);
    },
    stop: async () => {
      closing = true;
      for (const { start } of children) wanted(start.name).open();
      await supervisor.stop();
    },
    kill: (name) => {
      const thread = alive.get(name);
      thread?.kill('it was killed');
      return thread !== undefined;
    },
    accuse,
    forgive: culprits.forgive,
    close: async () => {
      closing = true;
      closed = true;
      for (const { start } of children) wanted(start.name).open();
      clearInterval(checks);
      for (const thread of alive.values()) thread.control.close();
      mesh.close();
      await pool.close();
    },
  };
}

/** Main lives once. */
const MAIN_INCARNATION = 0;

/** Piscina wraps what a kill was given. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

const STOPPING = 'the node is stopping';

function say({ control }: Thread, frame: ToThread): void {
  const ports = frame.type === 'link' ? [frame.bulk, frame.urgent] : [];
  control.postMessage(frame, ports as MessagePort[]);
}

/** The first word of a thread: it serves, or why it cannot. What it says later goes to `hear`. */
function answerOf(
  { control, spec, ended }: Thread,
  hear: (frame: FromThread) => void,
): Promise<Result<void, string>> {
  return new Promise((resolve) => {
    const late = setTimeout(() => {
      resolve(fail(`thread ${spec.name} did not serve within ${START_DEADLINE_MS} ms`));
    }, START_DEADLINE_MS);
    const answer = (outcome: Result<void, string>): void => {
      clearTimeout(late);
      resolve(outcome);
    };
    control.on('message', (value: unknown) => {
      const frame = decodeFromThread(value);
      if (!frame.ok) return answer(fail(frame.failure.message));
      if (frame.value.type === 'ready') return answer(ok(undefined));
      if (frame.value.type === 'failed') return answer(fail(frame.value.message));
      hear(frame.value);
    });
    control.on('close', () => answer(fail(`thread ${spec.name} ended as it started`)));
    void ended.then(() => answer(fail(`thread ${spec.name} died as it started`)));
  });
}
