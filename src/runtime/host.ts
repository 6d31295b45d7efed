/**
 * A host: all actors of one thread, their mailboxes and their turns.
 *
 *   send ─► placement ─► here: mailbox ─► run queue ─► turn: step, commit, effects
 *                   └──► another thread: `remote`
 *
 * The same host runs a whole node in one thread (virtual clock, simulator) and one thread of many.
 * Rules: [RT-2] mailboxes are bounded and a full one is told to the sender; [RT-11] one actor with many
 * messages does not keep another from its turn; [RT-12] stop loses no committed decision.
 */

import type { StoreFailure } from '../../machines/model/failures.js';
import { type ActorKind, type Address, kindOf } from '../../machines/model/ids.js';
import type { Json, JsonObject } from '../../machines/model/json.js';
import type { Message } from '../../machines/model/messages.js';
import { fail, ok, type Result } from '../../machines/model/result.js';
import type { StoredCell } from '../ports/store.js';
import { createFresh, dispose, place, start } from './activation.js';
import { createAnnouncer } from './announcer.js';
import { ASK_CODES, type AskFailure, createAsks, threadOfReply } from './asks.js';
import type { Cell } from './cell.js';
import { createCommitter } from './committer.js';
import { crash, resume } from './crash.js';
import {
  createDeadLetters,
  type DeadLetterReason,
  type DeadLetters,
  deadLetterOf,
} from './dead-letters.js';
import { createDuties } from './duties.js';
import { createFeedGate } from './duty.js';
import { type Envelope, OUTSIDE } from './envelope.js';
import { type HostOptions, type Kernel, optionsOf, type TapFrame } from './kernel.js';
import { tellLateness } from './lateness.js';
import { systemLetter, userLetter } from './letters.js';
import { ASK_TIMEOUT_MS, CROWD_MESSAGES, STOP_DRAIN_MS, THREAD_MESSAGES_MAX } from './limits.js';
import { createMailboxes } from './mailbox.js';
import { registered } from './registered.js';
import { createRestarts } from './restarts.js';
import { createServices } from './services.js';
import { createStamp } from './step-meta.js';
import { createTimers, type TimerOwner } from './timers.js';
import { createTurns } from './turns.js';
import { createViews, glanceAt } from './views.js';
import { createWatches, type Down, type DownReason, type WatchFrame } from './watches.js';

export interface Host {
  /** Loads and starts every stored actor placed here; messages that came earlier waited. */
  start(): Promise<Result<void, StoreFailure>>;
  /** From an actor, or from outside with a cause of its own. */
  send(envelope: Envelope): void;
  tell(to: Address, body: Message, cause: string): void;
  ask(to: Address, body: Message, timeoutMs?: number): Promise<Result<Json, AskFailure>>;
  /** An answer that came from another thread. */
  settle(replyTo: string, outcome: Result<Json, AskFailure>): void;
  /** A message that cannot cross to another thread is a dead letter, of which its sender is told. */
  undelivered(envelope: Envelope): void;
  /** Messages that wait in this thread, in mailboxes or to be loaded. */
  readonly waiting: number;
  /** A watch, or an end, from another thread. */
  watched(peer: string, frame: WatchFrame): void;
  /** A thread is lost: what was asked of it fails, what was watched there is down. */
  lost(peer: string, incarnation: number): void;
  /** With `of`, only what was asked of that thread. */
  failAsks(failure: AskFailure, of?: string): void;
  /** JSON shapes of all actors of a kind placed here, ascending by address. */
  views(kind: ActorKind): readonly JsonObject[];
  /** Of one actor; undefined: it is not here, or nothing to show. */
  view(address: Address): JsonObject | undefined;
  /** Actors of these kinds that take no messages, at most `max`. */
  quarantined(kinds: readonly ActorKind[], max: number): readonly Address[];
  actorViews(): readonly JsonObject[];
  resume(address: Address): boolean;
  /**
   * On duty (again): the duties placed here come to life from the store. Already there, or without
   * duties: nothing happens.
   */
  takeUp(): Promise<Result<void, StoreFailure>>;
  /** Off duty: they are gone, and what waited for the feed does not leave. */
  layDown(): Promise<void>;
  /** The feed has everything up to here, but for `lost`. */
  acknowledged(upTo: number, lost: readonly number[]): void;
  tap(listener: ((frame: TapFrame) => void) | undefined): void;
  /** How actors stand, one frame each; ends early when `take` says false. */
  glance(take: (frame: TapFrame) => boolean): void;
  readonly deadLetters: DeadLetters;
  /** Why the store takes nothing at the moment: the thread is reflex-only. */
  readonly reflexOnly: string | undefined;
  stop(): Promise<void>;
}

