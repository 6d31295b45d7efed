/**
 * Numbers VIPs as they come by in dumps, by the bytes that name them: a dump repeats the name of its
 * VIP with every server, and text would cost more than all the rest.
 *
 * Input:  the 21 bytes of a VIP in a message. Output: its number, counted from 0; the same for the
 *         same VIP. Bytes behind an IPv4 address mean nothing and are not looked at.
 */
const WORDS = 6;
const FREE = -1;

export class VipNumbers {
  /** Six words per VIP: family, address, and length, protocol and port in one. */
  #names = new Int32Array(64 * WORDS);
  /** Open addressing: number of the VIP, or FREE. Twice as long as there is room for names. */
  #slots = new Int32Array(128).fill(FREE);
  #count = 0;
  /** The VIP asked for last: its servers tend to follow each other. */
  #last = FREE;
  #lastFirst = 0;
  #lastTail = 0;

  get count(): number {
    return this.#count;
  }

  numberOf(message: Buffer, at: number): number {
    const family = message[at] ?? 0;
    const isFour = family === 0;
    const a = wordAt(message, at + 1);
    const tail = wordAt(message, at + 17);
    const b = isFour ? 0 : wordAt(message, at + 5);
    const c = isFour ? 0 : wordAt(message, at + 9);
    const d = isFour ? 0 : wordAt(message, at + 13);
    const mayBeLast = a === this.#lastFirst && tail === this.#lastTail && this.#last !== FREE;
    if (mayBeLast && this.#isNamed(this.#last, family, a, b, c, d, tail)) return this.#last;
    this.#last = this.#find(family, a, b, c, d, tail);
    this.#lastFirst = a;
    this.#lastTail = tail;
    return this.#last;
  }

  #find(family: number, a: number, b: number, c: number, d: number, tail: number): number {
    const mask = this.#slots.length - 1;
    let slot = hashOf(a, b, c, d, tail) & mask;
    for (;;) {
      const number = this.#slots[slot] ?? FREE;
      if (number === FREE) break;
      if (this.#isNamed(number, family, a, b, c, d, tail)) return number;
      slot = (slot + 1) & mask;
    }
    const number = this.#count;
    this.#slots[slot] = number;
    this.#names.set([family, a, b, c, d, tail], WORDS * number);
    this.#count += 1;
    if (WORDS * this.#count === this.#names.length) this.#grow();
    return number;
  }

  #isNamed(
    number: number,
    family: number,
    a: number,
    b: number,
    c: number,
    d: number,
    tail: number,
  ): boolean {
    const names = this.#names;
    const at = WORDS * number;
    return (
      names[at + 1] === a &&
      names[at + 5] === tail &&
      names[at] === family &&
      names[at + 2] === b &&
      names[at + 3] === c &&
      names[at + 4] === d
    );
  }

  #grow(): void {
    const names = new Int32Array(2 * this.#names.length);
    names.set(this.#names);
    this.#names = names;
    const slots = new Int32Array(2 * this.#slots.length).fill(FREE);
    for (let number = 0; number < this.#count; number += 1) {
      const [, a = 0, b = 0, c = 0, d = 0, tail = 0] = names.subarray(WORDS * number);
      let slot = hashOf(a, b, c, d, tail) & (slots.length - 1);
      while (slots[slot] !== FREE) slot = (slot + 1) & (slots.length - 1);
      slots[slot] = number;
    }
    this.#slots = slots;
  }
}

/** Big endian, with its sign: what is only compared or stored as 32 bits needs no more. */
export function wordAt(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] ?? 0) << 24) |
    ((bytes[at + 1] ?? 0) << 16) |
    ((bytes[at + 2] ?? 0) << 8) |
    (bytes[at + 3] ?? 0)
  );
}

/** Every bit of every word counts in the low bits, which choose the slot. */
function hashOf(a: number, b: number, c: number, d: number, tail: number): number {
  let hash = 0x9e3779b1;
  hash = Math.imul(hash ^ a, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13) ^ b, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 16) ^ c, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13) ^ d, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 16) ^ tail, 0x27d4eb2f);
  return hash ^ (hash >>> 15);
}
