/**
 * What the shrink guard says: records of what it let go and held, answers to operators, the shape they see.
 *
 * Input: its memory. Output: parameters of effects, a view with its condition.
 */
import { limitOf, usedOf } from '../src/policy/shrink.js';
import { booksOf, type GuardMemory, heldCountOf, heldOf, type Waiting } from './guard-memory.js';
import type { Meta, RecordParams } from './model/effects.js';
import type { Refusal } from './model/failures.js';
import type { JsonObject } from './model/json.js';
import { timestamp } from './model/time.js';

export interface AnswerParams {
  readonly replyTo: string | undefined;
  readonly body: JsonObject;
}

interface Decided {
  readonly event: string;
  readonly rule: string;
  readonly wishes: readonly Waiting[];
  /** Whose word it was. */
  readonly by?: { readonly owner: string; readonly reason: string };
}

/** Objects named in one record or sentence. */
const NAMED_MAX = 20;

export function guardRecord(
  memory: GuardMemory,
  { event, rule, wishes, by }: Decided,
  { at }: Meta,
): RecordParams {
  const instances = wishes.reduce((sum, { count }) => sum + count, 0);
  const named = wishes.slice(0, NAMED_MAX).map(wishShape);
  return { event, rule, numbers: { ...windowOf(memory, at), instances, wishes: named, ...by } };
}

function windowOf(memory: GuardMemory, at: number): JsonObject {
  const books = booksOf(memory, { at });
  if (books === undefined) return {};
  const { total, rule } = books;
  return { used: usedOf(books), limit: limitOf(books), total, windowMs: rule.windowMs };
}

function wishShape({ object, to, count, sinceMs, reason, cause }: Waiting): JsonObject {
  return { object, to, count, reason, since: timestamp(sinceMs), cause };
}

export function agreed(memory: GuardMemory, { replyTo }: Meta): AnswerParams {
  return { replyTo, body: { ok: true, confirmed: heldOf(memory).map(wishShape) } };
}

export function nothingHeld({ replyTo }: Meta): AnswerParams {
  const message = 'nothing waits to be confirmed: see "switchyard get guards"';
  const refusal: Refusal = { code: 'refused', rule: 'SG-7', message };
  return { replyTo, body: { ok: false, refusal: { ...refusal } } };
}

/** More came to wait since the operator looked. */
export function tooManyHeld(memory: GuardMemory, { replyTo }: Meta): AnswerParams {
  const count = heldCountOf(memory);
  const message = `${count} instances wait by now, more than was confirmed: see "switchyard get guards"`;
  const refusal: Refusal = { code: 'refused', rule: 'SG-7', message };
  return { replyTo, body: { ok: false, refusal: { ...refusal } } };
}

/** As of the last thing that happened to it; the window is what it was then. */
export function guardShape(memory: GuardMemory, at: number): JsonObject {
  const held = heldOf(memory);
  const { used = 0, limit = 0, windowMs = 0 } = windowOf(memory, at);
  const since = held.length === 0 ? {} : { since: timestamp(firstOf(held)) };
  const conditions = held.length === 0 ? [] : [conditionOf(held)];
  return {
    name: 'shrink',
    window: windowMs,
    limit,
    used,
    held: held.map(wishShape),
    ...since,
    conditions,
  };
}

function firstOf(held: readonly Waiting[]): number {
  return Math.min(...held.map(({ sinceMs }) => sinceMs));
}

function conditionOf(held: readonly Waiting[]): JsonObject {
  const count = held.reduce((sum, wish) => sum + wish.count, 0);
  const named = held.slice(0, NAMED_MAX).map(({ object, count: of }) => `${object} (${of})`);
  const more = held.length > named.length ? `, and ${held.length - named.length} more` : '';
  return {
    type: 'shrink-held',
    object: 'guard/shrink',
    severity: 'critical',
    since: timestamp(firstOf(held)),
    cause: 'SG-7',
    message: `the removal of ${count} instances waits, they are too many for one window: ${named.join(', ')}${more}`,
    next: "'switchyard confirm shrink' lets them go; to keep them, take back what removes them",
  };
}
