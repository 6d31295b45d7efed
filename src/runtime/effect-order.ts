/**
 * The effects of one step, sorted by when they may leave:
 *
 *   protective, observed   at once
 *   durable                when the store has acknowledged the decision, in order
 *
 * `record`, `spawn` and `forget` are the decision itself. Rules: [RT-3] every effect a machine names
 * has a row; [RT-4] a durable effect needs a record in the same step.
 */
import { assert, Defect } from '../../machines/model/assert.js';
import type { OneOrMany, RecordParams, SpawnParams } from '../../machines/model/effects.js';
import type { EffectRow, World } from './actor-type.js';
import type { Cell } from './cell.js';
import type { Kernel } from './kernel.js';
import { CellScope } from './scopes.js';
import type { CollectedEffect } from './stepper.js';

export interface Sorted {
  readonly records: readonly RecordParams[];
  readonly spawns: readonly SpawnParams[];
  readonly forget: boolean;
  readonly now: readonly CollectedEffect[];
  readonly afterCommit: readonly CollectedEffect[];
}

/** Most steps have no effects, or only such as leave at once. */
function atOnce(now: readonly CollectedEffect[]): Sorted {
  return { records: NONE, spawns: NONE, forget: false, now, afterCommit: NONE };
}

const NONE: readonly never[] = [];
const NOTHING = atOnce(NONE);

export function sortEffects(cell: Cell, effects: readonly CollectedEffect[]): Sorted {
  if (effects.length === 0) return NOTHING;
  return allLeaveAtOnce(cell, effects) ? atOnce(effects) : sorted(cell, effects);
}

/** Asked at every step that does anything, and so without a closure or an iterator. */
function allLeaveAtOnce(cell: Cell, effects: readonly CollectedEffect[]): boolean {
  for (let index = 0; index < effects.length; index += 1) {
    const effect = effects[index] as CollectedEffect;
    if (DECIDING.has(effect.type) || rowOf(cell, effect).class === 'durable') return false;
  }
  return true;
}

/** These are the decision itself, and have no row. */
const DECIDING: ReadonlySet<string> = new Set(['record', 'spawn', 'forget']);

function sorted(cell: Cell, effects: readonly CollectedEffect[]): Sorted {
  let records: readonly RecordParams[] = NONE;
  let spawns: readonly SpawnParams[] = NONE;
  let now: readonly CollectedEffect[] = NONE;
  let afterCommit: readonly CollectedEffect[] = NONE;
  let forget = false;
  for (const effect of effects) {
    if (effect.type === 'record') records = and(records, effect.params as OneOrMany<RecordParams>);
    else if (effect.type === 'spawn') spawns = and(spawns, effect.params as OneOrMany<SpawnParams>);
    else if (effect.type === 'forget') forget = true;
    else if (rowOf(cell, effect).class === 'durable') afterCommit = and(afterCommit, effect);
    else now = and(now, effect);
  }
  assert(
    afterCommit.length === 0 || records.length > 0,
    `RT-4: ${cell.address} wants ${afterCommit[0]?.type} without recording why`,
  );
  return { records, spawns, forget, now, afterCommit };
}

/** With more: lists of one are the rule, and one that is pushed to makes room for many. */
function and<T extends object>(list: readonly T[], more: OneOrMany<T>): readonly T[] {
  if (isMany(more)) return [...list, ...more];
  if (list.length === 0) return [more];
  (list as T[]).push(more);
  return list;
}

function isMany<T extends object>(more: OneOrMany<T>): more is readonly T[] {
  return Array.isArray(more);
}

function rowOf(cell: Cell, { type }: CollectedEffect): EffectRow<unknown, unknown> {
  const row = cell.type.effects.get(type);
  if (row === undefined) {
    throw new Defect(`RT-3: actor ${cell.type.kind} has no row for the effect ${type}`);
  }
  return row;
}

export function isOncePerFleet(cell: Cell, effect: CollectedEffect): boolean {
  return rowOf(cell, effect).oncePerFleet === true;
}

/** Each on its own: one that throws crashes the cell, and what protects still leaves after it. */
export function performNow(
  kernel: Kernel,
  cell: Cell,
  { now }: Pick<Sorted, 'now'>,
  cause: string,
): void {
  if (now.length === 0) return;
  const world = worldOf(kernel, cell, cause);
  for (let index = 0; index < now.length; index += 1) {
    perform(kernel, cell, now[index] as CollectedEffect, world);
  }
}

/** The first that throws drops the rest. */
export function performCommitted(
  kernel: Kernel,
  cell: Cell,
  effects: readonly CollectedEffect[],
  cause: string,
): void {
  if (effects.length === 0) return;
  const world = worldOf(kernel, cell, cause);
  effects.every((effect) => perform(kernel, cell, effect, world));
}

type AnyWorld = World<unknown, unknown>;

function worldOf(kernel: Kernel, cell: Cell, cause: string): AnyWorld {
  const scope = new CellScope(kernel, cell, cause);
  return { scope, ports: kernel.options.ports, companion: cell.companion };
}

/** False: the effect crashed the cell. */
function perform(kernel: Kernel, cell: Cell, effect: CollectedEffect, world: AnyWorld): boolean {
  try {
    rowOf(cell, effect).perform(effect.params, world);
    return true;
  } catch (error) {
    kernel.crash(cell, error);
    return false;
  }
}
