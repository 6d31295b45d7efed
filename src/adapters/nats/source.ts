/**
 * The feed in JetStream, read by a durable consumer: the server shows how far this reader is.
 *
 * The cursor is the reader's own, kept where it keeps what it applied. The consumer follows it: when it
 * stands elsewhere (a new reader, a restored database, a bite read again) it is made anew behind the cursor.
 *
 * Rules: [FD-10] every event after the cursor once, in order; [NA-4] the server's consumer never decides
 * where a reader stands.
 */
import {
  AckPolicy,
  type Consumer,
  DeliverPolicy,
  type JetStreamManager,
  type JsMsg,
  jetstream,
} from '@nats-io/jetstream';
import { type NatsConnection, nanos, type Subscription } from '@nats-io/transport-node';
import type { FeedFailure } from '../../../machines/model/failures.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import { eventOf } from '../../feed/segments.js';
import type { FeedItem, FeedSource } from '../../ports/feed-source.js';
import { getArtifact } from './artifacts.js';
import { READER_ACK_WAIT_MS, REQUEST_TIMEOUT_MS, WAIT_LOOK_MS } from './limits.js';
import { createNatsLink, type NatsAccess, sayError } from './link.js';
import { openStream, type StreamSpec } from './stream.js';

export interface NatsSourceOptions extends NatsAccess, StreamSpec {
  /** Name of the durable consumer: one reader each. */
  readonly reader: string;
}

interface Open {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly wakeUps: Subscription;
}

interface Position {
  readonly consumer: Consumer;
  /** Last one it gave us. */
  at: number;
}

type Read<T> = Promise<Result<T, FeedFailure>>;

export function openNatsSource(options: NatsSourceOptions): FeedSource {
  return new NatsSource(options);
}

class NatsSource implements FeedSource {
  readonly #options: NatsSourceOptions;
  readonly #link;
  /** Given and not acknowledged; acknowledging one acknowledges all before it. */
  #given: JsMsg[] = [];
  #position: Position | undefined;
  #open: Open | undefined;
  #wakers = new Set<() => void>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: NatsSourceOptions) {
    this.#options = options;
    this.#link = createNatsLink(options);
  }

  read(after: number, max: number): Read<readonly FeedItem[]> {
    return this.#inTurn(async (open) => {
      const { state } = await open.manager.streams.info(this.#options.stream);
      const waiting = state.last_seq - Math.max(after, state.first_seq - 1);
      if (waiting <= 0) return ok([]);
      const position = await this.#standAt(open, after);
      const items: FeedItem[] = [];
      const batch = await position.consumer.fetch({
        max_messages: Math.min(max, waiting),
        expires: 1_000,
      });
      for await (const message of batch) {
        if (message.seq <= position.at) continue;
        position.at = message.seq;
        this.#given.push(message);
        items.push(itemOf(message));
      }
      return ok(items);
    });
  }

  at(controlVersion: number): Read<FeedItem | undefined> {
    return this.#inTurn(async ({ manager }) => {
      const query = { seq: controlVersion };
      const found = await manager.streams.getMessage(this.#options.stream, query);
      return ok(found === null ? undefined : itemOf(found));
    });
  }

  async wait(after: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const woken = this.#nextWord(signal);
      const head = await this.head();
      if (head.ok && head.value !== after) return;
      await woken;
    }
  }

  acknowledge(upTo: number): Read<void> {
    return this.#inTurn(async () => {
      const last = this.#given.findLast(({ seq }) => seq <= upTo);
      if (last === undefined) return ok(undefined);
      last.ack();
      this.#given = this.#given.filter(({ seq }) => seq > upTo);
      return ok(undefined);
    });
  }

  head(): Read<number> {
    return this.#inTurn(async ({ manager }) => {
      const { state } = await manager.streams.info(this.#options.stream);
      return ok(state.last_seq);
    });
  }

  artifact(ref: string): Read<Uint8Array> {
    return this.#inTurn(async ({ connection }) => {
      const found = await getArtifact(connection, this.#options, ref);
      if (!found.ok) return away(found.failure);
      if (found.value !== undefined) return ok(found.value);
      return fail({ code: 'missing', message: `there is no artifact ${ref}` });
    });
  }

  async close(): Promise<void> {
    await this.#turn;
    this.#wake();
    await this.#link.close();
  }

  /** One call at a time; what the server does not answer is `unavailable`, and opened anew. */
  #inTurn<T>(work: (open: Open) => Read<T>): Read<T> {
    const turn = this.#turn.then(async () => {
      const open = await this.#opened();
      if (!open.ok) return away(open.failure);
      try {
        return await work(open.value);
      } catch (error) {
        this.#forget();
        return away(sayError(error));
      }
    });
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #opened(): Promise<Result<Open, string>> {
    const connection = await this.#link.use();
    if (!connection.ok) return connection;
    if (this.#open?.connection === connection.value) return ok(this.#open);
    const manager = await openStream(connection.value, this.#options);
    if (!manager.ok) return manager;
    this.#forget();
    const wakeUps = connection.value.subscribe(`${this.#options.stream}.>`, {
      callback: () => this.#wake(),
    });
    const open = { connection: connection.value, manager: manager.value, wakeUps };
    this.#open = open;
    return ok(open);
  }

  #forget(): void {
    this.#open?.wakeUps.unsubscribe();
    this.#open = undefined;
    this.#position = undefined;
    this.#given = [];
  }

  #wake(): void {
    const wakers = [...this.#wakers];
    this.#wakers.clear();
    for (const wake of wakers) wake();
  }

  /** A message in the stream, the time to look anyway, or the end of patience. */
  #nextWord(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#wakers.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, WAIT_LOOK_MS);
      this.#wakers.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  async #standAt({ connection, manager }: Open, after: number): Promise<Position> {
    const position = this.#position;
    if (position?.at === after) return position;
    const { stream, reader } = this.#options;
    this.#given = [];
    await manager.consumers.delete(stream, reader).catch(() => undefined);
    await manager.consumers.add(stream, {
      durable_name: reader,
      ack_policy: AckPolicy.All,
      ack_wait: nanos(READER_ACK_WAIT_MS),
      max_ack_pending: -1,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: after + 1,
    });
    const client = jetstream(connection, { timeout: REQUEST_TIMEOUT_MS });
    const consumer = await client.consumers.get(stream, reader);
    const fresh = { consumer, at: after };
    this.#position = fresh;
    return fresh;
  }
}

function itemOf({ seq, data }: Pick<JsMsg, 'seq' | 'data'>): FeedItem {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(data));
    const event = eventOf({ ...(value as object), controlVersion: seq });
    return event.ok
      ? { controlVersion: seq, event: event.value }
      : { controlVersion: seq, damaged: event.failure };
  } catch {
    return { controlVersion: seq, damaged: 'not JSON' };
  }
}

function away(message: string): Result<never, FeedFailure> {
  return fail({ code: 'unavailable', message });
}
