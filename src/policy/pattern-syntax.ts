/**
 * The syntax of body patterns: the part of JavaScript's regular expressions that a finite automaton
 * can run.
 *
 *   a . [a-z^] [^0-9] \d \w \s (and capitals) \n \r \t \. | ( ) (?: ) * + ? {2} {2,} {2,5} ^ $
 *
 * Input: pattern text. Output: its tree, or what is wrong and where.
 */
import { fail, ok, type Result } from '../../machines/model/result.js';

export interface PatternFailure {
  readonly code: 'malformed';
  readonly message: string;
}

export type Node =
  | { readonly kind: 'one'; readonly accepts: Accepts }
  | { readonly kind: 'start' | 'end' }
  | { readonly kind: 'sequence'; readonly parts: readonly Node[] }
  | { readonly kind: 'either'; readonly branches: readonly Node[] }
  | {
      readonly kind: 'repeat';
      readonly part: Node;
      readonly least: number;
      readonly most: number | undefined;
    };

/** Whether a UTF-16 unit belongs to a set. */
export type Accepts = (unit: number) => boolean;

const PATTERN_LENGTH_MAX = 500;
const DEPTH_MAX = 50;
const REPEAT_MAX = 100;

interface Reader {
  readonly text: string;
  at: number;
  depth: number;
}

/** Thrown inside this file only, and turned into a value at its door. */
class Malformed extends Error {}

export function parsePattern(text: string): Result<Node, PatternFailure> {
  const reader: Reader = { text, at: 0, depth: 0 };
  try {
    if (text.length > PATTERN_LENGTH_MAX) throw malformed(reader, 'is too long');
    const node = either(reader);
    if (reader.at < text.length) throw malformed(reader, 'closes a group that is not open');
    return ok(node);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return fail({ code: 'malformed', message: error.message });
  }
}

function malformed({ text, at }: Reader, what: string): Malformed {
  return new Malformed(`"${text}" ${what}, at character ${at + 1}`);
}

function peek({ text, at }: Reader): string {
  return text.charAt(at);
}

function take(reader: Reader): string {
  const character = peek(reader);
  reader.at += 1;
  return character;
}

function accept(reader: Reader, wanted: string): boolean {
  if (!reader.text.startsWith(wanted, reader.at)) return false;
  reader.at += wanted.length;
  return true;
}

function either(reader: Reader): Node {
  const branches = [sequence(reader)];
  while (accept(reader, '|')) branches.push(sequence(reader));
  const [only] = branches;
  return branches.length === 1 && only !== undefined ? only : { kind: 'either', branches };
}

function sequence(reader: Reader): Node {
  const parts: Node[] = [];
  while (reader.at < reader.text.length && !'|)'.includes(peek(reader))) parts.push(repeat(reader));
  return { kind: 'sequence', parts };
}

function repeat(reader: Reader): Node {
  const part = atom(reader);
  const bounds = quantifier(reader);
  if (bounds === undefined) return part;
  if (part.kind === 'start' || part.kind === 'end') throw malformed(reader, 'repeats an edge');
  if ('?+*{'.includes(peek(reader)) && peek(reader) !== '') {
    throw malformed(reader, 'has a lazy, possessive or doubled quantifier');
  }
  return { kind: 'repeat', part, ...bounds };
}

interface Bounds {
  readonly least: number;
  readonly most: number | undefined;
}

function quantifier(reader: Reader): Bounds | undefined {
  if (accept(reader, '*')) return { least: 0, most: undefined };
  if (accept(reader, '+')) return { least: 1, most: undefined };
  if (accept(reader, '?')) return { least: 0, most: 1 };
  if (peek(reader) !== '{') return undefined;
  const found = /^\{(\d{1,3})(?:(,)(\d{1,3})?)?\}/.exec(reader.text.slice(reader.at));
  if (found === null) throw malformed(reader, 'has a count that is not {n}, {n,} or {n,m}');
  const least = Number(found[1]);
  const upper = found[2] === undefined ? least : undefined;
  const most = found[3] === undefined ? upper : Number(found[3]);
  const sound = least <= (most ?? least) && Math.max(least, most ?? 0) <= REPEAT_MAX;
  if (!sound) throw malformed(reader, `has a count out of order or above ${REPEAT_MAX}`);
  reader.at += found[0].length;
  return { least, most };
}

