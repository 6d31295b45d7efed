/**
 * A cell: one actor at rest, as data. Where it stands and its context are live; `committed` is what the
 * store has acknowledged, and what a crash falls back to.
 */
import type { Address } from '../../machines/model/ids.js';
import type { Json, JsonObject } from '../../machines/model/json.js';
import type { StoredCell } from '../ports/store.js';
import type { ActorType, CellView } from './actor-type.js';
import type { Envelope } from './envelope.js';
import { createMailbox, type Mailbox } from './mailbox.js';
import type { CollectedEffect, Configuration, Stepper } from './stepper.js';
import { type ArmedTimer, NO_TIMERS, type TimerOwner } from './timers.js';

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
}

export interface Cell extends TimerOwner {
  readonly address: Address;
  readonly type: ActorType;
  readonly stepper: Stepper;
  readonly mailbox: Mailbox;
  readonly parent: Address | undefined;
  phase: CellPhase;
  configuration: Configuration;
  context: JsonObject;
  /** Version of the latest decision, committed or not. */
  version: number;
  committed: CommittedState | undefined;
  readonly inFlight: InFlight[];
  /** Raised by every restart: answers to earlier work are dropped. */
  life: number;
  /** Monotonic times of recent crashes. */
  crashes: readonly number[];
  restarts: number;
  lastError: string | undefined;
  /** Restarting: the back-off is over, only decisions in flight are waited for. */
  restartDue: boolean;
  companion: unknown;
  seed: Envelope | undefined;
  queued: boolean;
  /** A durable step, or the end, waits for the store; nothing else is taken until it answers. */
  parked: boolean;
  /** Why its row cannot be read by this release; `resume` does not change that. */
  unreadable: string | undefined;
}

export interface CellOptions {
  readonly address: Address;
  readonly type: ActorType;
  readonly stepper: Stepper;
  readonly configuration: Configuration;
  readonly context: JsonObject;
  readonly phase: CellPhase;
  readonly row?: StoredCell;
  readonly committed?: CommittedState;
}

export function createCell(options: CellOptions): Cell {
  const { row } = options;
  return {
    address: options.address,
    type: options.type,
    stepper: options.stepper,
    mailbox: createMailbox(),
    parent: row?.parent,
    phase: options.phase,
    configuration: options.configuration,
    context: options.context,
    version: row?.version ?? 0,
    committed: options.committed,
    inFlight: [],
    life: 1,
    crashes: [],
    restarts: 0,
    lastError: undefined,
    restartDue: false,
    companion: undefined,
    seed: undefined,
    queued: false,
    parked: false,
    unreadable: undefined,
    timerHead: NO_TIMERS,
  };
}

export function viewOf(cell: Cell, timers: CellView['timers']): CellView {
  return {
    address: cell.address,
    value: cell.configuration.value,
    context: cell.context,
    timers,
  };
}
