/**
 * One text per value: keys sorted, absent fields left out. Two configurations are the same when
 * their digests are, whatever the order, the comments or the spelling of the file.
 */
import { createHash } from 'node:crypto';

export function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([one], [two]) => (one < two ? -1 : 1))
    .map(([key, field]) => `${JSON.stringify(key)}:${canonicalText(field)}`);
  return `{${entries.join(',')}}`;
}

/** SHA-256 of the canonical text, in hex. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(canonicalText(value)).digest('hex');
}

export function isSame(one: unknown, two: unknown): boolean {
  return one === two || canonicalText(one) === canonicalText(two);
}
