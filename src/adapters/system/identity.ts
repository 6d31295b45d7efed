/** Unique ids (UUIDv7, time-ordered) and chance from the operating system. */
import { randomInt } from 'node:crypto';
import { uuidv7 } from 'uuidv7';
import type { Ids, Random } from '../../ports/clock.js';

export function systemIds(): Ids {
  return { next: uuidv7 };
}

const RANDOM_STEPS = 2 ** 32;

export function systemRandom(): Random {
  return { next: () => randomInt(RANDOM_STEPS) / RANDOM_STEPS };
}