function atom(reader: Reader): Node {
  const character = take(reader);
  switch (character) {
    case '^':
      return { kind: 'start' };
    case '$':
      return { kind: 'end' };
    case '.':
      return { kind: 'one', accepts: (unit) => !NEWLINES.includes(unit) };
    case '(':
      return group(reader);
    case '[':
      return { kind: 'one', accepts: set(reader) };
    case '\\':
      return { kind: 'one', accepts: escaped(reader) };
    case '*':
    case '+':
    case '?':
    case '{':
      throw malformed(reader, 'repeats nothing');
    default:
      return { kind: 'one', accepts: only(character) };
  }
}

function group(reader: Reader): Node {
  reader.depth += 1;
  if (reader.depth > DEPTH_MAX) throw malformed(reader, 'nests too deeply');
  const plain = accept(reader, '?:');
  if (!plain && peek(reader) === '?') throw malformed(reader, 'looks around or names a group');
  const node = either(reader);
  if (!accept(reader, ')')) throw malformed(reader, 'leaves a group open');
  reader.depth -= 1;
  return node;
}

/** Line feed, carriage return, and Unicode's two separators. */
const NEWLINES: readonly number[] = [0x0a, 0x0d, 0x2028, 0x2029];

function only(character: string): Accepts {
  const wanted = character.charCodeAt(0);
  return (unit) => unit === wanted;
}

function matching(expression: RegExp): Accepts {
  return (unit) => expression.test(String.fromCharCode(unit));
}

const CLASSES: Readonly<Record<string, Accepts>> = {
  d: matching(/\d/),
  D: matching(/\D/),
  w: matching(/\w/),
  W: matching(/\W/),
  s: matching(/\s/),
  S: matching(/\S/),
};
const CONTROLS: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

function escaped(reader: Reader): Accepts {
  const character = take(reader);
  if (character === '') throw malformed(reader, 'ends in a lone backslash');
  const known = CLASSES[character];
  if (known !== undefined) return known;
  return only(literal(reader, character));
}

/** An escaped character that stands for one character. */
function literal(reader: Reader, character: string): string {
  const control = CONTROLS[character];
  if (control !== undefined) return control;
  if (/[a-z0-9]/i.test(character)) throw malformed(reader, `has an unknown escape \\${character}`);
  return character;
}

function set(reader: Reader): Accepts {
  const inverted = accept(reader, '^');
  const members: Accepts[] = [];
  while (!accept(reader, ']')) {
    if (reader.at >= reader.text.length) throw malformed(reader, 'leaves a set open');
    members.push(range(reader));
  }
  return (unit) => members.some((member) => member(unit)) !== inverted;
}

function range(reader: Reader): Accepts {
  const first = setCharacter(reader);
  if (typeof first !== 'string') return first;
  if (peek(reader) !== '-' || reader.text.charAt(reader.at + 1) === ']') return only(first);
  reader.at += 1;
  const last = setCharacter(reader);
  if (typeof last !== 'string') throw malformed(reader, 'has a range that ends in a class');
  const [from, to] = [first.charCodeAt(0), last.charCodeAt(0)];
  if (!(from <= to)) throw malformed(reader, 'has a range out of order');
  return (unit) => unit >= from && unit <= to;
}

function setCharacter(reader: Reader): string | Accepts {
  const character = take(reader);
  if (character !== '\\') return character;
  const after = take(reader);
  if (after === '') throw malformed(reader, 'ends in a lone backslash');
  return CLASSES[after] ?? literal(reader, after);
}
