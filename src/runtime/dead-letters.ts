/** Messages nobody took: the last thousand with their reason, and a count of each reason for ever. */
import type { Address } from '../../machines/model/ids.js';
import type { Envelope } from './envelope.js';
import { excerptOf } from './excerpt.js';
import { DEAD_LETTERS_MAX } from './limits.js';

export type DeadLetterReason =
  | 'no-actor'
  | 'mailbox-full'
  /** A sample that newer ones crowded out. */
  | 'outdated'
  | 'link-full'
  | 'too-large'
  | 'poison'
  | 'quarantined'
  | 'stale-incarnation'
  | 'late-reply'
  | 'unreachable-thread'
  /** Its actor lives on the holder of the lease. */
  | 'off-duty'
  | 'stopping';

export interface DeadLetter {
  readonly at: number;
  readonly to: Address;
  readonly from: Address;
  readonly message: string;
  readonly reason: DeadLetterReason;
  /** Of poison: what to look at when somebody asks why. Bounded, without secrets. */
  readonly payload?: string;
}

/** Only poison is kept to be read: it is rare, and nobody else can say what was in it. */
export function deadLetterOf(
  { to, from, body }: Envelope,
  reason: DeadLetterReason,
  at: number,
): DeadLetter {
  const letter = { at, to, from, message: body.type, reason };
  return reason === 'poison' ? { ...letter, payload: excerptOf(body) } : letter;
}

export interface DeadLetters {
  add(letter: DeadLetter): void;
  /** Oldest first. */
  list(): readonly DeadLetter[];
  counts(): Readonly<Partial<Record<DeadLetterReason, number>>>;
}

export function createDeadLetters(): DeadLetters {
  const ring: DeadLetter[] = [];
  const counts: Partial<Record<DeadLetterReason, number>> = {};
  return {
    add: (letter) => {
      counts[letter.reason] = (counts[letter.reason] ?? 0) + 1;
      ring.push(letter);
      if (ring.length > DEAD_LETTERS_MAX) ring.shift();
    },
    list: () => [...ring],
    counts: () => ({ ...counts }),
  };
}
