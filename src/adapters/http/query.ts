/**
 * Query strings. Output: checked values, or one sentence about the first that cannot be used. Unknown
 * names are ignored; the last of repeated names counts.
 */
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { ListFilter } from '../../ports/node-api.js';
import { LIST_DEFAULT, LIST_MAX } from './limits.js';

export interface Target {
  readonly path: string;
  readonly query: ReadonlyMap<string, string>;
}

/** Splits a request's target; the path is compared as it is, never resolved against anything. */
export function targetOf(url: string): Target {
  const cut = url.indexOf('?');
  if (cut < 0) return { path: url, query: new Map() };
  return { path: url.slice(0, cut), query: new Map(new URLSearchParams(url.slice(cut + 1))) };
}

const WORDS = ['tenant', 'group', 'state', 'after'] as const;

export function filterOf(query: Target['query']): Result<ListFilter, string> {
  const limit = limitOf(query.get('limit'));
  if (!limit.ok) return limit;
  const given = WORDS.filter((word) => (query.get(word) ?? '') !== '');
  const words = Object.fromEntries(given.map((word) => [word, query.get(word)]));
  return ok({ ...words, limit: limit.value });
}

function limitOf(text: string | undefined): Result<number, string> {
  if (text === undefined || text === '') return ok(LIST_DEFAULT);
  const limit = wholeNumber(text);
  if (limit !== undefined && limit >= 1 && limit <= LIST_MAX) return ok(limit);
  return fail(`limit must be a whole number from 1 to ${LIST_MAX}`);
}

/** Where an event stream goes on: what the reader last saw wins over where it first began. */
export function sinceOf(
  query: Target['query'],
  lastEventId: string | undefined,
): Result<number, string> {
  const text = lastEventId ?? query.get('since') ?? '';
  if (text === '' || text === '-1') return ok(-1);
  const since = wholeNumber(text);
  if (since !== undefined) return ok(since);
  return fail('since (or Last-Event-ID) must be the sequence of an event, 0 for all, or left out');
}

export function isOn(text: string | undefined): boolean {
  return text !== undefined && !['', '0', 'false'].includes(text);
}

function wholeNumber(text: string): number | undefined {
  const number = Number(text);
  return /^\d{1,15}$/.test(text) && Number.isSafeInteger(number) ? number : undefined;
}
