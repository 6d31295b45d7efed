/**
 * What the parts of a host share: its options, its cells and the few verbs they call on each other.
 * host.ts builds one; stepping.ts, activation.ts and crash.ts work on it.
 */
import type { ActorKind, Address } from '../../machines/model/ids.js';
import type { Json, JsonObject } from '../../machines/model/json.js';
import type { Result } from '../../machines/model/result.js';
import type { Clock, Ids, Random } from '../ports/clock.js';
import type { Log } from '../ports/log.js';
import type { Metrics } from '../ports/metrics.js';
import type { Store } from '../ports/store.js';
import type { ActorType, ServiceType } from './actor-type.js';
import type { Announcer } from './announcer.js';
import type { AskFailure } from './asks.js';
import type { Cell } from './cell.js';
import type { Committer } from './committer.js';
import type { DeadLetterReason, DeadLetters } from './dead-letters.js';
import type { DutyOptions, FeedGate } from './duty.js';
import type { Envelope } from './envelope.js';
import type { Mailboxes } from './mailbox.js';
import type { Placement, ThreadName } from './placement.js';
import type { RegisteredType } from './registered.js';
import type { Restarts } from './restarts.js';
import type { Stamp } from './step-meta.js';
import type { Timers } from './timers.js';
import type { Watches, WatchFrame } from './watches.js';

/** The way to actors on other threads. */
export interface Remote {
  /**
   * False: that thread is not there. `link-full`: it is there, and as much waits for it as may. Either
   * way the message is a dead letter.
   */
  send(thread: ThreadName, envelope: Envelope): boolean | 'link-full';
  /** Answers an ask that came from another thread. */
  reply(thread: ThreadName, replyTo: string, outcome: Result<Json, AskFailure>): void;
  /** Messages that have not left yet, whoever they are for. */
  waiting?(): number;
  /** False, or absent: that thread is not there. */
  watch?(thread: ThreadName, frame: WatchFrame): boolean;
}

/** Who is told what runs: should this thread die, its culprit has a name. Called for every message. */
export interface TurnWitness {
  begin(address: Address, type: string): void;
  end(): void;
}

/** What an inspector sees of one step. Taken only while somebody watches. */
export interface TapFrame {
  readonly address: Address;
  readonly machineId: string;
  readonly event: { readonly type: string };
  readonly value: Json;
  readonly context: JsonObject;
  readonly status: 'active' | 'error';
}

/** What a host asks of the store. */
export type CellStore = Pick<Store, 'load' | 'loadFamily' | 'commit'>;

export interface HostOptions {
  readonly thread: ThreadName;
  /** Higher than that of any earlier thread of this name. */
  readonly incarnation: number;
  readonly types: readonly ActorType[];
  readonly services: readonly ServiceType[];
  readonly placement: Placement;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly store: CellStore;
  /** Handed to every effect body; each actor type says which of it it uses. */
  readonly ports: unknown;
  readonly remote: Remote;
  /** Forbids the compiled path: every machine runs on XState's own core. */
  readonly path?: 'generic' | undefined;
  readonly turn?: TurnWitness | undefined;
  /** Actors that killed earlier lives of this thread: they come up in quarantine. */
  readonly quarantine?: ReadonlySet<Address> | undefined;
  /** Actors that live here only on duty; absent: this node is its own fleet. */
  readonly duty?: DutyOptions | undefined;
  /** Config generation written into every decision. */
  generation(): number;
}

/** One shape, however they were put together: they are read for every message. */
export function optionsOf(given: HostOptions): HostOptions {
  return {
    thread: given.thread,
    incarnation: given.incarnation,
    types: given.types,
    services: given.services,
    placement: given.placement,
    clock: given.clock,
    ids: given.ids,
    random: given.random,
    log: given.log,
    metrics: given.metrics,
    store: given.store,
    ports: given.ports,
    remote: given.remote,
    path: given.path,
    turn: given.turn,
    quarantine: given.quarantine,
    duty: given.duty,
    generation: given.generation,
  };
}

export interface Kernel {
  readonly options: HostOptions;
  readonly types: ReadonlyMap<ActorKind, RegisteredType>;
  readonly cells: Map<Address, Cell>;
  readonly childrenOf: Map<Address, Set<Address>>;
  readonly timers: Timers;
  readonly mailboxes: Mailboxes;
  readonly restarts: Restarts;
  readonly committer: Committer;
  readonly announcer: Announcer;
  /** Absent without `duty`. */
  readonly gate: FeedGate | undefined;
  readonly deadLetters: DeadLetters;
  readonly watches: Watches;
  readonly stamp: Stamp;
  tap: ((frame: TapFrame) => void) | undefined;
  send(envelope: Envelope): void;
  reply(replyTo: string, body: Json): void;
  schedule(cell: Cell): void;
  /** To an actor of this thread. */
  deliver(envelope: Envelope): void;
  bury(envelope: Envelope, reason: DeadLetterReason): void;
  crash(cell: Cell, error: unknown): void;
}
