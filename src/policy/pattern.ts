/**
 * Patterns for response bodies: regular expressions in time linear in the body, whatever the pattern.
 *
 * Input:  pattern text, then bodies. Output: whether the pattern occurs in the body; or, for a text
 *         outside of the language, a sentence that says what is wrong and where.
 *
 * A Thompson automaton, run on all of its states at once: an answer from the network can never make a
 * probe think for long. `.` matches everything but a newline; `^` and `$` are the ends of the body.
 *
 * Rules: [HE-20] agrees with JavaScript's own engine on the language both know; [HE-21] a pattern has
 * at most `PATTERN_STATES_MAX` states, and look-around, back-references and lazy or possessive
 * quantifiers are refused.
 */
import { fail, ok, type Result } from '../../machines/model/result.js';
import { type Node, type PatternFailure, parsePattern } from './pattern-syntax.js';

/** Bounds the work per character of body. */
export const PATTERN_STATES_MAX = 500;

export type Pattern = (body: string) => boolean;

type State =
  | { readonly kind: 'one'; readonly accepts: (unit: number) => boolean; readonly next: number }
  | { readonly kind: 'fork'; next: readonly number[] }
  | { readonly kind: 'start' | 'end'; readonly next: number }
  | { readonly kind: 'match' };

export function compilePattern(text: string): Result<Pattern, PatternFailure> {
  const parsed = parsePattern(text);
  if (!parsed.ok) return parsed;
  const states: State[] = [{ kind: 'match' }];
  const first = build(states, parsed.value, 0);
  if (states.length > PATTERN_STATES_MAX) {
    const message = `"${text}" is too large: it needs more than ${PATTERN_STATES_MAX} states`;
    return fail({ code: 'malformed', message });
  }
  return ok((body) => occurs(states, first, body));
}

/** Adds the states of `node` in front of `next`; answers with the first of them. */
function build(states: State[], node: Node, next: number): number {
  // Beyond the bound nothing is built any more; the caller refuses the pattern.
  if (states.length > PATTERN_STATES_MAX) return next;
  switch (node.kind) {
    case 'one':
      return states.push({ kind: 'one', accepts: node.accepts, next }) - 1;
    case 'start':
    case 'end':
      return states.push({ kind: node.kind, next }) - 1;
    case 'sequence':
      return node.parts.reduceRight((after, part) => build(states, part, after), next);
    case 'either': {
      const branches = node.branches.map((branch) => build(states, branch, next));
      return states.push({ kind: 'fork', next: branches }) - 1;
    }
    case 'repeat':
      return buildRepeat(states, node, next);
  }
}

function buildRepeat(
  states: State[],
  { part, least, most }: Extract<Node, { kind: 'repeat' }>,
  next: number,
): number {
  let start = next;
  if (most === undefined) {
    const loop: Extract<State, { kind: 'fork' }> = { kind: 'fork', next: [next] };
    start = states.push(loop) - 1;
    loop.next = [build(states, part, start), next];
  }
  for (let optional = least; optional < (most ?? least); optional += 1) {
    start = states.push({ kind: 'fork', next: [build(states, part, start), next] }) - 1;
  }
  for (let required = 0; required < least; required += 1) start = build(states, part, start);
  return start;
}

function occurs(states: readonly State[], first: number, body: string): boolean {
  let current = new Set<number>();
  for (let at = 0; at <= body.length; at += 1) {
    const edges = { atStart: at === 0, atEnd: at === body.length };
    if (follow(states, current, first, edges)) return true;
    if (edges.atEnd) return false;
    const next = new Set<number>();
    const unit = body.charCodeAt(at);
    for (const index of current) {
      const state = states[index];
      if (state?.kind !== 'one' || !state.accepts(unit)) continue;
      const after = { atStart: false, atEnd: at + 1 === body.length };
      if (follow(states, next, state.next, after)) return true;
    }
    current = next;
  }
  return false;
}

interface Edges {
  readonly atStart: boolean;
  readonly atEnd: boolean;
}

/** Adds a state and all it reaches without reading; true when that includes the match. */
function follow(states: readonly State[], into: Set<number>, first: number, edges: Edges): boolean {
  const pending = [first];
  for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
    if (into.has(index)) continue;
    into.add(index);
    const state = states[index];
    if (state === undefined || state.kind === 'one') continue;
    if (state.kind === 'match') return true;
    if (state.kind === 'fork') pending.push(...state.next);
    else if (state.kind === 'start' ? edges.atStart : edges.atEnd) pending.push(state.next);
  }
  return false;
}
