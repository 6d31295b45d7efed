/**
 * The worker threads: one never-ending task each in a Piscina pool, one warm spare, nothing ever queued.
 *
 * A thread that dies, however (throw, exit, out of memory, closed port), is seen once per life. Its
 * peers unlink, the store fences it off, its successor starts on the spare and gets the same links;
 * its actors come back from the store. Dying more often than its limit is the end of the node.
 *
 * Rules: [SU-4] a thread's death is handled once, and only its own actors notice.
 */

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { NODE_TREE } from '../../actors/node-tree.js';
import type { JsonObject } from '../../machines/model/json.js';
import { fail, ok, type Result } from '../../machines/model/result.js';
import type { Mesh } from '../adapters/threads/mesh.js';
import type { Log } from '../ports/log.js';
import { judgeRestart } from '../supervision/restart.js';
import { decodeFromThread } from '../wire/from-thread.js';
import type { ThreadRole, ToThread } from '../wire/to-thread.js';

export interface ThreadSpec {
  readonly name: string;
  readonly role: ThreadRole;
}

export interface ThreadsOptions {
  readonly specs: readonly ThreadSpec[];
  /** Of main: linked to every thread. */
  readonly mesh: Mesh;
  readonly log: Log;
  /** Incarnations start above this, so that every run of the daemon has its own. */
  incarnationBase(): number;
  settings(): JsonObject;
  /** Called before a dead thread's successor starts. */
  onReplace(name: string, incarnation: number): Promise<void>;
  /** Called when the successor serves. */
  onReplaced(name: string): void;
  /** A thread died too often. */
  onGiveUp(name: string, reason: string): void;
  now(): number;
}

export interface Threads {
  /** Starts threads in order, each linked to all before it. */
  start(names: readonly string[]): Promise<Result<void, string>>;
  /** Stops threads in order, each finishing what it has. */
  stop(names: readonly string[]): Promise<void>;
  /** Cuts a thread off, whatever it is doing: a death like any other. False: it is not there. */
  kill(name: string): boolean;
  close(): Promise<void>;
}

interface Thread {
  readonly spec: ThreadSpec;
  readonly incarnation: number;
  readonly control: MessagePort;
  readonly ended: Promise<void>;
  readonly kill: () => void;
  /** Serves, and is not being stopped: its end would be a death. */
  serving: boolean;
}

/** Old-space of one worker: a leak takes its own thread, not the node. */
const HEAP_MB = 4_096;

/** How long a thread may take to finish before it is cut off. */
const STOP_DEADLINE_MS = 8_000;

const ENTRY = new URL('./worker-entry.js', import.meta.url).href;

