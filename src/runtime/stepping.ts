/**
 * One message through one cell: step the machine, commit the decision if there is one, perform the
 * effects in the order their class allows.
 *
 *   protective, observed   at once
 *   durable                when the store has acknowledged the decision, in order
 *
 * A step is a decision when it records, spawns or forgets, or when it moves a stored machine to
 * another state. Rules: [RT-3] every effect a machine names has a row; [RT-4] a durable effect needs
 * a record in the same step; [RT-8] a failed commit drops its effects and restarts the cell.
 */
import type { AnyMachineSnapshot } from 'xstate';
import { assert, Defect } from '../../machines/model/assert.js';
import type { Meta, RecordParams, SpawnParams } from '../../machines/model/effects.js';
import { kindOf } from '../../machines/model/ids.js';
import type { Json, JsonObject } from '../../machines/model/json.js';
import type { Decision, StoredCell } from '../ports/store.js';
import { activateSpawned, retire } from './activation.js';
import type { EffectRow } from './actor-type.js';
import { type Cell, type InFlight, sameValue } from './cell.js';
import type { CommitOutcome } from './committer.js';
import { comeBack } from './crash.js';
import type { Kernel } from './kernel.js';
import { ACTOR_DECISIONS_MAX } from './limits.js';
import type { Letter } from './mailbox.js';
import type { CollectedEffect, Step } from './stepper.js';

interface Sorted {
  readonly records: readonly RecordParams[];
  readonly spawns: readonly SpawnParams[];
  readonly forget: boolean;
  readonly now: readonly CollectedEffect[];
  readonly afterCommit: readonly CollectedEffect[];
}

/** False: the cell cannot take this message yet (the store is behind); it was not stepped. */
export function process(kernel: Kernel, cell: Cell, letter: Letter): boolean {
  const meta = metaFor(kernel, letter);
  const event = { ...letter.envelope.body, meta };
  const step = cell.stepper.step(cell.snapshot, event);
  return apply(kernel, cell, { step, meta, event, letter });
}

interface Stepped {
  readonly step: Step;
  readonly meta: Meta;
  readonly event: { readonly type: string };
  readonly letter: Letter;
}

function apply(kernel: Kernel, cell: Cell, { step, meta, event, letter }: Stepped): boolean {
  const sorted = sortEffects(cell, step.effects);
  const decides = isDecision(cell, step.snapshot, sorted);
  const full = decides && cell.inFlight.length >= ACTOR_DECISIONS_MAX;
  const mustCommit = sorted.afterCommit.length + sorted.spawns.length > 0 || sorted.forget;
  if (full && mustCommit) return false;

  cell.snapshot = step.snapshot;
  if (letter.timer !== undefined) kernel.timers.cancel(cell, event.type);
  applyTimers(kernel, cell, step);
  kernel.tap?.(frameOf(cell, event));
  // A full queue means the store has been away for long: a reflex still acts, its record is given up,
  // and the next decision that fits carries the whole state anyway.
  if (decides && !full) decide(kernel, cell, sorted, meta);
  const cause = decides ? meta.id : meta.cause;
  for (const effect of sorted.now) perform(kernel, cell, effect, cause);
  return true;
}

function metaFor(kernel: Kernel, { envelope }: Letter): Meta {
  const { clock, ids, random } = kernel.options;
  const base = {
    at: clock.now(),
    random: random.next(),
    id: ids.next(),
    cause: envelope.cause,
    from: envelope.from,
  };
  return envelope.replyTo === undefined ? base : { ...base, replyTo: envelope.replyTo };
}

function sortEffects(cell: Cell, effects: readonly CollectedEffect[]): Sorted {
  const records: RecordParams[] = [];
  const spawns: SpawnParams[] = [];
  const now: CollectedEffect[] = [];
  const afterCommit: CollectedEffect[] = [];
  let forget = false;
  for (const effect of effects) {
    if (effect.type === 'record') records.push(effect.params as RecordParams);
    else if (effect.type === 'spawn') spawns.push(effect.params as SpawnParams);
    else if (effect.type === 'forget') forget = true;
    else if (rowOf(cell, effect).class === 'durable') afterCommit.push(effect);
    else now.push(effect);
  }
  assert(
    afterCommit.length === 0 || records.length > 0,
    `RT-4: ${cell.address} wants ${afterCommit[0]?.type} without recording why`,
  );
  return { records, spawns, forget, now, afterCommit };
}

