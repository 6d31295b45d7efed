/**
 * Decisions on their way to the store and back: what a step decided becomes one row, its records and
 * its children's first rows; when the store has them, what waited for that leaves, in order.
 *
 * Rules: [RT-8] a decision that is refused takes its effects with it and the cell comes back from what
 * is committed, which a stale one has to ask the store for [RT-66]; [RT-26] what is committed is done,
 * whatever an effect of it does.
 */
import { assert, Defect } from '../../machines/model/assert.js';
import type { Meta, SpawnParams } from '../../machines/model/effects.js';
import { kindOf } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import type { Decision, StoredCell } from '../ports/store.js';
import { activateSpawned, fenceOff, forget } from './activation.js';
import { type Cell, type CommittedState, type InFlight, noteCommitted, stateOf } from './cell.js';
import type { CommitOutcome } from './committer.js';
import { createRevision } from './compile/revision.js';
import { comeBack } from './crash.js';
import { rowsRecord } from './duty.js';
import { isOncePerFleet, performCommitted, type Sorted } from './effect-order.js';
import type { Kernel } from './kernel.js';
import type { CollectedEffect, Step, TimerOp } from './step.js';
import { plainMeta } from './step-meta.js';

export function decide(kernel: Kernel, cell: Cell, sorted: Sorted, meta: Meta): void {
  cell.version += 1;
  const state = stateOf(cell, kernel.timers);
  const spawned = sorted.spawns.length > 0 ? newbornsOf(kernel, cell, sorted, meta) : NONE;
  const { afterCommit: effects, forget } = sorted;
  const aheadMs = kernel.options.clock.monotonic() - meta.at;
  const { changes } = cell;
  const flight: InFlight = { state, effects, cause: meta.id, aheadMs, forget, changes };
  cell.departs(flight);
  // Who is about to be forgotten decides nothing more.
  if (forget) cell.parked = true;
  const decision = decisionOf(kernel, cell, { sorted, meta, flight, spawned });
  kernel.committer.submit(decision, (outcome) => {
    settle(kernel, cell, { flight, outcome, spawned });
  });
}

interface DecisionParts {
  readonly sorted: Sorted;
  readonly meta: Meta;
  readonly flight: InFlight;
  readonly spawned: readonly Newborn[];
}

function decisionOf(kernel: Kernel, cell: Cell, parts: DecisionParts): Decision {
  const { thread, incarnation, duty } = kernel.options;
  const { sorted, meta, flight, spawned } = parts;
  const decision: Decision = {
    id: meta.id,
    at: meta.at,
    actor: cell.address,
    cause: meta.cause,
    thread,
    incarnation,
    cell: cell.type.stored ? rowOf(cell, flight.state) : undefined,
    spawns: spawned.length === 0 ? NONE : spawned.map(({ row }) => row),
    forget: sorted.forget,
    records: sorted.records,
    configGeneration: kernel.options.generation(),
  };
  if (duty?.covers(cell.address) !== true) return decision;
  return { ...decision, records: [...decision.records, rowsRecord(decision)] };
}

/** One literal, and of the timers what is in flight anyway: thousands of these wait for the store. */
function rowOf(cell: Cell, { version, value, context, timers }: CommittedState): OwnRow {
  return {
    address: cell.address,
    parent: cell.parent,
    machine: cell.stepper.machineId,
    machineVersion: cell.type.version,
    machineHash: cell.stepper.hash,
    version,
    value,
    context,
    timers,
  };
}

type OwnRow = NonNullable<Decision['cell']>;

const NONE: readonly never[] = [];

interface Newborn {
  readonly row: Omit<StoredCell, 'incarnation'>;
  /** What it does first; absent: its first event is still to come. */
  readonly effects?: readonly CollectedEffect[];
}

function newbornsOf(
  kernel: Kernel,
  cell: Cell,
  { spawns }: Sorted,
  meta: Meta,
): readonly Newborn[] {
  const told = plainMeta(meta);
  return spawns.map((spawn) => newbornOf(kernel, cell, spawn, told));
}

