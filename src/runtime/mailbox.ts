/**
 * Mailboxes: what waits for the actors of one thread.
 *
 * Each actor has a system lane (activation, timers), then what is tried again, then a user lane. The
 * user lanes are bounded, each for itself and all together [RT-2] [RT-60]; what happens at the bound is
 * said for each kind of message: a level replaces the waiting one of its key and keeps its place, a
 * sample makes the oldest of its kind go, anything else is refused. An actor at rest has no mailbox at
 * all, and one letter is its own: boxes are lent to those who have more.
 */
import type { Envelope } from './envelope.js';
import { MAILBOX_MESSAGES_MAX, MAILBOXES_SPARE_MAX, THREAD_MESSAGES_MAX } from './limits.js';
import { Queue } from './queue.js';

/** A class, to be told from a box of them. */
export class Letter {
  envelope: Envelope;
  /** Monotonic. */
  readonly enqueuedAt: number;
  /** Which arming of a timer this fires; -1: it is no timer's. */
  readonly timer: number;
  /** Put in by the runtime itself: a restart does so again. */
  readonly system: boolean;
  attempts = 0;
  /** Was taken once and put back: counted out of the thread's bound already. */
  again = false;
  /** A newer letter of this key takes its place. */
  readonly key: string | undefined;

  constructor(envelope: Envelope, enqueuedAt: number, terms: LetterTerms) {
    this.envelope = envelope;
    this.enqueuedAt = enqueuedAt;
    this.timer = terms.timer;
    this.system = terms.system;
    this.key = terms.key;
  }
}

type LetterTerms = Pick<Letter, 'timer' | 'system' | 'key'>;

const PLAIN: LetterTerms = { timer: -1, system: false, key: undefined };
const SYSTEM: LetterTerms = { timer: -1, system: true, key: undefined };

export function userLetter(envelope: Envelope, enqueuedAt: number, key?: string): Letter {
  return new Letter(envelope, enqueuedAt, key === undefined ? PLAIN : { ...PLAIN, key });
}

export function systemLetter(envelope: Envelope, enqueuedAt: number, timer = -1): Letter {
  return new Letter(envelope, enqueuedAt, timer < 0 ? SYSTEM : { ...SYSTEM, timer });
}

/** Whoever has mail carries it; nobody else costs a box. */
export interface MailboxOwner {
  mailbox: Mailbox | Letter | undefined;
}

/** A class: one shape, lent and taken back a million times a second. */
class Mailbox {
  readonly user = new Queue<Letter>();
  readonly system = new Queue<Letter>();
  /** Taken once and put back. */
  readonly again = new Queue<Letter>();
  /** Waiting levels; made by the first. */
  levels: Map<string, Letter> | undefined = undefined;

  get depth(): number {
    return this.system.size + this.again.size + this.user.size;
  }
}

export type { Mailbox };

function laneOf(box: Mailbox, { system, again }: Letter): Queue<Letter> {
  if (system) return box.system;
  return again ? box.again : box.user;
}

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
  if (mailbox === undefined) return 0;
  return mailbox instanceof Letter ? 1 : mailbox.depth;
}

/** Monotonic time at which the oldest waiting message came; undefined when there is none. */
export function oldestAt({ mailbox }: MailboxOwner): number | undefined {
  if (mailbox === undefined || mailbox instanceof Letter) return mailbox?.enqueuedAt;
  return (mailbox.system.first ?? mailbox.again.first ?? mailbox.user.first)?.enqueuedAt;
}

export function createMailboxes(): Mailboxes {
  const spare: Mailbox[] = [];
  /** In user lanes; what is tried again was counted out when it was taken. */
  let waiting = 0;

  /** A box, with the letter that was there alone. */
  const boxOf = (owner: MailboxOwner): Mailbox => {
    const { mailbox } = owner;
    if (mailbox !== undefined && !(mailbox instanceof Letter)) return mailbox;
    const box = spare.pop() ?? new Mailbox();
    owner.mailbox = box;
    if (mailbox === undefined) return box;
    laneOf(box, mailbox).push(mailbox);
    if (mailbox.key !== undefined && !mailbox.again) level(box, mailbox.key, mailbox);
    return box;
  };

  const level = (box: Mailbox, key: string, letter: Letter): void => {
    box.levels ??= new Map();
    box.levels.set(key, letter);
  };

  const release = (owner: MailboxOwner, box: Mailbox): void => {
    owner.mailbox = undefined;
    if (spare.length < MAILBOXES_SPARE_MAX) spare.push(box);
  };

  const put: Mailboxes['put'] = (owner, letter) => {
    if (owner.mailbox === undefined) {
      if (waiting >= THREAD_MESSAGES_MAX) return false;
      owner.mailbox = letter;
      waiting += 1;
      return true;
    }
    const box = boxOf(owner);
    const { key } = letter;
    const waits = key === undefined ? undefined : box.levels?.get(key);
    if (waits !== undefined) {
      waits.envelope = letter.envelope;
      return true;
    }
    if (box.user.size >= MAILBOX_MESSAGES_MAX || waiting >= THREAD_MESSAGES_MAX) return false;
    box.user.push(letter);
    waiting += 1;
    if (key !== undefined) level(box, key, letter);
    return true;
  };

  const take: Mailboxes['take'] = (owner) => {
    const { mailbox } = owner;
    if (mailbox === undefined) return undefined;
    if (mailbox instanceof Letter) {
      owner.mailbox = undefined;
      if (!mailbox.system && !mailbox.again) waiting -= 1;
      return mailbox;
    }
    const letter = mailbox.system.shift() ?? mailbox.again.shift() ?? takeUser(mailbox);
    if (mailbox.depth === 0) release(owner, mailbox);
    return letter;
  };

  const takeUser = (box: Mailbox): Letter | undefined => {
    const letter = box.user.shift();
    if (letter !== undefined) leaves(box, letter);
    return letter;
  };

  const leaves = (box: Mailbox, letter: Letter): void => {
    waiting -= 1;
    if (letter.key !== undefined) box.levels?.delete(letter.key);
  };

  const putSystem: Mailboxes['putSystem'] = (owner, letter) => {
    if (owner.mailbox === undefined) owner.mailbox = letter;
    else boxOf(owner).system.push(letter);
  };

  return {
    get waiting() {
      return waiting;
    },
    put,
    take,
    putSystem,
    dropOldest: (owner, messageType) => {
      if (owner.mailbox === undefined) return undefined;
      const box = boxOf(owner);
      const oldest = box.user.takeFirst(
        ({ envelope: { body, replyTo } }) => body.type === messageType && replyTo === undefined,
      );
      if (oldest !== undefined) leaves(box, oldest);
      if (box.depth === 0) release(owner, box);
      return oldest;
    },
    putBack: (owner, letter) => {
      letter.again = true;
      if (owner.mailbox === undefined) owner.mailbox = letter;
      else laneOf(boxOf(owner), letter).unshift(letter);
    },
    clearSystem: (owner) => {
      const { mailbox } = owner;
      if (mailbox === undefined) return;
      if (mailbox instanceof Letter && !mailbox.system) return;
      const box = boxOf(owner);
      box.system.clear();
      if (box.depth === 0) release(owner, box);
    },
    clear: (owner) => {
      if (owner.mailbox === undefined) return [];
      const box = boxOf(owner);
      const all = [...box.again.list(), ...box.user.list()];
      waiting -= box.user.size;
      for (const lane of [box.system, box.again, box.user]) lane.clear();
      box.levels = undefined;
      release(owner, box);
      return all;
    },
  };
}
