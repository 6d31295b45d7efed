/**
 * Letters, and the box of an actor that has more than one: one list for all its lanes, threaded through
 * the letters themselves.
 */
import type { Envelope } from './envelope.js';

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
  key: string | undefined;
  /** Others may be put into it while it waits. */
  joint: boolean;
  /** What waits behind it in its mailbox. */
  next: Letter | undefined = undefined;

  constructor(envelope: Envelope, enqueuedAt: number, terms: LetterTerms) {
    this.envelope = envelope;
    this.enqueuedAt = enqueuedAt;
    this.timer = terms.timer;
    this.system = terms.system;
    this.key = terms.key;
    this.joint = terms.joint;
  }
}

type LetterTerms = Pick<Letter, 'timer' | 'system' | 'key' | 'joint'>;

const PLAIN: LetterTerms = { timer: -1, system: false, key: undefined, joint: false };
const SYSTEM: LetterTerms = { timer: -1, system: true, key: undefined, joint: false };

export function userLetter(
  envelope: Envelope,
  enqueuedAt: number,
  key?: string,
  joint = false,
): Letter {
  const plain = key === undefined && !joint;
  return new Letter(envelope, enqueuedAt, plain ? PLAIN : { ...PLAIN, key, joint });
}

export function systemLetter(envelope: Envelope, enqueuedAt: number, timer = -1): Letter {
  return new Letter(envelope, enqueuedAt, timer < 0 ? SYSTEM : { ...SYSTEM, timer });
}

/**
 * One list for all lanes, through the letters themselves: system, then what is tried again, then user.
 * A class: one shape, made and dropped a million times a second.
 */
export class Mailbox {
  head: Letter | undefined = undefined;
  tail: Letter | undefined = undefined;
  /** Where the system lane ends; undefined: it is empty. */
  lastSystem: Letter | undefined = undefined;
  size = 0;
  users = 0;
  /** Waiting levels; made by the first. */
  levels: Map<string, Letter> | undefined = undefined;
  /** The last one that takes others in. */
  joint: Letter | undefined = undefined;

  /** At the end of its lane; what is tried again goes before all others of its lane. */
  add(letter: Letter): void {
    if (letter.system) {
      this.insert(letter, this.lastSystem);
      this.lastSystem = letter;
    } else if (letter.again) this.insert(letter, this.lastSystem);
    else {
      this.insert(letter, this.tail);
      this.users += 1;
    }
  }

  /** Before everything else. */
  addFirst(letter: Letter): void {
    this.insert(letter, undefined);
    this.lastSystem ??= letter;
  }

  private insert(letter: Letter, after: Letter | undefined): void {
    const before = after === undefined ? this.head : after.next;
    letter.next = before;
    if (after === undefined) this.head = letter;
    else after.next = letter;
    if (before === undefined) this.tail = letter;
    this.size += 1;
  }

  takeFirst(): Letter | undefined {
    return this.head === undefined ? undefined : this.remove(this.head, undefined);
  }

  /** The first user letter that fits. */
  takeUser(fits: (letter: Letter) => boolean): Letter | undefined {
    let after: Letter | undefined;
    for (let letter = this.head; letter !== undefined; letter = letter.next) {
      if (isUsers(letter) && fits(letter)) return this.remove(letter, after);
      after = letter;
    }
    return undefined;
  }

  private remove(letter: Letter, after: Letter | undefined): Letter {
    if (after === undefined) this.head = letter.next;
    else after.next = letter.next;
    if (letter === this.tail) this.tail = after;
    if (letter === this.lastSystem) this.lastSystem = after;
    this.size -= 1;
    if (isUsers(letter)) this.users -= 1;
    letter.next = undefined;
    return letter;
  }

  dropSystem(): void {
    while (this.lastSystem !== undefined) this.takeFirst();
  }

  list(): readonly Letter[] {
    const letters: Letter[] = [];
    for (let letter = this.head; letter !== undefined; letter = letter.next) letters.push(letter);
    return letters;
  }
}

/** It waits in the user lane, and counts there. */
export function isUsers({ system, again }: Letter): boolean {
  return !system && !again;
}
