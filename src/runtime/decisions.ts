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
import { type Cell, type InFlight, noteCommitted, stateOf } from './cell.js';
import type { CommitOutcome } from './committer.js';
import { createRevision } from './compile/revision.js';
import { comeBack } from './crash.js';
import { performCommitted, type Sorted } from './effect-order.js';
import type { Kernel } from './kernel.js';
import { plainMeta } from './step-meta.js';

export function decide(kernel: Kernel, cell: Cell, sorted: Sorted, meta: Meta): void {
  cell.version += 1;
  const state = stateOf(cell, kernel.timers);
  const told = sorted.spawns.length > 0 ? plainMeta(meta) : meta;
  const spawned = sorted.spawns.map((spawn) => rowOfSpawn(kernel, cell, spawn, told));
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
  readonly spawned: readonly Omit<StoredCell, 'incarnation'>[];
}

function decisionOf(kernel: Kernel, cell: Cell, parts: DecisionParts): Decision {
  const { thread, incarnation } = kernel.options;
  const { sorted, meta, flight, spawned } = parts;
  const decision = {
    id: meta.id,
    at: meta.at,
    actor: cell.address,
    cause: meta.cause,
    thread,
    incarnation,
    spawns: spawned,
    forget: sorted.forget,
    records: sorted.records,
    configGeneration: kernel.options.generation(),
  };
  if (!cell.type.stored) return decision;
  const { machineId, hash } = cell.stepper;
  const row = {
    address: cell.address,
    machine: machineId,
    machineVersion: cell.type.version,
    machineHash: hash,
    version: flight.state.version,
    value: flight.state.value,
    context: flight.state.context,
    timers: flight.state.timers.map(({ id, dueAtMs }) => ({ id, dueAtMs })),
  };
  return { cell: cell.parent === undefined ? row : { parent: cell.parent, ...row }, ...decision };
}

function rowOfSpawn(
  kernel: Kernel,
  cell: Cell,
  spawn: SpawnParams,
  meta: Meta,
): Omit<StoredCell, 'incarnation'> {
  const registered = kernel.types.get(kindOf(spawn.address));
  if (registered === undefined) throw new Defect(`no actor type for ${spawn.address}`);
  const { type, stepper } = registered;
  const given = { address: spawn.address, meta };
  const step = stepper.initial(addressed.of(spawn.input as JsonObject, given, undefined));
  assert(step.effects.length === 0, `the initial state of ${type.kind} must have no effects`);
  return {
    address: spawn.address,
    parent: cell.address,
    machine: stepper.machineId,
    machineVersion: type.version,
    machineHash: stepper.hash,
    version: 1,
    value: step.configuration.value,
    context: step.context,
    timers: step.timers.flatMap((timer) =>
      timer.op === 'arm' ? [{ id: timer.id, dueAtMs: Math.ceil(meta.at + timer.delayMs) }] : [],
    ),
  };
}

/** An input with what only the runtime knows. */
const addressed = createRevision({
  address: ({ address }: { readonly address: string }) => address,
  meta: ({ meta }: { readonly meta: Meta }) => meta,
});

interface Settlement {
  readonly flight: InFlight;
  readonly outcome: CommitOutcome;
  readonly spawned: readonly Omit<StoredCell, 'incarnation'>[];
}

function settle(kernel: Kernel, cell: Cell, { flight, outcome, spawned }: Settlement): void {
  if (cell.phase === 'gone') return;
  cell.arrives(flight);
  if (!outcome.ok) return refuse(kernel, cell, outcome.failure);
  if (cell.type.stored) noteCommitted(cell, flight);
  for (const row of spawned) activateSpawned(kernel, row, flight);
  // What the store has done is done, whatever an effect of it does.
  kernel.options.turn?.begin(cell.address, 'committed');
  performCommitted(kernel, cell, flight.effects, flight.cause);
  kernel.options.turn?.end();
  if (outcome.value.outboxSeq > 0) announce(kernel, cell, outcome.value.outboxSeq, flight.cause);
  if (flight.forget) return forget(kernel, cell);
  cell.parked = cell.inFlight.some(({ forget }) => forget);
  if (cell.phase === 'restarting') return comeBack(kernel, cell);
  kernel.schedule(cell);
}

/** Wakes the outbox: a level, so only the newest sequence matters. */
function announce(kernel: Kernel, cell: Cell, seq: number, cause: string): void {
  const body = { type: 'outbox.appended', seq };
  kernel.send({ to: OUTBOX, from: cell.address, cause, body });
}

const OUTBOX = 'outbox/main' as Cell['address'];

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
