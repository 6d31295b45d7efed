/**
 * One step of a group toward its wanted members, spelled out: what is recorded, who is told, and the
 * memory afterwards.
 *
 * Input: the memory and the event it is judged in. Output: at most one step; the chart takes it and
 * asks again. What to do is decided in src/policy/scale.ts; this file gives it names and numbers.
 *
 * Members that are simply missing are one step, as many as one event may make: they differ in nothing but
 * their names, and one does not change what is to be said of the next.
 *
 * Rules: [GR-12] a create is an intent first: its row, its token and its record are one decision;
 * [GR-13] the steps of one event are bounded, each member made being one; at the bound the group tells itself
 * to go on.
 */

import type { Books, Member } from '../src/policy/members.js';
import { nextExpired } from '../src/policy/on-demand.js';
import { missingAlike, nextStep, type ScaleStep } from '../src/policy/scale.js';
import {
  booksOf,
  type GroupMemory,
  onDemandOf,
  requestedMember,
  specOf,
  toldToLeave,
  wantedOf,
} from './group-memory.js';
import type { DrainParams } from './group-messages.js';
import { type InstanceInput, newInstance } from './instance-memory.js';
import { published } from './instance-messages.js';
import { assert } from './model/assert.js';
import type { Meta, RecordParams, SpawnParams } from './model/effects.js';
import { addressOf, type InstanceId, instanceIdFor } from './model/ids.js';
import type { Json, JsonObject } from './model/json.js';

/** Well below the microsteps the runtime allows one event. */
export const STEPS_PER_EVENT_MAX = 32;

export interface CreateTurn {
  readonly kind: 'create';
  readonly records: readonly RecordParams[];
  readonly spawns: readonly SpawnParams[];
  readonly after: GroupMemory;
}

export interface DrainTurn {
  readonly kind: 'drain';
  readonly record: RecordParams;
  readonly drain: DrainParams;
  readonly after: GroupMemory;
}

export type Turn = CreateTurn | DrainTurn;

/** The chart asks for the same turn several times: whether there is one, for each of its parts, and for the memory after it. */
let asked: { readonly memory: GroupMemory; readonly meta: Meta; readonly turn: Turn | undefined };

export function nextTurn(memory: GroupMemory, meta: Meta): Turn | undefined {
  if (asked?.memory !== memory || asked.meta !== meta) {
    asked = { memory, meta, turn: turnIn(memory, meta) };
  }
  return asked.turn;
}

function turnIn(memory: GroupMemory, meta: Meta): Turn | undefined {
  const burst = burstOf(memory, meta);
  if (burst.steps >= STEPS_PER_EVENT_MAX) return undefined;
  const books = booksOf(memory, meta);
  const step = nextStep(books) ?? expiryStep(books, memory);
  if (step === undefined) return undefined;
  const at = { burst, at: meta.at };
  if (step.kind === 'drain') return drainTurn(movedBy(memory, 1, at), step);
  const count = Math.min(missingAlike(books, step), STEPS_PER_EVENT_MAX - burst.steps);
  return createTurn(movedBy(memory, count, at), step, { meta, index: burst.steps, count });
}

interface Moment {
  readonly burst: GroupMemory['burst'];
  readonly at: number;
}

/** So many steps on, and at rest no more. */
function movedBy(memory: GroupMemory, steps: number, { burst, at }: Moment): GroupMemory {
  const reached = memory.reached === 'stalled' ? ('stalled' as const) : null;
  const movingSinceMs = memory.movingSinceMs ?? at;
  return { ...memory, burst: { ...burst, steps: burst.steps + steps }, reached, movingSinceMs };
}

/** There may be more to do than one event may: somebody has to ask again. */
export function isCutShort({ burst }: GroupMemory): boolean {
  return burst.steps >= STEPS_PER_EVENT_MAX;
}

function burstOf({ burst }: GroupMemory, meta: Meta): GroupMemory['burst'] {
  return burst.id === meta.id ? burst : { id: meta.id, steps: 0 };
}

function expiryStep(books: Books, memory: GroupMemory): ScaleStep | undefined {
  const members = onDemandOf(memory);
  const id = members.length === 0 ? undefined : nextExpired({ ...books, members });
  if (id === undefined) return undefined;
  const { onDemandAgeMs = 0 } = books.rules.expiry;
  const numbers = { onDemandAgeMs };
  return { kind: 'drain', rule: 'GR-28', id, reason: 'ondemand-expiry', numbers };
}

export type Create = ScaleStep & { readonly kind: 'create' };
export type Drain = ScaleStep & { readonly kind: 'drain' };

export interface Birth {
  readonly meta: Meta;
  /** Which of the event's creates is the first of these. */
  readonly index: number;
  readonly count: number;
  /** The asker's key. */
  readonly onDemand?: string;
}

export function createTurn(memory: GroupMemory, step: Create, birth: Birth): CreateTurn {
  const { meta, index, count, onDemand } = birth;
  const spec = specOf(memory);
  const { replaces } = step;
  const follows = replaces === undefined ? {} : { replaces };
  const kind = onDemand === undefined ? { onDemand: false } : { onDemand: true, key: onDemand };
  const asked = onDemand === undefined ? {} : { onDemand };
  const records: RecordParams[] = [];
  const spawns: SpawnParams[] = [];
  const members: Record<InstanceId, Member> = { ...memory.members };
  for (let made = 0; made < count; made += 1) {
    const id = instanceIdFor(spec.key, meta.id, index + made);
    const address = addressOf('instance', id);
    const input = { address, id, token: tokenOf(id), spec, ...follows, ...kind };
    records.push(requestRecord({ ...input, meta }, behind(step, made)));
    spawns.push({ address, input: input as unknown as Json });
    members[id] = requestedMember({ id, spec, at: meta.at }, { ...follows, ...asked });
  }
  return { kind: 'create', records, spawns, after: { ...memory, members } };
}

/** The numbers as they are when so many of the same step are there already. */
function behind(step: Create, made: number): Create {
  const { counted, staying } = step.numbers;
  if (made === 0) return step;
  const there = { counted: Number(counted) + made, staying: Number(staying) + made };
  return { ...step, numbers: { ...step.numbers, ...there } };
}

function requestRecord(input: InstanceInput, { rule, numbers }: Create): RecordParams {
  const record = published(newInstance(input), 'instance.requested', rule);
  return { ...record, numbers: { ...record.numbers, ...numbers } };
}

/** The provider knows an instance by its token before it has any other name. */
function tokenOf(id: InstanceId): string {
  const unique = id.split('-')[2];
  assert(unique !== undefined, `${id} has no unique part`);
  return `t-${unique}`;
}

export function drainTurn(memory: GroupMemory, { id, reason, rule, numbers }: Drain): DrainTurn {
  const from = memory.members[id]?.state;
  const facts: JsonObject = { ...numbers, instance: id, reason, ...(from && { state: from }) };
  return {
    kind: 'drain',
    record: { event: 'group.drain_ordered', rule, numbers: facts },
    drain: { orders: [{ id, reason }], lastMayGo: wantedOf(memory) === 0 },
    after: { ...memory, members: toldToLeave(memory.members, id, reason) },
  };
}
