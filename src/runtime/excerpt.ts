/**
 * What operators see of a message that nobody could take: its content as JSON, no longer than its bound
 * whatever the message is, and without what only its receiver may know. Values under the names of
 * secrets are withheld, and so are all of an environment or of headers.
 */
import { DEAD_LETTER_PAYLOAD_MAX } from './limits.js';

const WITHHELD = '***';

/** A `token` here names a request, and is no secret. */
const SECRET =
  /secret|password|passphrase|credential|authorization|bearer|cookie|private|api-?key/i;
const ALL_SECRET = /^(env|environment|headers)$/i;

const DEPTH_MAX = 8;
const STRING_MAX = 256;

/** At most `max` characters; what does not fit is cut, and that is said. */
export function excerptOf(value: unknown, max = DEAD_LETTER_PAYLOAD_MAX): string {
  const parts: string[] = [];
  let left = max;
  /** False: full, so that nothing more need be looked at. */
  const say = (text: string): boolean => {
    parts.push(text.slice(0, Math.max(0, left)));
    left -= text.length;
    return left >= 0;
  };
  print(value, say, { depth: 0, withheld: false });
  const text = parts.join('');
  return left < 0 ? `${text.slice(0, max - 1)}…` : text;
}

interface Place {
  readonly depth: number;
  readonly withheld: boolean;
}

type Say = (text: string) => boolean;

function print(value: unknown, say: Say, place: Place): boolean {
  if (place.withheld) return say(quoted(WITHHELD));
  if (typeof value !== 'object' || value === null) return say(scalar(value));
  if (place.depth >= DEPTH_MAX) return say(quoted('…'));
  return Array.isArray(value) ? printArray(value, say, place) : printObject(value, say, place);
}

function printArray(items: readonly unknown[], say: Say, { depth }: Place): boolean {
  if (!say('[')) return false;
  for (const [index, item] of items.entries()) {
    if (index > 0 && !say(',')) return false;
    if (!print(item, say, { depth: depth + 1, withheld: false })) return false;
  }
  return say(']');
}

function printObject(value: object, say: Say, { depth }: Place): boolean {
  if (!say('{')) return false;
  let first = true;
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue;
    if (!say(`${first ? '' : ','}${quoted(key)}:`)) return false;
    first = false;
    if (!print(item, say, { depth: depth + 1, withheld: isSecret(key) })) return false;
  }
  return say('}');
}

function scalar(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  return typeof value === 'bigint' || typeof value === 'function' || typeof value === 'symbol'
    ? quoted(String(value))
    : String(value);
}

function quoted(text: string): string {
  return JSON.stringify(text.length > STRING_MAX ? `${text.slice(0, STRING_MAX)}…` : text);
}

function isSecret(key: string): boolean {
  return SECRET.test(key) || ALL_SECRET.test(key);
}