export function createHost(given: HostOptions): Host {
  const options = optionsOf(given);
  const { clock, log, placement, remote, thread } = options;
  const asks = createAsks(`${thread}:${options.incarnation}`, clock);
  const deadLetters = createDeadLetters();
  const services = createServices(options, {
    send,
    bury,
    reply,
    watch: (watcher, address) => watches.watch(watcher, address),
    unwatch: (watcher, address) => watches.unwatch(watcher, address),
    isCrowded: () => Math.max(remote.waiting?.() ?? 0, kernel.mailboxes.waiting) > CROWD_MESSAGES,
  });
  const watches = createWatches({
    thread,
    incarnation: options.incarnation,
    threadOf: placement.threadOf,
    absent,
    post: (peer, frame) => remote.watch?.(peer, frame) === true,
    deliver: deliverDown,
  });
  let early: Envelope[] | undefined = [];
  let stopping = false;

  const kernel: Kernel = {
    options,
    types: registered(options),
    cells: new Map(),
    childrenOf: new Map(),
    timers: createTimers(clock, onTimer),
    mailboxes: createMailboxes(),
    restarts: createRestarts(clock, (cell) => turns.schedule(cell)),
    committer: createCommitter(options.store, clock, () => {
      kernel.announcer.flush();
      turns.retryHeld();
    }),
    announcer: createAnnouncer(send),
    gate: options.duty === undefined ? undefined : createFeedGate(),
    deadLetters,
    watches,
    stamp: createStamp(),
    tap: undefined,
    send,
    reply,
    schedule: (cell) => turns.schedule(cell),
    deliver,
    bury,
    crash: (cell, error) => crash(kernel, cell, error),
  };
  const turns = createTurns(kernel);
  const duties = createDuties(kernel, services);

  function bury(envelope: Envelope, reason: DeadLetterReason): void {
    const { to, body } = envelope;
    deadLetters.add(deadLetterOf(envelope, reason, clock.now()));
    options.metrics.count('dead_letters_total', { reason });
    if (envelope.replyTo === undefined) return;
    const code = ASK_CODES[reason] ?? 'not-taken';
    const message = `${to} did not take ${body.type}: ${reason}`;
    routeReply(envelope.replyTo, fail({ code, message }));
  }

  function send(envelope: Envelope): void {
    // Who is here is placed here: looking costs less than working out where.
    const known = kernel.cells.get(envelope.to);
    if (known !== undefined && early === undefined && !stopping) return post(known, envelope);
    const target = placement.threadOf(envelope.to);
    if (target === thread) return deliver(envelope);
    const sent = remote.send(target, envelope);
    if (sent === 'link-full') refuse(envelope, sent);
    else if (!sent) bury(envelope, 'unreachable-thread');
  }

  function absent(target: Address): DownReason | undefined {
    if (stopping) return 'stopping';
    if (services.serves(target)) return undefined;
    const cell = kernel.cells.get(target);
    if (cell === undefined) return 'no-actor';
    return cell.phase === 'quarantined' ? 'quarantined' : undefined;
  }

  /** Not among what others send, which may be full: the one message that says so must come. */
  function deliverDown({ target, watcher, incarnation, reason }: Down): void {
    const body = { type: 'down', address: target, incarnation, reason } as const;
    const envelope = { to: watcher, from: target, cause: `down:${target}`, body };
    if (stopping || services.deliver(envelope)) return;
    const cell = kernel.cells.get(watcher);
    if (cell === undefined) return bury(envelope, 'no-actor');
    if (cell.phase === 'quarantined') return bury(envelope, 'quarantined');
    kernel.mailboxes.putBack(cell, userLetter(envelope, clock.monotonic()));
    turns.schedule(cell);
  }

  function deliver(envelope: Envelope): void {
    if (stopping) return bury(envelope, 'stopping');
    if (early !== undefined) {
      return early.length < THREAD_MESSAGES_MAX ? void early.push(envelope) : refuse(envelope);
    }
    const known = kernel.cells.get(envelope.to);
    if (known !== undefined) return post(known, envelope);
    if (duties.isOff(envelope.to)) return turnAway(envelope);
    if (services.deliver(envelope)) return;
    const cell = firstContact(envelope);
    if (cell === undefined) return bury(envelope, 'no-actor');
    post(cell, envelope);
  }

  function post(cell: Cell, envelope: Envelope): void {
    const { type } = cell;
    if (type.seed === envelope.body.type) cell.troubled.seed = envelope;
    if (cell.phase === 'quarantined') return bury(envelope, 'quarantined');
    // A question is never replaced or dropped: whoever asked would wait in vain.
    const asked = envelope.replyTo !== undefined;
    const key = asked ? undefined : read(envelope, type.coalesce);
    const joins = !asked && read(envelope, type.joint?.takes) === true;
    const letter = userLetter(envelope, turns.now(), key, joins);
    if (kernel.mailboxes.put(cell, letter, type.joint?.join)) return turns.schedule(cell);
    const isSample = !asked && read(envelope, type.isSample) === true;
    const oldest = isSample ? kernel.mailboxes.dropOldest(cell, envelope.body.type) : undefined;
    if (oldest === undefined || !kernel.mailboxes.put(cell, letter)) return refuse(envelope);
    bury(oldest.envelope, 'outdated');
    turns.schedule(cell);
  }

  /** What cannot be read here will crash its receiver; whoever sent it is not to blame. */
  function read<T>({ to, body }: Envelope, terms: ((body: Message) => T) | undefined) {
    try {
      return terms?.(body);
    } catch (error) {
      log.error({ actor: to, message: body.type, err: error }, 'message without its key');
      return undefined;
    }
  }

  /** A level, which its actor's next holder is told again; a question is refused. */
  function turnAway(envelope: Envelope): void {
    if (envelope.replyTo !== undefined) bury(envelope, 'off-duty');
    else options.metrics.count('dead_letters_total', { reason: 'off-duty' });
  }

  function firstContact(envelope: Envelope): Cell | undefined {
    const found = kernel.types.get(kindOf(envelope.to));
    if (found?.type.implicit !== true) return undefined;
    try {
      const cell = createFresh(kernel, envelope.to, found);
      start(kernel, cell, envelope.cause);
      return cell;
    } catch (error) {
      // A machine without a first state is a bug, and not the sender's.
      log.error({ actor: envelope.to, err: error }, 'actor cannot be made');
      return undefined;
    }
  }

  /** Nothing is dropped silently: the sender hears of it, unless the refusal itself is refused. */
  function refuse(envelope: Envelope, reason: DeadLetterReason = 'mailbox-full'): void {
    bury(envelope, reason);
    if (envelope.body.type === 'delivery.refused' || envelope.from === OUTSIDE) return;
    const body = { type: 'delivery.refused', to: envelope.to, message: envelope.body.type };
    send({ to: envelope.from, from: envelope.to, cause: envelope.cause, body });
  }

  function reply(replyTo: string, body: Json): void {
    routeReply(replyTo, ok(body));
  }

  function routeReply(replyTo: string, outcome: Result<Json, AskFailure>): void {
    const target = threadOfReply(replyTo);
    if (target !== thread) return remote.reply(target, replyTo, outcome);
    settle(replyTo, outcome);
  }

  function settle(replyTo: string, outcome: Result<Json, AskFailure>): void {
    if (!asks.settle(replyTo, outcome)) options.metrics.count('late_replies_total');
  }

  function onTimer(owner: TimerOwner, id: string, timer: number, dueMs: number): void {
    const cell = tellLateness(kernel, owner as Cell, id, dueMs);
    const { address: to } = cell;
    const envelope = { to, from: to, cause: `timer:${id}`, body: { type: id } };
    kernel.mailboxes.putSystem(cell, systemLetter(envelope, clock.monotonic(), timer));
    turns.schedule(cell);
  }

  /**
   * Puts those that live here into their places as they come, each once. Duties are none of them: those
   * that are taken up come to life by themselves.
   */
  function placing(cells: Cell[]): (rows: readonly StoredCell[]) => void {
    let aheadMs: number | undefined;
    return (rows) => {
      // Once for all of them: a step of the wall clock in between would mix them up.
      aheadMs ??= clock.monotonic() - clock.now();
      for (const row of rows) {
        const { address } = row;
        if (stopping || kernel.cells.has(address) || duties.isOff(address)) continue;
        if (placement.threadOf(address) !== thread) continue;
        const cell = place(kernel, row, aheadMs);
        if (cell !== undefined) cells.push(cell);
      }
    };
  }

  async function startHost(): Promise<Result<void, StoreFailure>> {
    const kinds = options.types.filter((type) => type.stored).map((type) => type.kind);
    const cells: Cell[] = [];
    const take = placing(cells);
    const loaded = kinds.length === 0 ? ok([]) : await options.store.load(kinds, take);
    if (!loaded.ok) return loaded;
    if (stopping) return fail({ code: 'unavailable', message: 'the node is stopping' });
    take(loaded.value);
    for (const cell of cells) start(kernel, cell, 'boot');
    const waited = early ?? [];
    early = undefined;
    watches.started();
    for (const envelope of waited) deliver(envelope);
    return ok(undefined);
  }

  async function stop(): Promise<void> {
    stopping = true;
    turns.stop();
    kernel.timers.close();
    kernel.restarts.close();
    await drained();
    kernel.committer.close();
    asks.failAll({ code: 'stopping', message: 'the node is stopping' });
    watches.stop();
    const cells = [...kernel.cells.values()];
    // Nothing comes back from its back-off, and no late answer finds anybody.
    for (const cell of cells) {
      cell.phase = 'gone';
      cell.life += 1;
    }
    await Promise.all(cells.map((cell) => dispose(kernel, cell)));
    await services.stop();
  }

  /** Everything decided is stored, or the store has had its time. */
  function drained(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = clock.after(STOP_DRAIN_MS, resolve);
      kernel.committer.drain().then(() => {
        cancel();
        resolve();
      }, resolve);
    });
  }

  const views = createViews(kernel, options);

  return {
    start: startHost,
    send,
    tell: (to, body, cause) => send({ to, from: OUTSIDE, cause, body }),
    ask: (to, body, timeoutMs = ASK_TIMEOUT_MS) => {
      const { replyTo, answer } = asks.open(timeoutMs, placement.threadOf(to));
      send({ to, from: OUTSIDE, cause: `ask:${options.ids.next()}`, body, replyTo });
      return answer;
    },
    settle,
    undelivered: (envelope) => refuse(envelope, 'too-large'),
    get waiting() {
      return kernel.mailboxes.waiting + (early?.length ?? 0);
    },
    watched: watches.take,
    lost: (peer, incarnation) => {
      asks.failAll({ code: 'thread-lost', message: `thread ${peer} died` }, peer);
      watches.lost(peer, incarnation);
    },
    failAsks: asks.failAll,
    views: (kind) => [...views.of(kind), ...services.views(kind)],
    view: views.at,
    quarantined: (kinds, max) => {
      const found: Address[] = [];
      for (const { phase, address, type } of kernel.cells.values()) {
        if (phase !== 'quarantined' || !kinds.includes(type.kind)) continue;
        if (found.push(address) >= max) break;
      }
      return found;
    },
    actorViews: views.actors,
    resume: (address) => {
      const cell = kernel.cells.get(address);
      return cell !== undefined && resume(kernel, cell);
    },
    takeUp: duties.takeUp,
    layDown: duties.layDown,
    acknowledged: (upTo, lost) => kernel.gate?.raise(upTo, lost),
    tap: (listener) => {
      kernel.tap = listener;
    },
    glance: (take) => {
      for (const cell of kernel.cells.values()) if (!take(glanceAt(cell))) return;
    },
    deadLetters,
    get reflexOnly() {
      return kernel.committer.unavailable;
    },
    stop,
  };
}
