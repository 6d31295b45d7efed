/**
 * A cell: one actor at rest, as data. Where it stands and its context are live; what the store has is
 * what a crash falls back to. While both are the same (`clean`) only one is kept, and what goes wrong
 * seldom is kept beside the cell, made when it first does: a cell at rest is what a node has 100,000 of.
 */
import type { Address } from '../../machines/model/ids.js';
import type { Json, JsonObject } from '../../machines/model/json.js';
import type { CellView } from './actor-type.js';
import type { Envelope } from './envelope.js';
import type { Mailbox } from './letters.js';
import type { MailboxOwner } from './mailbox.js';
import type { HostedType, RegisteredType } from './registered.js';
import type { CollectedEffect, Configuration, Stepper } from './stepper.js';
import { type ArmedTimer, NO_TIMERS, type TimerOwner, type Timers } from './timers.js';

/**
 * loading      placed in its host, not started yet; messages wait
 * active       takes messages
 * restarting   crashed; comes back from the committed state after its back-off
 * quarantined  crashed too often, or its row is not ours to read; state kept, `resume` brings it back
 * gone         forgotten or fenced off; nothing reaches it any more
 */
export type CellPhase = 'loading' | 'active' | 'restarting' | 'quarantined' | 'gone';

export interface CommittedState {
  readonly version: number;
  readonly value: Json;
  readonly context: JsonObject;
  readonly timers: readonly ArmedTimer[];
}

/** A decision on its way to the store, with the effects that wait for it. */
export interface InFlight {
  readonly state: CommittedState;
  readonly effects: readonly CollectedEffect[];
  readonly cause: string;
  /** The monotonic clock's lead over the wall clock when it was decided; for deadlines of spawns. */
  readonly aheadMs: number;
  readonly forget: boolean;
  /** `changes` of the cell when it was decided. */
  readonly changes: number;
}

/** What only cells have that have been in trouble, or have a seed. */
interface Troubles {
  crashes: readonly number[];
  restarts: number;
  lastError: string | undefined;
  restartDue: boolean;
  unreadable: string | undefined;
  /** What it has in memory is the past: only the store can say where it stands. */
  outdated: boolean;
  seed: Envelope | undefined;
}

const UNTROUBLED: Readonly<Troubles> = {
  crashes: [],
  restarts: 0,
  lastError: undefined,
  restartDue: false,
  unreadable: undefined,
  outdated: false,
  seed: undefined,
};

const NONE_IN_FLIGHT: readonly InFlight[] = [];

export interface CellOptions {
  readonly address: Address;
  readonly registered: RegisteredType;
  readonly configuration: Configuration;
  readonly context: JsonObject;
  readonly parent?: Address | undefined;
  readonly committed?: CommittedState | undefined;
}

/** A class: one shape whatever an actor has been through, and accessors that take no room. */
export class Cell implements TimerOwner, MailboxOwner {
  readonly address: Address;
  readonly registered: RegisteredType;
  readonly parent: Address | undefined;
  phase: CellPhase = 'loading';
  configuration: Configuration;
  context: JsonObject;
  timerHead = NO_TIMERS;
  mailbox: Mailbox | undefined = undefined;
  /** Version of the latest decision, committed or not. */
  version: number;
  /** What the store has, unless `clean`: then it has what is live. */
  committed: CommittedState | undefined;
  clean = false;
  /** Counts what changed state, context or timers: equal counts mean equal states. */
  changes = 0;
  /** In the order they were made, and so mostly in that of their arrival. */
  inFlight: readonly InFlight[] = NONE_IN_FLIGHT;
  /** Raised by every restart: answers to earlier work are dropped. */
  life = 1;
  companion: unknown = undefined;
  queued = false;
  /** A durable step, or the end, waits for the store; nothing else is taken until it answers. */
  parked = false;
  private troubles: Troubles | undefined = undefined;

  constructor(options: CellOptions) {
    this.address = options.address;
    this.registered = options.registered;
    this.parent = options.parent;
    this.configuration = options.configuration;
    this.context = options.context;
    this.committed = options.committed;
    this.version = options.committed?.version ?? 0;
  }

  get type(): HostedType {
    return this.registered.type;
  }

  get stepper(): Stepper {
    return this.registered.stepper;
  }

  /** To read; most cells share it. */
  get trouble(): Readonly<Troubles> {
    return this.troubles ?? UNTROUBLED;
  }

  /** To write; from the first time on it is the cell's own. */
  get troubled(): Troubles {
    this.troubles ??= { ...UNTROUBLED };
    return this.troubles;
  }

  /** Only who is about to forget itself goes on waiting. */
  unpark(): void {
    this.parked = this.inFlight.some(({ forget }) => forget);
  }

  departs(flight: InFlight): void {
    if (this.inFlight.length === 0) this.inFlight = [flight];
    else (this.inFlight as InFlight[]).push(flight);
  }

  arrives(flight: InFlight): void {
    const flights = this.inFlight as InFlight[];
    const at = flights.indexOf(flight);
    if (at < 0) return;
    if (flights.length === 1) this.inFlight = NONE_IN_FLIGHT;
    else if (at === 0) flights.shift();
    else flights.splice(at, 1);
  }
}

/** Before anything of a clean cell changes: from here on what the store has is kept apart. */
export function keepCommitted(cell: Cell, timers: Timers): void {
  if (!cell.clean) return;
  cell.clean = false;
  cell.committed = stateOf(cell, timers);
}

/** The store has this state now; while the cell has not moved on it need not be kept twice. */
export function noteCommitted(cell: Cell, { state, changes }: InFlight): void {
  cell.clean = cell.changes === changes && cell.version === state.version;
  cell.committed = cell.clean ? undefined : state;
}

export function stateOf(cell: Cell, timers: Timers): CommittedState {
  const { version, configuration, context } = cell;
  return { version, value: configuration.value, context, timers: timers.armedOf(cell) };
}

export function viewOf(cell: Cell, timers: CellView['timers']): CellView {
  return { address: cell.address, value: cell.configuration.value, context: cell.context, timers };
}
