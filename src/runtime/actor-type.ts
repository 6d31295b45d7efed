/**
 * An actor's type: a machine, what its named effects do, and its limits.
 *
 * The machine is pure XState and only *names* effects; this table gives each name a class and a
 * body. The runtime collects the effects of a step, commits the decision if there is one, then calls
 * the bodies in order (protective and observed ones without waiting for the commit).
 *
 * Rules: a machine never invokes, spawns or raises with a host timer; a step with a `durable` effect
 * must `record` its decision in the same step [RT-4]; a context field changed by a step that records
 * nothing is lost with the thread, so it must be derivable again [RT-5].
 */
import type { AnyStateMachine } from 'xstate';
import type { EffectClass } from '../../machines/model/effects.js';
import type { ActorKind, Address } from '../../machines/model/ids.js';
import type { Json, JsonObject } from '../../machines/model/json.js';
import type { Message } from '../../machines/model/messages.js';
import type { Clock } from '../ports/clock.js';
import type { Log } from '../ports/log.js';

/** What an effect body may use of the runtime. */
export interface Scope {
  readonly self: Address;
  /** Id of the decision (or message) the effect follows from; travels with everything sent here. */
  readonly cause: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Enqueues; never calls. At most once, in order per receiver. */
  tell(to: Address, message: Message): void;
  /** Answers the `ask` behind `replyTo`; nothing happens when it is undefined. */
  reply(replyTo: string | undefined, body: Json): void;
  /**
   * Asks for exactly one message `down` {address, incarnation, reason} when that actor takes no more
   * messages, at once when it does not now. A crash is no end. Watching twice is watching once.
   */
  watch(address: Address): void;
  unwatch(address: Address): void;
  /**
   * Starts outside work and delivers its answer to this actor as an event. `work` answers with a value
   * for every outcome: a rejection is a defect and crashes the actor. An answer that arrives after
   * the actor was restarted is dropped.
   */
  run(work: () => Promise<Message | undefined>): void;
}

export interface World<Ports, Companion> {
  readonly scope: Scope;
  readonly ports: Ports;
  /** Bulk data beside the machine, made once per activation (a mirror, a connection). */
  readonly companion: Companion;
}

export interface EffectRow<Ports, Companion> {
  readonly class: EffectClass;
  /** Must happen once per fleet: where nodes share one, it also waits for the feed. */
  readonly oncePerFleet?: true | undefined;
  perform(params: unknown, world: World<Ports, Companion>): void;
}

export type EffectTable<Ports, Companion> = Readonly<Record<string, EffectRow<Ports, Companion>>>;

type Perform<P, Ports, Companion> = (params: P, world: World<Ports, Companion>) => void;

/** The one place where a machine's effect parameters get back the type the machine declared. */
function row<P, Ports, Companion>(
  effectClass: EffectClass,
  perform: Perform<P, Ports, Companion>,
): EffectRow<Ports, Companion> {
  return { class: effectClass, perform: (params, world) => perform(params as P, world) };
}

export function durable<P, Ports = unknown, Companion = unknown>(
  perform: Perform<P, Ports, Companion>,
): EffectRow<Ports, Companion> {
  return row('durable', perform);
}

/** After the commit and, where several nodes share one fleet, after the feed has the decision too. */
export function oncePerFleet<P, Ports = unknown, Companion = unknown>(
  perform: Perform<P, Ports, Companion>,
): EffectRow<Ports, Companion> {
  return { ...row('durable', perform), oncePerFleet: true };
}

export function protective<P, Ports = unknown, Companion = unknown>(
  perform: Perform<P, Ports, Companion>,
): EffectRow<Ports, Companion> {
  return row('protective', perform);
}

export function observed<P, Ports = unknown, Companion = unknown>(
  perform: Perform<P, Ports, Companion>,
): EffectRow<Ports, Companion> {
  return row('observed', perform);
}

/** An actor as its view and its tests see it. */
export interface CellView {
  readonly address: Address;
  /** XState's state value. */
  readonly value: Json;
  readonly context: JsonObject;
  /** Wall-clock deadlines of the armed timers, by XState's timer id. */
  readonly timers: readonly { readonly id: string; readonly dueAtMs: number }[];
}