export function createThreads(options: ThreadsOptions): Threads {
  const { log, mesh, specs } = options;
  const pool = new Piscina({
    filename: ENTRY,
    minThreads: specs.length + 1,
    maxThreads: specs.length + 1,
    idleTimeout: Number.POSITIVE_INFINITY,
    concurrentTasksPerWorker: 1,
    atomics: 'disabled',
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  });
  pool.on('error', (error) => log.error({ err: error }, 'idle thread died; the pool replaces it'));
  const alive = new Map<string, Thread>();
  const deaths = new Map<string, readonly number[]>();
  let launched = 0;
  let closing = false;

  const launch = async (spec: ThreadSpec): Promise<Result<void, string>> => {
    const incarnation = options.incarnationBase() + ++launched;
    const { port1: control, port2 } = new MessageChannel();
    const settings = options.settings();
    const killer = new AbortController();
    const { signal } = killer;
    const task = pool.run({ control: port2 }, { transferList: [port2], name: 'runWorker', signal });
    const thread: Thread = {
      spec,
      incarnation,
      control,
      serving: false,
      kill: () => killer.abort(new Error('it was killed')),
      ended: task.then(
        () => ended(thread, 'its task ended'),
        (error: unknown) => ended(thread, reasonOf(error)),
      ),
    };
    const ready = answerOf(control, spec.name);
    say(thread, { type: 'start', role: spec.role, thread: spec.name, incarnation, settings });
    for (const peer of alive.values()) link(thread, peer);
    linkToMain(thread);
    alive.set(spec.name, thread);
    const died = thread.ended.then(() => fail(`thread ${spec.name} died as it started`));
    const answer = await Promise.race([ready, died]);
    thread.serving = answer.ok;
    if (answer.ok) return ok(undefined);
    // Gone, and off the books, before anybody tries again.
    thread.kill();
    await thread.ended;
    return answer;
  };

  const link = (one: Thread, other: Thread): void => {
    const { port1, port2 } = new MessageChannel();
    say(one, { type: 'link', peer: other.spec.name, incarnation: other.incarnation, port: port1 });
    say(other, { type: 'link', peer: one.spec.name, incarnation: one.incarnation, port: port2 });
  };

  const linkToMain = (thread: Thread): void => {
    const { port1, port2 } = new MessageChannel();
    say(thread, {
      type: 'link',
      peer: 'main',
      incarnation: options.incarnationBase(),
      port: port1,
    });
    mesh.attach(thread.spec.name, port2);
  };

  const ended = (thread: Thread, reason: string): void => {
    const { name } = thread.spec;
    if (alive.get(name) !== thread) return;
    alive.delete(name);
    thread.control.close();
    if (closing || !thread.serving) return;
    log.error({ thread: name, reason }, 'thread died');
    void replace(thread, reason);
  };

  const replace = async ({ spec, incarnation }: Thread, reason: string): Promise<void> => {
    const { name } = spec;
    const unlink = { type: 'unlink', peer: name, incarnation, reason } as const;
    for (const peer of alive.values()) say(peer, unlink);
    mesh.detach(name);
    let why = reason;
    while (!closing) {
      const judged = judgeRestart(NODE_TREE, deaths.get(name) ?? [], options.now());
      deaths.set(name, judged.history);
      if (judged.verdict === 'give-up') return options.onGiveUp(name, why);
      await options.onReplace(name, options.incarnationBase() + launched + 1);
      const started = await launch(spec);
      if (started.ok) break;
      // A successor that does not come up is one more death of its kind.
      why = started.failure;
      log.error({ thread: name, reason: why }, 'thread not replaced');
    }
    if (closing) return;
    log.info({ thread: name }, 'thread replaced');
    options.onReplaced(name);
  };

  return {
    start: async (names) => {
      for (const name of names) {
        if (closing) return fail('the node is stopping');
        const spec = specs.find((known) => known.name === name);
        if (spec === undefined) return fail(`there is no thread ${name}`);
        const started = await launch(spec);
        if (!started.ok) return started;
      }
      return ok(undefined);
    },
    stop: async (names) => {
      closing = true;
      for (const name of names) await stopThread(alive.get(name));
    },
    kill: (name) => {
      const thread = alive.get(name);
      thread?.kill();
      return thread !== undefined;
    },
    close: async () => {
      closing = true;
      for (const thread of alive.values()) thread.control.close();
      mesh.close();
      await pool.destroy();
    },
  };
}

/** Piscina wraps what a kill was given. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

async function stopThread(thread: Thread | undefined): Promise<void> {
  if (thread === undefined) return;
  thread.serving = false;
  say(thread, { type: 'stop', deadlineMs: STOP_DEADLINE_MS });
  const late = new Promise<void>((resolve) => setTimeout(resolve, STOP_DEADLINE_MS).unref());
  await Promise.race([thread.ended, late]);
}

function say({ control }: Thread, frame: ToThread): void {
  control.postMessage(frame, frame.type === 'link' ? [frame.port as MessagePort] : []);
}

/** The first word of a thread: it serves, or why it cannot. */
function answerOf(control: MessagePort, name: string): Promise<Result<void, string>> {
  return new Promise((resolve) => {
    control.on('message', (value: unknown) => {
      const frame = decodeFromThread(value);
      if (!frame.ok) return resolve(fail(frame.failure.message));
      if (frame.value.type === 'ready') resolve(ok(undefined));
      if (frame.value.type === 'failed') resolve(fail(frame.value.message));
    });
    control.on('close', () => resolve(fail(`thread ${name} ended as it started`)));
  });
}
