/** Unique ids (UUIDv7, time-ordered) and chance from the operating system. */
import { randomFillSync, randomInt } from 'node:crypto';
import { V7Generator } from 'uuidv7';
import type { Ids, Random } from '../../ports/clock.js';

/**
 * The text of an id is made in one piece: put together from characters it would be a tree of some
 * twenty strings, kept for as long as anybody keeps the id.
 */
export function systemIds(): Ids {
  const generator = new V7Generator({ nextUint32: drawnInAdvance() });
  const text = Buffer.from('00000000-0000-0000-0000-000000000000', 'latin1');
  return {
    next: () => {
      const { bytes } = generator.generate();
      for (let index = 0; index < PLACES.length; index += 1) {
        const byte = bytes[index] ?? 0;
        const place = PLACES[index] ?? 0;
        text[place] = DIGITS[byte >> 4] ?? 0;
        text[place + 1] = DIGITS[byte & 15] ?? 0;
      }
      return text.toString('latin1');
    },
  };
}

/** Where in the text the two digits of each byte stand. */
const PLACES = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];

const DIGITS = Buffer.from('0123456789abcdef', 'latin1');

/** Random words drawn at a time: to ask the operating system costs more than an id. */
const WORDS_DRAWN = 1_024;

function drawnInAdvance(): () => number {
  const words = new Uint32Array(WORDS_DRAWN);
  let next = WORDS_DRAWN;
  return () => {
    if (next === WORDS_DRAWN) {
      randomFillSync(words);
      next = 0;
    }
    const word = words[next] ?? 0;
    next += 1;
    return word;
  };
}

const RANDOM_STEPS = 2 ** 32;

export function systemRandom(): Random {
  return { next: () => randomInt(RANDOM_STEPS) / RANDOM_STEPS };
}
