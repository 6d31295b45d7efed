/**
 * What a thread keeps in memory that outlives it: a count of its heartbeats, and the actor and the
 * message in turn, so that main can name what a thread died of, or hangs in. Written with plain stores
 * for every message, hence its economy: an address is written when it changes, a message type is a
 * number in a table.
 *
 * Words: 0 beats · 1 somebody is in turn · 2 characters of the address · 3 number of the type ·
 * 4 types in the table. Then, in UTF-16 units: the address; the types, each with its length first.
 */
import type { Address } from '../../machines/model/ids.js';

const BEATS = 0;
const IN_TURN = 1;
const ADDRESS_LENGTH = 2;
const TYPE = 3;
const TYPES = 4;
const WORDS = 5;

/** Longer addresses and types are cut: they are read by people. */
export const ADDRESS_CHARACTERS = 160;
export const TYPE_CHARACTERS = 47;

/** Different message types a thread may name; what comes later goes by the first, `other`. */
export const TYPES_MAX = 256;

const TYPE_UNITS = TYPE_CHARACTERS + 1;
const TEXT_OFFSET = WORDS * Int32Array.BYTES_PER_ELEMENT;
const UNITS = ADDRESS_CHARACTERS + TYPES_MAX * TYPE_UNITS;
export const VITALS_BYTES = TEXT_OFFSET + UNITS * Uint16Array.BYTES_PER_ELEMENT;

export interface Culprit {
  readonly address: Address;
  /** Type of the message. */
  readonly type: string;
}

export interface Vitals {
  beat(): void;
  begin(address: Address, type: string): void;
  end(): void;
}

export function createVitals(): SharedArrayBuffer {
  return new SharedArrayBuffer(VITALS_BYTES);
}

export function isVitals(value: unknown): value is SharedArrayBuffer {
  return value instanceof SharedArrayBuffer && value.byteLength === VITALS_BYTES;
}

/** The thread's side. */
export function writeVitals(memory: SharedArrayBuffer): Vitals {
  const words = new Int32Array(memory, 0, WORDS);
  const text = new Uint16Array(memory, TEXT_OFFSET, UNITS);
  const numbers = new Map<string, number>();
  let lastAddress: string | undefined;
  let lastType: string | undefined;

  const write = (value: string, at: number, max: number): number => {
    const length = Math.min(value.length, max);
    for (let index = 0; index < length; index += 1) text[at + index] = value.charCodeAt(index);
    return length;
  };

  const learn = (type: string): number => {
    if (numbers.size >= TYPES_MAX) return 0;
    const number = numbers.size;
    const at = ADDRESS_CHARACTERS + number * TYPE_UNITS;
    text[at] = write(type, at + 1, TYPE_CHARACTERS);
    numbers.set(type, number);
    words[TYPES] = numbers.size;
    return number;
  };

  learn('other');
  return {
    beat: () => void Atomics.add(words, BEATS, 1),
    begin: (address, type) => {
      if (address !== lastAddress) {
        // Half an address names nobody.
        words[IN_TURN] = 0;
        words[ADDRESS_LENGTH] = write(address, 0, ADDRESS_CHARACTERS);
        lastAddress = address;
      }
      if (type !== lastType) {
        words[TYPE] = numbers.get(type) ?? learn(type);
        lastType = type;
      }
      words[IN_TURN] = 1;
    },
    end: () => {
      words[IN_TURN] = 0;
    },
  };
}

/** Main's side. */
export function beatsOf(memory: SharedArrayBuffer): number {
  return Atomics.load(new Int32Array(memory, 0, WORDS), BEATS);
}

/** Who was in turn when the thread died, or is while it hangs. Undefined: nobody was. */
export function culpritOf(memory: SharedArrayBuffer): Culprit | undefined {
  const words = new Int32Array(memory, 0, WORDS);
  if (Atomics.load(words, IN_TURN) === 0) return undefined;
  const text = new Uint16Array(memory, TEXT_OFFSET, UNITS);
  const read = (at: number, length: number): string =>
    String.fromCharCode(...text.subarray(at, at + length));
  const number = Math.min(words[TYPE] ?? 0, TYPES_MAX - 1);
  const at = ADDRESS_CHARACTERS + number * TYPE_UNITS;
  return {
    address: read(0, Math.min(words[ADDRESS_LENGTH] ?? 0, ADDRESS_CHARACTERS)) as Address,
    type: read(at + 1, Math.min(text[at] ?? 0, TYPE_CHARACTERS)),
  };
}
