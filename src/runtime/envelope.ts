/** What travels between actors, in one thread by reference and between threads as msgpack. */
import type { Address } from '../../machines/model/ids.js';
import type { Message } from '../../machines/model/messages.js';

export interface Envelope {
  readonly to: Address;
  readonly from: Address;
  /** Id of the decision or outside event this message follows from. */
  readonly cause: string;
  readonly body: Message;
  /** Present on an ask: `thread:incarnation:number`, where the answer goes. */
  readonly replyTo?: string;
}

/** Where the messages of operators, timers and the runtime itself say they come from. */
export const OUTSIDE = 'reload/outside' as Address;
