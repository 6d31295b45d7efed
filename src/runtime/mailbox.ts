/**
 * Mailboxes: what waits for the actors of one thread.
 *
 * Each actor has a system lane (activation, timers), then what is tried again, then a user lane. The
 * user lanes are bounded, each for itself and all together [RT-2] [RT-60]; what happens at the bound is
 * said for each kind of message: a level replaces the waiting one of its key and keeps its place, a
 * sample makes the oldest of its kind go, anything else is refused. An actor at rest has no mailbox at
 * all: boxes are lent to those who have mail.
 */
import type { Envelope } from './envelope.js';
import { MAILBOX_MESSAGES_MAX, MAILBOXES_SPARE_MAX, THREAD_MESSAGES_MAX } from './limits.js';
import { Queue } from './queue.js';

export interface Letter {
  envelope: Envelope;
  /** Monotonic. */
  readonly enqueuedAt: number;
  attempts: number;
  /** Put in by the runtime itself: a restart does so again. */
  readonly system: boolean;
  /** Which arming of a timer this fires; -1: it is no timer's. */
  readonly timer: number;
  /** A newer letter of this key takes its place. */
  readonly key: string | undefined;
}

export function userLetter(envelope: Envelope, enqueuedAt: number, key?: string): Letter {
  return { envelope, enqueuedAt, attempts: 0, system: false, timer: -1, key };
}

export function systemLetter(envelope: Envelope, enqueuedAt: number, timer = -1): Letter {
  return { envelope, enqueuedAt, attempts: 0, system: true, timer, key: undefined };
}

/** Whoever has mail carries it; nobody else costs a box. */
export interface MailboxOwner {
  mailbox: Mailbox | undefined;
}

/** A class: one shape, lent and taken back a million times a second. */
class Mailbox {
  readonly user = new Queue<Letter>();
  readonly system = new Queue<Letter>();
  readonly again = new Queue<Letter>();
  /** Waiting levels; made by the first. */
  levels: Map<string, Letter> | undefined;

  get depth(): number {
    return this.system.size + this.again.size + this.user.size;
  }
}

export type { Mailbox };

export interface Mailboxes {
  /** Letters in all user lanes of the thread. */
  readonly waiting: number;
  /** False: at a bound, the letter was not taken. */
  put(owner: MailboxOwner, letter: Letter): boolean;
  /** Makes room by taking out the oldest user letter of this message type that asks nothing. */
  dropOldest(owner: MailboxOwner, messageType: string): Letter | undefined;
  putSystem(owner: MailboxOwner, letter: Letter): void;
  /** Back to the head of its lane, to be tried again; never before `activated`. */
  putBack(owner: MailboxOwner, letter: Letter): void;
  take(owner: MailboxOwner): Letter | undefined;
  /** Drops what the runtime put in: a restart does so again. */
  clearSystem(owner: MailboxOwner): void;
  /** Empties everything and returns what others had sent. */
  clear(owner: MailboxOwner): readonly Letter[];
}

export function depthOf({ mailbox }: MailboxOwner): number {
  return mailbox === undefined ? 0 : mailbox.depth;
}

/** Monotonic time at which the oldest waiting message came; undefined when there is none. */
export function oldestAt({ mailbox }: MailboxOwner): number | undefined {
  const first = mailbox?.system.first ?? mailbox?.again.first ?? mailbox?.user.first;
  return first?.enqueuedAt;
}

export function createMailboxes(): Mailboxes {
  const spare: Mailbox[] = [];
  let waiting = 0;

  const boxOf = (owner: MailboxOwner): Mailbox => {
    owner.mailbox ??= spare.pop() ?? new Mailbox();
    return owner.mailbox;
  };

  const release = (owner: MailboxOwner, box: Mailbox): void => {
    owner.mailbox = undefined;
    if (spare.length < MAILBOXES_SPARE_MAX) spare.push(box);
  };

  const put: Mailboxes['put'] = (owner, letter) => {
    const box = boxOf(owner);
    const level = letter.key === undefined ? undefined : box.levels?.get(letter.key);
    if (level !== undefined) {
      level.envelope = letter.envelope;
      return true;
    }
    if (box.user.size >= MAILBOX_MESSAGES_MAX || waiting >= THREAD_MESSAGES_MAX) {
      if (box.depth === 0) release(owner, box);
      return false;
    }
    box.user.push(letter);
    waiting += 1;
    if (letter.key !== undefined) {
      box.levels ??= new Map();
      box.levels.set(letter.key, letter);
    }
    return true;
  };

  const left = (box: Mailbox, letter: Letter | undefined): void => {
    if (letter === undefined) return;
    waiting -= 1;
    if (letter.key !== undefined) box.levels?.delete(letter.key);
  };

  const take: Mailboxes['take'] = (owner) => {
    const box = owner.mailbox;
    if (box === undefined) return undefined;
    let letter = box.system.shift() ?? box.again.shift();
    if (letter === undefined) {
      letter = box.user.shift();
      left(box, letter);
    }
    if (box.depth === 0) release(owner, box);
    return letter;
  };

  const clear: Mailboxes['clear'] = (owner) => {
    const box = owner.mailbox;
    if (box === undefined) return [];
    const all = [...box.again.list(), ...box.user.list()];
    waiting -= box.user.size;
    for (const lane of [box.system, box.again, box.user]) lane.clear();
    box.levels = undefined;
    release(owner, box);
    return all;
  };

  return {
    get waiting() {
      return waiting;
    },
    put,
    dropOldest: (owner, messageType) => {
      const box = owner.mailbox;
      const oldest = box?.user.takeFirst(
        ({ envelope: { body, replyTo } }) => body.type === messageType && replyTo === undefined,
      );
      if (box !== undefined) left(box, oldest);
      return oldest;
    },
    putSystem: (owner, letter) => boxOf(owner).system.push(letter),
    putBack: (owner, letter) => {
      const box = boxOf(owner);
      (letter.system ? box.system : box.again).unshift(letter);
    },
    take,
    clearSystem: (owner) => {
      const box = owner.mailbox;
      box?.system.clear();
      if (box?.depth === 0) release(owner, box);
    },
    clear,
  };
}
