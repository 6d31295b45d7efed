/**
 * One actor's waiting messages: a system lane (activation, timers) before a user lane, the user lane
 * bounded [RT-2]. A message with a coalescing key replaces the waiting one of the same key and keeps
 * its place: levels, not edges.
 */
import type { Envelope } from './envelope.js';
import { MAILBOX_MESSAGES_MAX } from './limits.js';

export interface Letter {
  readonly envelope: Envelope;
  readonly enqueuedAt: number;
  /** Deliveries that ended in a crash. */
  attempts: number;
}

export interface Mailbox {
  readonly depth: number;
  /** Monotonic time at which the oldest waiting message came; undefined when empty. */
  readonly oldestAt: number | undefined;
  /** False: at the bound, the message was not taken. */
  put(letter: Letter, coalesceKey: string | undefined): boolean;
  putSystem(letter: Letter): void;
  /** Back to the head, to be tried again. */
  putBack(letter: Letter): void;
  take(): Letter | undefined;
  /** Empties both lanes and returns what waited. */
  clear(): readonly Letter[];
}

interface Slot {
  letter: Letter;
  readonly key: string | undefined;
}

export function createMailbox(): Mailbox {
  const system: Letter[] = [];
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
    const first = system.shift();
    if (first !== undefined) return first;
    const slot = user.shift();
    if (slot?.key !== undefined) byKey.delete(slot.key);
    return slot?.letter;
  };

  return {
    get depth() {
      return system.length + user.length;
    },
    get oldestAt() {
      return system[0]?.enqueuedAt ?? user[0]?.letter.enqueuedAt;
    },
    put,
    putSystem: (letter) => void system.push(letter),
    putBack: (letter) => void system.unshift(letter),
    take,
    clear: () => {
      const all = [...system.splice(0), ...user.map((slot) => slot.letter)];
      user = [];
      byKey.clear();
      return all;
    },
  };
}
