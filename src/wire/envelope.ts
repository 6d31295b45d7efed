/**
 * The envelope: what travels between actors of different threads. `v` is the version of this shape; a
 * reader that does not know it says no. Fields are in the order of the structures table.
 */
import type { Address } from '../../machines/model/ids.js';
import type { Message } from '../../machines/model/messages.js';
import { type Check, isAddress, isCount, isName, record } from './shape.js';

export const ENVELOPE_VERSION = 1;

export interface Envelope {
  readonly v: typeof ENVELOPE_VERSION;
  readonly to: Address;
  readonly from: Address;
  /** Id of the decision or outside event this message follows from. */
  readonly cause: string;
  /** Of the sending thread: what a dead one sent is told apart from what its successor sends. */
  readonly incarnation: number;
  readonly body: Message;
  /** Present on an ask: `thread:number`, where the answer goes. */
  readonly replyTo?: string;
}

export type Letter = Omit<Envelope, 'v' | 'incarnation'>;

export function sealEnvelope(letter: Letter, incarnation: number): Envelope {
  const { to, from, cause, body, replyTo } = letter;
  const v = ENVELOPE_VERSION;
  return replyTo === undefined
    ? { v, to, from, cause, incarnation, body }
    : { v, to, from, cause, incarnation, body, replyTo };
}

const isKnownVersion: Check<typeof ENVELOPE_VERSION> = (value) => value === ENVELOPE_VERSION;
const isMessage: Check<Message> = record({ type: isName });

export const isEnvelope: Check<Envelope> = record(
  {
    v: isKnownVersion,
    to: isAddress,
    from: isAddress,
    cause: isName,
    incarnation: isCount,
    body: isMessage,
  },
  { replyTo: isName },
);
