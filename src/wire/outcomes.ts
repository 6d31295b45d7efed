/**
 * What a pass of the outbox came to, on its way to the store, as one text: what was published as a row of
 * numbers and hashes, the rest as it is. As objects a thousand outcomes take longer to say than to write.
 */
import { type Check, isCount, isNumber, isText, listOf, record } from './shape.js';

/** The store's, as it travels. */
export interface Outcome {
  readonly seq: number;
  readonly controlVersion?: number;
  readonly error?: string;
  readonly dead?: true;
  readonly previousHash?: string;
  readonly head?: { readonly key: string; readonly hash: string };
}

/** Places of one published row, and of the last of a key. */
const ROW = 3;
const HEAD = 3;

export function packOutcomes(outcomes: readonly Outcome[]): string {
  const published: (number | string)[] = [];
  const heads: (number | string)[] = [];
  const others: Outcome[] = [];
  for (const outcome of outcomes) {
    const { seq, controlVersion, error, dead, previousHash, head } = outcome;
    const isPlain = error === undefined && dead === undefined;
    if (controlVersion === undefined || previousHash === undefined || !isPlain) {
      others.push(outcome);
      continue;
    }
    if (head !== undefined) heads.push(published.length / ROW, head.key, head.hash);
    published.push(seq, controlVersion, previousHash);
  }
  return JSON.stringify([published, heads, others]);
}

/** `undefined`: these are no outcomes. */
export function readOutcomes(text: string): readonly Outcome[] | undefined {
  try {
    const outcomes = unpacked(text);
    return areOutcomes(outcomes) ? outcomes : undefined;
  } catch {
    return undefined;
  }
}

type Mutable = { -readonly [Name in keyof Outcome]: unknown };

function unpacked(text: string): readonly unknown[] {
  const [published, heads, others] = JSON.parse(text) as [unknown[], unknown[], unknown[]];
  if (published.length % ROW !== 0 || heads.length % HEAD !== 0) return [undefined];
  const outcomes: Mutable[] = [];
  for (let at = 0; at < published.length; at += ROW) {
    const [seq, controlVersion] = [published[at], published[at + 1]];
    outcomes.push({ seq, controlVersion, previousHash: published[at + 2] });
  }
  for (let at = 0; at < heads.length; at += HEAD) {
    const outcome = outcomes[heads[at] as number];
    if (outcome !== undefined) outcome.head = { key: heads[at + 1], hash: heads[at + 2] };
  }
  return [...outcomes, ...others];
}

function isTrue(value: unknown): value is true {
  return value === true;
}

const isHead = record({ key: isText, hash: isText });

const areOutcomes: Check<readonly Outcome[]> = listOf(
  record(
    { seq: isCount },
    { controlVersion: isNumber, error: isText, dead: isTrue, previousHash: isText, head: isHead },
  ),
);
