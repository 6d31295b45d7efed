/**
 * Mailboxes: what waits for the actors of one thread.
 *
 * Each actor has a system lane (activation, timers), then what is tried again, then a user lane. The
 * user lanes are bounded, each for itself and all together [RT-2] [RT-60]; what happens at the bound is
 * said for each kind of message: a level replaces the waiting one of its key and keeps its place, a
 * sample makes the oldest of its kind go, anything else is refused. An actor at rest has no mailbox at
 * all, and one letter is its own box.
 */

import type { Message } from '../../machines/model/messages.js';
import { isUsers, Letter, Mailbox } from './letters.js';
import { MAILBOX_MESSAGES_MAX, THREAD_MESSAGES_MAX } from './limits.js';

/** Whoever has mail carries it; nobody else costs a box. */
export interface MailboxOwner {
  mailbox: Mailbox | Letter | undefined;
}

export interface Mailboxes {
  /** Letters in all user lanes of the thread. */
  readonly waiting: number;
  /**
   * False: at a bound, the letter was not taken. A joint one goes into what waits, where `join` can say what both
   * said [RT-71].
   */
  put(owner: MailboxOwner, letter: Letter, join?: Join): boolean;
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

/** What says both; undefined: the waiting one has taken in all it may. */
export type Join = (waiting: Message, next: Message) => Message | undefined;

export function depthOf({ mailbox }: MailboxOwner): number {
  if (mailbox === undefined) return 0;
  return mailbox instanceof Letter ? 1 : mailbox.size;
}

/** Monotonic time at which the oldest waiting message came; undefined when there is none. */
export function oldestAt({ mailbox }: MailboxOwner): number | undefined {
  return mailbox instanceof Letter ? mailbox.enqueuedAt : mailbox?.head?.enqueuedAt;
}

export function createMailboxes(): Mailboxes {
  /** In user lanes; what is tried again was counted out when it was taken. */
  let waiting = 0;

  /** A box, with the letter that was there alone. */
  const boxOf = (owner: MailboxOwner): Mailbox => {
    const { mailbox } = owner;
    if (mailbox !== undefined && !(mailbox instanceof Letter)) return mailbox;
    const box = new Mailbox();
    owner.mailbox = box;
    if (mailbox === undefined) return box;
    box.add(mailbox);
    if (isUsers(mailbox)) note(box, mailbox);
    return box;
  };

  const note = (box: Mailbox, letter: Letter): void => {
    if (letter.key !== undefined) level(box, letter.key, letter);
    if (letter.joint) box.joint = letter;
  };

  const level = (box: Mailbox, key: string, letter: Letter): void => {
    box.levels ??= new Map();
    box.levels.set(key, letter);
  };

  const settle = (owner: MailboxOwner, box: Mailbox): void => {
    if (box.size === 0) owner.mailbox = undefined;
  };

  const put: Mailboxes['put'] = (owner, letter, join) => {
    if (join !== undefined && isTakenIn(owner, letter, join)) return true;
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
      waits.joint = letter.joint;
      if (!letter.joint && box.joint === waits) box.joint = undefined;
      return true;
    }
    if (box.users >= MAILBOX_MESSAGES_MAX || waiting >= THREAD_MESSAGES_MAX) return false;
    box.add(letter);
    waiting += 1;
    note(box, letter);
    return true;
  };

  /** One with a level of its own waiting takes that one's place instead: its order stays. */
  const hostOf = ({ mailbox }: MailboxOwner, { key }: Letter): Letter | undefined => {
    if (mailbox === undefined) return undefined;
    if (mailbox instanceof Letter) {
      return mailbox.joint && isUsers(mailbox) && mailbox.key !== key ? mailbox : undefined;
    }
    return key !== undefined && mailbox.levels?.has(key) === true ? undefined : mailbox.joint;
  };

  const isTakenIn = (owner: MailboxOwner, letter: Letter, join: Join): boolean => {
    const host = letter.joint ? hostOf(owner, letter) : undefined;
    if (host === undefined) return false;
    const body = join(host.envelope.body, letter.envelope.body);
    if (body === undefined) return false;
    host.envelope = { ...letter.envelope, body };
    // It speaks for several now: a newer word of one of them must not take the place of all.
    const { mailbox } = owner;
    if (host.key !== undefined && mailbox instanceof Mailbox) mailbox.levels?.delete(host.key);
    host.key = undefined;
    return true;
  };

  const take: Mailboxes['take'] = (owner) => {
    const { mailbox } = owner;
    if (mailbox === undefined) return undefined;
    if (mailbox instanceof Letter) {
      owner.mailbox = undefined;
      if (isUsers(mailbox)) waiting -= 1;
      return mailbox;
    }
    const letter = mailbox.takeFirst();
    if (letter !== undefined && isUsers(letter)) leaves(mailbox, letter);
    settle(owner, mailbox);
    return letter;
  };

  const leaves = (box: Mailbox, letter: Letter): void => {
    waiting -= 1;
    if (letter.key !== undefined) box.levels?.delete(letter.key);
    if (box.joint === letter) box.joint = undefined;
  };

  const add = (owner: MailboxOwner, letter: Letter): void => {
    if (owner.mailbox === undefined) owner.mailbox = letter;
    else boxOf(owner).add(letter);
  };

  return {
    get waiting() {
      return waiting;
    },
    put,
    take,
    putSystem: add,
    dropOldest: (owner, messageType) => {
      if (owner.mailbox === undefined) return undefined;
      const box = boxOf(owner);
      const oldest = box.takeUser(
        ({ envelope: { body, replyTo } }) => body.type === messageType && replyTo === undefined,
      );
      if (oldest !== undefined) leaves(box, oldest);
      settle(owner, box);
      return oldest;
    },
    putBack: (owner, letter) => {
      letter.again = true;
      if (letter.system && owner.mailbox !== undefined) boxOf(owner).addFirst(letter);
      else add(owner, letter);
    },
    clearSystem: (owner) => {
      const { mailbox } = owner;
      if (mailbox === undefined) return;
      if (mailbox instanceof Letter && !mailbox.system) return;
      const box = boxOf(owner);
      box.dropSystem();
      settle(owner, box);
    },
    clear: (owner) => {
      if (owner.mailbox === undefined) return [];
      const box = boxOf(owner);
      owner.mailbox = undefined;
      waiting -= box.users;
      return box.list().filter(({ system }) => !system);
    },
  };
}
