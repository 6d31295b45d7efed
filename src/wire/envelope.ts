/**
 * The envelope: what travels between actors of different threads. `v` is the version of this shape;
 * a reader that does not know it says no. Fields are in the order of the structures table.
 */
import type { Address } from '../../machines/model/ids.js';
import type { Message } from '../../machines/model/messages.js';
import { isAddress, isCount, isName, isObject } from './shape.js';

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

type Unread = { readonly [K in keyof Envelope]?: unknown };

/** By hand, field by field: this runs for every message that crosses threads. */
export function isEnvelope(value: unknown): value is Envelope {
  if (!isObject(value)) return false;
  const { v, to, from, cause, incarnation, body, replyTo } = value as Unread;
  return (
    v === ENVELOPE_VERSION &&
    isAddress(to) &&
    isAddress(from) &&
    isName(cause) &&
    isCount(incarnation) &&
    isMessage(body) &&
    (replyTo === undefined || isName(replyTo))
  );
}

function isMessage(value: unknown): value is Message {
  return isObject(value) && isName((value as { readonly type?: unknown }).type);
}
