/**
 * Messages into a stream, many at once, with the server's word on each.
 *
 * One subscription takes all answers and one timer waits for all that was sent together: the client's own
 * publish makes a request of each message, with a timer and two errors in advance, which is half of what a
 * message costs.
 */
import { createInbox, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';
import { REQUEST_TIMEOUT_MS } from './limits.js';
import { sayError } from './link.js';

export interface Outgoing {
  readonly subject: string;
  readonly bytes: Uint8Array;
  readonly headers: MsgHdrs;
}

export type Ack =
  | { readonly kind: 'stored'; readonly seq: number }
  /** `code`: the server's own, of JetStream. */
  | { readonly kind: 'refused'; readonly code: number; readonly message: string }
  | { readonly kind: 'away'; readonly message: string };

export interface Acks {
  /** Answers in the order of the messages; what has none within the time is `away`. */
  publish(messages: readonly Outgoing[]): Promise<readonly Ack[]>;
  close(): void;
}

interface Waiting {
  readonly index: number;
  readonly batch: Batch;
}

interface Batch {
  readonly answers: Ack[];
  left: number;
  readonly done: () => void;
}

export function createAcks(connection: NatsConnection, timeoutMs = REQUEST_TIMEOUT_MS): Acks {
  const inbox = createInbox();
  const waiting = new Map<string, Waiting>();
  let sent = 0;

  const settle = (token: string, ack: Ack): void => {
    const one = waiting.get(token);
    if (one === undefined) return;
    waiting.delete(token);
    one.batch.answers[one.index] = ack;
    one.batch.left -= 1;
    if (one.batch.left === 0) one.batch.done();
  };

  const subscription = connection.subscribe(`${inbox}.*`, {
    callback: (error, message) => {
      if (error !== null) return;
      const token = message.subject.slice(inbox.length + 1);
      settle(token, message.headers?.code === NO_RESPONDERS ? NOBODY : ackOf(message.data));
    },
  });

  const send = ({ subject, bytes, headers }: Outgoing, as: Waiting): void => {
    const token = String(sent);
    sent += 1;
    waiting.set(token, as);
    connection.publish(subject, bytes, { reply: `${inbox}.${token}`, headers });
  };

  /** What was under way when the connection broke is answered no more, also when it comes back. */
  const follow = async (): Promise<void> => {
    for await (const { type } of connection.status()) if (type === 'disconnect') lose();
  };

  const lose = (): void => {
    for (const token of [...waiting.keys()]) settle(token, LOST);
  };

  follow().then(lose, lose);

  const publish = async (messages: readonly Outgoing[]): Promise<readonly Ack[]> => {
    if (messages.length === 0) return [];
    const answers: Ack[] = messages.map(() => SILENT);
    const first = sent;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      const done = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const batch: Batch = { answers, left: messages.length, done };
      try {
        for (const [index, message] of messages.entries()) send(message, { index, batch });
      } catch (error) {
        // The connection was closed: what has left may be answered no more.
        const failure: Ack = { kind: 'away', message: sayError(error) };
        answers.fill(failure);
        done();
      }
    });
    for (let token = first; token < first + messages.length; token += 1) {
      waiting.delete(String(token));
    }
    return answers;
  };

  return { publish, close: () => subscription.unsubscribe() };
}

const NO_RESPONDERS = 503;
const NOBODY: Ack = { kind: 'away', message: 'JetStream does not answer: nobody serves it' };
const LOST: Ack = {
  kind: 'away',
  message: 'the connection was lost before the server acknowledged',
};
const SILENT: Ack = { kind: 'away', message: 'the server did not acknowledge in time' };

const decoder = new TextDecoder();

interface Said {
  readonly seq?: unknown;
  readonly error?: { readonly err_code?: unknown; readonly description?: unknown };
}

function ackOf(data: Uint8Array): Ack {
  try {
    const { seq, error } = JSON.parse(decoder.decode(data)) as Said;
    if (error !== undefined) {
      const message = String(error.description ?? 'refused');
      return { kind: 'refused', code: Number(error.err_code ?? 0), message };
    }
    if (typeof seq === 'number' && seq > 0) return { kind: 'stored', seq };
  } catch {
    // As below.
  }
  return { kind: 'away', message: 'the server gave an answer of no known shape' };
}