function rowOf(cell: Cell, effect: CollectedEffect): EffectRow<unknown, unknown> {
  const row = cell.type.effects[effect.type];
  if (row === undefined) {
    throw new Defect(`RT-3: actor ${cell.type.kind} has no row for the effect ${effect.type}`);
  }
  return row;
}

function isDecision(cell: Cell, next: AnyMachineSnapshot, sorted: Sorted): boolean {
  const { records, spawns, forget } = sorted;
  const moved = cell.type.stored && !sameValue(cell.snapshot.value as Json, next.value as Json);
  return records.length > 0 || spawns.length > 0 || forget || moved;
}

function applyTimers(kernel: Kernel, cell: Cell, step: Step): void {
  for (const timer of step.timers) {
    if (timer.op === 'arm') kernel.timers.arm(cell, timer.id, timer.delayMs);
    else kernel.timers.cancel(cell, timer.id);
  }
}

function frameOf(cell: Cell, event: { readonly type: string }) {
  return {
    address: cell.address,
    machineId: cell.stepper.machineId,
    event,
    value: cell.snapshot.value as Json,
    context: cell.snapshot.context as JsonObject,
    status: 'active' as const,
  };
}

function decide(kernel: Kernel, cell: Cell, sorted: Sorted, meta: Meta): void {
  cell.version += 1;
  const state = {
    version: cell.version,
    value: cell.snapshot.value as Json,
    context: cell.snapshot.context as JsonObject,
    timers: kernel.timers.armedOf(cell),
  };
  const spawned = sorted.spawns.map((spawn) => rowOfSpawn(kernel, cell, spawn, meta));
  const { afterCommit: effects, forget } = sorted;
  const flight: InFlight = { state, effects, cause: meta.id, forget };
  cell.inFlight.push(flight);
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
    ...flight.state,
    timers: flight.state.timers.map(({ id, dueAtMs }) => ({ id, dueAtMs })),
  };
  return { ...decision, cell: cell.parent === undefined ? row : { ...row, parent: cell.parent } };
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
  const input = { ...(spawn.input as JsonObject), address: spawn.address, meta: { ...meta } };
  const step = stepper.initial(input);
  assert(step.effects.length === 0, `the initial state of ${type.kind} must have no effects`);
  return {
    address: spawn.address,
    parent: cell.address,
    machine: stepper.machineId,
    machineVersion: type.version,
    machineHash: stepper.hash,
    version: 1,
    value: step.snapshot.value as Json,
    context: step.snapshot.context as JsonObject,
    timers: step.timers.flatMap((timer) =>
      timer.op === 'arm' ? [{ id: timer.id, dueAtMs: Math.ceil(meta.at + timer.delayMs) }] : [],
    ),
  };
}

interface Settlement {
  readonly flight: InFlight;
  readonly outcome: CommitOutcome;
  readonly spawned: readonly Omit<StoredCell, 'incarnation'>[];
}

function settle(kernel: Kernel, cell: Cell, { flight, outcome, spawned }: Settlement): void {
  if (cell.phase === 'gone') return;
  cell.inFlight.splice(cell.inFlight.indexOf(flight), 1);
  if (!outcome.ok) return refuse(kernel, cell, outcome.failure);
  cell.committed = cell.type.stored ? flight.state : undefined;
  for (const row of spawned) activateSpawned(kernel, row, flight.cause);
  // The first that fails drops the rest; what the store has done is done all the same.
  kernel.options.turn?.begin(cell.address, 'committed');
  flight.effects.every((effect) => perform(kernel, cell, effect, flight.cause));
  kernel.options.turn?.end();
  if (outcome.value.outboxSeq > 0) announce(kernel, cell, outcome.value.outboxSeq, flight.cause);
  if (flight.forget) return retire(kernel, cell);
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
  // A cell that is down has given up what it decided after the refused decision.
  if (cell.phase === 'quarantined') return;
  if (cell.phase === 'restarting') return comeBack(kernel, cell);
  if (failure.code === 'stale') return retire(kernel, cell, 'thread-lost');
  kernel.crash(cell, new Defect(`RT-8: the store refused a decision: ${failure.message}`));
}

/** False: the effect crashed the cell. */
function perform(kernel: Kernel, cell: Cell, effect: CollectedEffect, cause: string): boolean {
  const scope = kernel.scopeOf(cell, cause);
  const { ports } = kernel.options;
  try {
    rowOf(cell, effect).perform(effect.params, { scope, ports, companion: cell.companion });
    return true;
  } catch (error) {
    kernel.crash(cell, error);
    return false;
  }
}