function newbornOf(kernel: Kernel, parent: Cell, spawn: SpawnParams, meta: Meta): Newborn {
  const { address, input } = spawn;
  const registered = kernel.types.get(kindOf(address));
  if (registered === undefined) throw new Defect(`no actor type for ${address}`);
  const { type, stepper } = registered;
  const step = stepper.initial(addressed.of(input as JsonObject, { address, meta }, undefined));
  assert(step.effects.length === 0, `the initial state of ${type.kind} must have no effects`);
  const rowOfStep = (is: Step, timers: readonly TimerOp[]) => ({
    ...{ address, parent: parent.address, machine: stepper.machineId },
    ...{ machineVersion: type.version, machineHash: stepper.hash, version: 1 },
    ...{ value: is.configuration.value, context: is.context, timers: armedBy(timers, meta.at) },
  });
  if (!type.actsAtBirth) return { row: rowOfStep(step, step.timers) };
  const event = kernel.stamp(BORN, { ...meta, cause: meta.id, from: address });
  const first = stepper.step(step.configuration, step.context, event);
  return {
    row: rowOfStep(first, [...step.timers, ...first.timers]),
    effects: first.effects.filter(({ type: effect }) => effect !== 'record'),
  };
}

const BORN = { type: 'activated', children: [] } as const;

/** Those still armed when all is done, each as it was armed last. */
function armedBy(ops: readonly TimerOp[], at: number): StoredCell['timers'] {
  const due = new Map<string, number>();
  for (const timer of ops) {
    due.delete(timer.id);
    if (timer.op === 'arm') due.set(timer.id, Math.ceil(at + timer.delayMs));
  }
  return [...due].map(([id, dueAtMs]) => ({ id, dueAtMs }));
}

/** An input with what only the runtime knows. */
const addressed = createRevision({
  address: ({ address }: { readonly address: string }) => address,
  meta: ({ meta }: { readonly meta: Meta }) => meta,
});

interface Settlement {
  readonly flight: InFlight;
  readonly outcome: CommitOutcome;
  readonly spawned: readonly Newborn[];
}

function settle(kernel: Kernel, cell: Cell, { flight, outcome, spawned }: Settlement): void {
  if (cell.phase === 'gone') return;
  cell.arrives(flight);
  if (!outcome.ok) return refuse(kernel, cell, outcome.failure);
  if (cell.type.stored) noteCommitted(cell, flight);
  const { outboxSeq } = outcome.value;
  for (const newborn of spawned) bringToLife(kernel, newborn, flight, outboxSeq);
  // What the store has done is done, whatever an effect of it does.
  perform(kernel, cell, flight, outboxSeq);
  if (outboxSeq > 0) kernel.announcer.appended(outboxSeq, cell.address, flight.cause);
  if (flight.forget) return forget(kernel, cell);
  cell.unpark();
  if (cell.phase === 'restarting') return comeBack(kernel, cell);
  kernel.schedule(cell);
}

type Leaving = Pick<InFlight, 'effects' | 'cause'>;

function bringToLife(
  kernel: Kernel,
  { row, effects }: Newborn,
  flight: InFlight,
  seq: number,
): void {
  const cell = activateSpawned(kernel, row, flight, effects !== undefined);
  const acts = effects !== undefined && cell?.phase === 'active';
  if (acts) perform(kernel, cell, { effects, cause: flight.cause }, seq);
}

function perform(kernel: Kernel, cell: Cell, { effects, cause }: Leaving, outboxSeq: number): void {
  if (effects.length === 0) return;
  kernel.options.turn?.begin(cell.address, 'committed');
  if (kernel.gate === undefined) performCommitted(kernel, cell, effects, cause);
  else performInTurn(kernel, cell, { effects, cause }, outboxSeq);
  kernel.options.turn?.end();
}

/** What is this node's own leaves now, the rest when the feed has told the fleet [FL-3]. */
function performInTurn(
  kernel: Kernel,
  cell: Cell,
  { effects, cause }: Leaving,
  outboxSeq: number,
): void {
  const shared = effects.filter((effect) => isOncePerFleet(cell, effect));
  const own = shared.length === 0 ? effects : effects.filter((one) => !shared.includes(one));
  performCommitted(kernel, cell, own, cause);
  if (shared.length === 0) return;
  const { life } = cell;
  kernel.gate?.hold(outboxSeq, () => {
    if (cell.life === life && cell.phase === 'active') {
      performCommitted(kernel, cell, shared, cause);
    }
  });
}

function refuse(
  kernel: Kernel,
  cell: Cell,
  failure: { readonly code: string; readonly message: string },
): void {
  kernel.options.log.error({ actor: cell.address, ...failure }, 'decision refused by the store');
  if (failure.code === 'stale') cell.troubled.outdated = true;
  // A cell that is down has given up what it decided after the refused decision.
  if (cell.phase === 'quarantined') return;
  if (cell.phase === 'restarting') return comeBack(kernel, cell);
  if (failure.code === 'fenced') return fenceOff(kernel, cell);
  kernel.crash(cell, new Defect(`RT-8: the store refused a decision: ${failure.message}`));
}
