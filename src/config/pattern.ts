/**
 * Body patterns of health checks: which regular expressions are safe against a hostile body.
 *
 * Input: the pattern as written. Output: an equivalent pattern whose work is bounded, or why not.
 * V8 matches by backtracking, so safety is decided here: no back-references, no lookaround, no
 * repeat inside a repeat, no repeated choice. `*`, `+` and `{n,}` become at most 1,000 repeats;
 * the ways in which all repeats can be combined are multiplied and bounded, more tightly where a
 * match may start anywhere in the 64 KB that a probe reads.
 */
import { fail, ok, type Result } from '../../machines/model/result.js';
import { configLimits } from './limits.js';

const REPEATS_MAX = 1_000;
const WAYS_MAX_ANYWHERE = 4_096;
const WAYS_MAX_ANCHORED = 2_000_000;
const QUANTIFIER = /^(?:[*+?]|\{(\d{1,4})(?:(,)(\d{1,4})?)?\})\??/;

/** A piece of a pattern: its bounded text, its ways to match, and what it contains. */
interface Piece {
  readonly text: string;
  readonly ways: number;
  readonly repeats: boolean;
  readonly chooses: boolean;
}

interface Scanner {
  readonly source: string;
  at: number;
  depth: number;
}

class Refused extends Error {}

export function boundPattern(source: string): Result<string, string> {
  if (source.length > configLimits.patternLengthMax) {
    return fail(`the pattern is longer than ${configLimits.patternLengthMax} characters`);
  }
  if (!compiles(source)) return fail('not a regular expression');
  const scanner: Scanner = { source, at: 0, depth: 0 };
  const scanned = scan(scanner);
  if (!scanned.ok) return scanned;
  const { text, ways, chooses } = scanned.value;
  const anchored = source.startsWith('^') && !chooses;
  if (ways > (anchored ? WAYS_MAX_ANCHORED : WAYS_MAX_ANYWHERE)) {
    return fail('too many repeats for one pattern; anchor it with ^ or bound them, e.g. ".{0,20}"');
  }
  return compiles(text) ? ok(text) : fail('not a regular expression');
}

function compiles(source: string): boolean {
  try {
    return new RegExp(source) instanceof RegExp;
  } catch {
    return false;
  }
}

function scan(scanner: Scanner): Result<Piece, string> {
  try {
    return ok(choice(scanner));
  } catch (error) {
    if (error instanceof Refused) return fail(error.message);
    throw error;
  }
}

function choice(scanner: Scanner): Piece {
  let whole = sequence(scanner);
  while (scanner.source[scanner.at] === '|') {
    scanner.at += 1;
    const next = sequence(scanner);
    whole = {
      text: `${whole.text}|${next.text}`,
      ways: whole.ways + next.ways,
      repeats: whole.repeats || next.repeats,
      chooses: true,
    };
  }
  return whole;
}

function sequence(scanner: Scanner): Piece {
  const pieces: Piece[] = [];
  while (scanner.at < scanner.source.length && !'|)'.includes(scanner.source[scanner.at] ?? '')) {
    pieces.push(quantified(scanner, atom(scanner)));
  }
  return {
    text: pieces.map((piece) => piece.text).join(''),
    ways: pieces.reduce((product, piece) => product * piece.ways, 1),
    repeats: pieces.some((piece) => piece.repeats),
    chooses: pieces.some((piece) => piece.chooses),
  };
}

function quantified(scanner: Scanner, piece: Piece): Piece {
  const match = QUANTIFIER.exec(scanner.source.slice(scanner.at));
  if (match === null) return piece;
  scanner.at += match[0].length;
  const [min, max] = boundsOf(match);
  const lazy = match[0].length > 1 && match[0].endsWith('?') ? '?' : '';
  if (max > 1 && piece.repeats) throw new Refused('a repeat inside a repeat is not safe');
  if (max > 1 && piece.chooses) throw new Refused('a repeated choice (a|b)* is not safe');
  if (max > REPEATS_MAX) throw new Refused(`at most ${REPEATS_MAX} repeats`);
  const ways = piece.ways * (max - min + 1);
  return { ...piece, text: `${piece.text}{${min},${max}}${lazy}`, ways, repeats: true };
}

function boundsOf(match: RegExpExecArray): readonly [number, number] {
  const [whole, low, comma, high] = match;
  if (low === undefined) {
    if (whole.startsWith('?')) return [0, 1];
    return [whole.startsWith('+') ? 1 : 0, REPEATS_MAX];
  }
  if (comma === undefined) return [Number(low), Number(low)];
  return [Number(low), high === undefined ? REPEATS_MAX : Number(high)];
}

function atom(scanner: Scanner): Piece {
  const start = scanner.at;
  const first = scanner.source[start];
  if (first === '(') return group(scanner);
  if (first === '[') scanner.at = classEnd(scanner.source, start);
  else if (first === '\\') scanner.at = escapeEnd(scanner.source, start);
  else scanner.at += 1;
  const text = scanner.source.slice(start, scanner.at);
  return { text, ways: 1, repeats: false, chooses: false };
}

function group(scanner: Scanner): Piece {
  const rest = scanner.source.slice(scanner.at);
  if (/^\(\?<?[=!]/.test(rest)) throw new Refused('lookahead and lookbehind are not supported');
  const open = /^\((?:\?:|\?<[A-Za-z_]\w*>)?/.exec(rest)?.[0] ?? '(';
  scanner.at += open.length;
  scanner.depth += 1;
  if (scanner.depth > configLimits.depthMax) throw new Refused('groups are nested too deeply');
  const inside = choice(scanner);
  scanner.depth -= 1;
  scanner.at += 1;
  return { ...inside, text: `(?:${inside.text})` };
}

function classEnd(source: string, start: number): number {
  let at = start + 1;
  while (at < source.length && source[at] !== ']') at += source[at] === '\\' ? 2 : 1;
  return at + 1;
}

function escapeEnd(source: string, start: number): number {
  const next = source[start + 1] ?? '';
  if (/[1-9k]/.test(next)) throw new Refused('back-references are not supported');
  return start + 2;
}
