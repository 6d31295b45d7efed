/**
 * The envelope: what travels between actors of different threads. Its version is the link's
 * (WIRE_VERSION), its sender's life the link's too: both are in the hello.
 */
import type { Address } from '../../machines/model/ids.js';
import type { Message } from '../../machines/model/messages.js';
import { isName, isObject } from './shape.js';

export interface Envelope {
  readonly to: Address;
  readonly from: Address;
  /** Id of the decision or outside event this message follows from. */
  readonly cause: string;
  readonly body: Message;
  /** Present on an ask: `thread:incarnation:number`, where the answer goes. */
  readonly replyTo?: string;
}

export function isMessage(value: unknown): value is Message {
  return isObject(value) && isName((value as { readonly type?: unknown }).type);
}
