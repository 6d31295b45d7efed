/**
 * Tells the outbox that there are rows for it. That is a level: of all that one answer of the store
 * acknowledged only the newest row is told, when the whole answer has been taken [RT-26].
 */
import type { Address } from '../../machines/model/ids.js';
import type { Envelope } from './envelope.js';

export interface Announcer {
  appended(seq: number, from: Address, cause: string): void;
  flush(): void;
}

const OUTBOX = 'outbox/main' as Address;

export function createAnnouncer(send: (envelope: Envelope) => void): Announcer {
  let newest: Envelope | undefined;
  let newestSeq = 0;
  return {
    appended: (seq, from, cause) => {
      if (newest !== undefined && seq < newestSeq) return;
      newestSeq = seq;
      const body = { type: 'outbox.appended', seq };
      newest = { to: OUTBOX, from, cause, body };
    },
    flush: () => {
      const told = newest;
      newest = undefined;
      if (told !== undefined) send(told);
    },
  };
}