/** What a row says of a cell, as some release wrote it. */
export interface StoredState {
  readonly value: Json;
  readonly context: JsonObject;
  readonly timers: readonly { readonly id: string; readonly dueAtMs: number }[];
}

export interface ActorType<Ports = unknown, Companion = unknown> {
  readonly kind: ActorKind;
  readonly machine: AnyStateMachine;
  /** Raised whenever stored snapshots of the previous machine would not fit. */
  readonly version: number;
  /**
   * Makes what an older version stored fit this one; undefined: it cannot, and the actor is
   * quarantined, as it is without a migration. Pure: it may run at every start until the actor decides.
   */
  migrate?(older: StoredState & { readonly machineVersion: number }): StoredState | undefined;
  /** Snapshot kept in the store: survives the thread and the process. */
  readonly stored: boolean;
  /**
   * Its first step, that of `activated`, is part of the decision that makes it: one commit fewer. What it does
   * then leaves after that commit; what it would only journal is told by the parent's record. Not with a
   * companion.
   */
  readonly actsAtBirth?: boolean;
  /** A message to an address nobody hosts starts it; false: only a parent's `spawn` does. */
  readonly implicit: boolean;
  /**
   * Whose child an implicit actor is stored as: it lives in that one's thread, which starts with what the
   * row says (`activated.children`). Absent: nobody's.
   */
  attachedTo?(address: Address): Address;
  /** For actors that are not stored: event type remembered and delivered again after a crash. */
  readonly seed?: string;
  readonly effects: EffectTable<Ports, Companion>;
  companion?(scope: Scope, ports: Ports): Companion;
  /** Called when the actor stops for good or its thread stops: close what the companion holds. */
  dispose?(companion: Companion): void | Promise<void>;
  /** The JSON shape operators see. */
  view(cell: CellView, companion: Companion): JsonObject;
  /**
   * False: nobody has said yet what this actor is to be (or no longer), it only answers those who still
   * ask it; operators do not see it as an object. Absent: always shown.
   */
  isShown?(cell: CellView): boolean;
  /** Key under which a waiting message is replaced by a newer one; absent or undefined: all are kept. */
  coalesce?(message: Message): string | undefined;
  /** Messages that may wait as one: many senders at once cost one step, and not one each. */
  readonly joint?: JointMail;
  /**
   * Whether a newer message of the same type makes this one worthless: at the bound of the mailbox the
   * oldest of them goes instead of the newest. Absent: never.
   */
  isSample?(message: Message): boolean;
  /** How late this timer fires is told as that metric, in seconds. */
  readonly timed?: { readonly timer: string; readonly metric: string };
  /** More than `intensity` crashes in `periodMs` quarantines the actor. Default 5 in 60 s. */
  readonly restart?: { readonly intensity: number; readonly periodMs: number };
}

export interface JointMail {
  /** It may be put into one that waits, and may take others in. */
  takes(message: Message): boolean;
  /** What says both, in their order; undefined: the waiting one has taken in all it may. */
  join(waiting: Message, next: Message): Message | undefined;
}

/**
 * An actor without a machine: an endpoint of the outside world (a provider). `start` is called at
 * activation, the result receives messages one at a time. Never stored.
 */
export interface ServiceType<Ports = unknown> {
  readonly kind: ActorKind;
  start(scope: ServiceScope, ports: Ports): Service;
}

/** A service has many requests in hand at once: what it does about one follows from that one. */
export interface ServiceScope extends Scope {
  /** The same, for what follows from `cause`. */
  because(cause: string): Scope;
  /** More waits for other threads, or in this one, than should: whoever makes answers stops until it has left. */
  isCrowded(): boolean;
}

/** Where a message to a service comes from. */
export interface Mail {
  readonly from: Address;
  readonly replyTo: string | undefined;
  /** For all that is said about it: `scope.because(cause)`. */
  readonly cause: string;
}

export interface Service {
  receive(message: Message, mail: Mail): void;
  view(): JsonObject;
  stop(): void | Promise<void>;
}
