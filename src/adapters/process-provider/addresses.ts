/**
 * Gives each instance an address of its own in 127.64.0.0/10, round and round.
 *
 * Rule: [PR-2] an address rests before another instance gets it. Going once round the range takes
 * longer than the rest (see limits.ts), so remembering where we are is enough; it is written down
 * before the address is given away. Without a memory the walk starts somewhere else in the range,
 * so that two daemons of one machine hardly meet.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assert } from '../../../machines/model/assert.js';
import { replaceFile } from '../proc/write-file.js';
import { ADDRESS_COUNT } from './limits.js';

/** 127.64.0.1 */
const FIRST_ADDRESS = 0x7f400001;

export interface Addresses {
  /** The next address of the walk for which `isTaken` says no. One caller at a time. */
  take(isTaken: (address: string) => boolean): Promise<string>;
}

export function openAddresses(dir: string, seed: string): Addresses {
  const path = join(dir, 'next-address');

  const load = async (): Promise<number> => {
    const index = Number.parseInt(await readFile(path, 'utf8').catch(() => ''), 10);
    return index >= 0 && index < ADDRESS_COUNT ? index : somewhere(seed);
  };

  return {
    async take(isTaken) {
      let index = await load();
      for (let looks = 0; isTaken(addressAt(index)); looks += 1) {
        assert(looks < ADDRESS_COUNT, 'more instances than addresses');
        index = (index + 1) % ADDRESS_COUNT;
      }
      await replaceFile(path, String((index + 1) % ADDRESS_COUNT));
      return addressAt(index);
    },
  };
}

/** The `index`th address of the range, from 0. */
export function addressAt(index: number): string {
  const value = FIRST_ADDRESS + index;
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join('.');
}

function somewhere(seed: string): number {
  return createHash('sha256').update(seed).digest().readUInt32BE(0) % ADDRESS_COUNT;
}
