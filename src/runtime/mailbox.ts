/**
 * One actor's waiting messages: a system lane (activation, timers), then what is tried again, then a
 * user lane, which is bounded [RT-2]. A message with a coalescing key replaces the waiting one of the
 * same key and keeps its place: levels, not edges.
 */
import type { Envelope } from './envelope.js';
import { MAILBOX_MESSAGES_MAX } from './limits.js';

export interface Letter {
  readonly envelope: Envelope;
  readonly enqueuedAt: number;
  /** Deliveries that ended in a crash. */
  attempts: number;
  /** Of the runtime's own making; a restart makes it again, so it is never tried again. */
  readonly system?: true;
  /** A timer's firing: counts only while this arming of it does. */
  readonly timer?: number;
}

export interface Mailbox {
  readonly depth: number;
  /** Monotonic time at which the oldest waiting message came; undefined when empty. */
  readonly oldestAt: number | undefined;
  /** False: at the bound, the message was not taken. */
  put(letter: Letter, coalesceKey: string | undefined): boolean;
  putSystem(letter: Letter): void;
  /** Back to the head of its lane, to be tried again; never before `activated`. */
  putBack(letter: Letter): void;
  take(): Letter | undefined;
  /** Drops what the runtime put in: a restart does so again. */
  clearSystem(): void;
  /** Empties everything and returns what others had sent. */
  clear(): readonly Letter[];
}

interface Slot {
  letter: Letter;
  readonly key: string | undefined;
}

export function createMailbox(): Mailbox {
  let system: Letter[] = [];
  let again: Letter[] = [];
  let user: Slot[] = [];
  const byKey = new Map<string, Slot>();

  const put = (letter: Letter, key: string | undefined): boolean => {
    const waiting = key === undefined ? undefined : byKey.get(key);
    if (waiting !== undefined) {
      waiting.letter = letter;
      return true;
    }
    if (user.length >= MAILBOX_MESSAGES_MAX) return false;
    const slot = { letter, key };
    user.push(slot);
    if (key !== undefined) byKey.set(key, slot);
    return true;
  };

  const take = (): Letter | undefined => {
    const first = system.shift() ?? again.shift();
    if (first !== undefined) return first;
    const slot = user.shift();
    if (slot?.key !== undefined) byKey.delete(slot.key);
    return slot?.letter;
  };

  return {
    get depth() {
      return system.length + again.length + user.length;
    },
    get oldestAt() {
      return (system[0] ?? again[0] ?? user[0]?.letter)?.enqueuedAt;
    },
    put,
    putSystem: (letter) => void system.push(letter),
    putBack: (letter) => void (letter.system ? system : again).unshift(letter),
    take,
    clearSystem: () => {
      system = [];
    },
    clear: () => {
      const all = [...again, ...user.map((slot) => slot.letter)];
      system = [];
      again = [];
      user = [];
      byKey.clear();
      return all;
    },
  };
}
