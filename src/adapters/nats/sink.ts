/**
 * The `nats` sink: events into a JetStream stream, in order, each acknowledged by the server.
 *
 * A whole append is under way at once. The first event of a subject says which message it must follow
 * there; every later one says that the very last message of the stream must be the event before it. So
 * whatever comes in between, from another writer or by a loss of ours, stops all that is behind it, and
 * the rest is sent again from there. An event that the stream has already (same id) keeps its number.
 *
 * Who wrote last on a subject is asked when it is not known: another writer of the same or a newer epoch
 * owns it, and nothing of ours gets in. One that came after us fences us off, until `resume` looks again.
 * A broker that lost its end is no other writer.
 *
 * Rules: [FD-1] numbers are positive and rise; [FD-3] an id has one number; [FD-5] nothing of a key
 * overtakes a refused event; [FD-9] [NA-1] a subject has
 * one writer: an older epoch gets nothing in.
 */
import type { JetStreamManager } from '@nats-io/jetstream';
import { headers, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';
import type { SinkFailure } from '../../../machines/model/failures.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { Sink } from '../../ports/sink.js';
import type { FeedText } from '../../ports/store.js';
import { type Ack, type Acks, createAcks } from './acks.js';
import { putArtifact } from './artifacts.js';
import { type Appended, chainOf, type Expectation, type Letter, lettersOf } from './chain.js';
import { IDLE_ROUNDS_MAX, IN_FLIGHT_BYTES_MAX, IN_FLIGHT_MAX } from './limits.js';
import { createNatsLink, type NatsAccess, sayError } from './link.js';
import { openStream, type StreamSpec } from './stream.js';

export interface NatsSinkOptions extends NatsAccess, StreamSpec {
  /** Names the data directory we write from: tells us from a namesake. */
  readonly writer: string;
  subjectOf(event: FeedText): string;
}

interface Open {
  readonly acks: Acks;
  readonly manager: JetStreamManager;
  readonly bytesMax: number;
}

/** What an answer of the server means for what was sent. */
type Answer =
  | { readonly kind: 'stored'; readonly seq: number }
  /** Something else came before it. */
  | { readonly kind: 'behind' }
  | { readonly kind: 'content' | 'away'; readonly message: string };

const WRITER = 'Switchyard-Writer';
const EPOCH = 'Switchyard-Epoch';

/** Server's error codes: the expected last sequence, or last id, is not what it has. */
const WRONG_LAST: readonly number[] = [10_070, 10_071];
const TOO_LARGE = 10_054;

export function openNatsSink(options: NatsSinkOptions): Sink {
  const sink = new NatsSink(options);
  return {
    resume: () => sink.resume(),
    append: (events) => sink.append(events),
    putArtifact: (ref, bytes) => sink.putArtifact(ref, bytes),
    close: () => sink.close(),
  };
}

class NatsSink {
  readonly #options: NatsSinkOptions;
  readonly #link;
  /** Last message of each subject, when it is known to be ours to follow. */
  readonly #last = new Map<string, number>();
  /** Subjects we have written to: whoever else does now came after us. */
  readonly #ours = new Set<string>();
  #fenced: string | undefined;
  #open: { readonly connection: unknown; readonly open: Open } | undefined;
  #acks: { readonly connection: NatsConnection; readonly acks: Acks } | undefined;
  /** Calls take turns. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: NatsSinkOptions) {
    this.#options = options;
    this.#link = createNatsLink(options);
  }

  resume(): Promise<Result<{ readonly head: number }, SinkFailure>> {
    return this.#inTurn(() => this.#resume());
  }

  append(events: readonly FeedText[]): Promise<readonly Appended[]> {
    return this.#inTurn(() => this.#append(events));
  }

  putArtifact(ref: string, bytes: Uint8Array): Promise<Result<void, SinkFailure>> {
    return this.#inTurn(async () => {
      const connection = await this.#link.use();
      if (!connection.ok) return away(connection.failure);
      const put = await putArtifact(connection.value, this.#options, { ref, bytes });
      return put.ok ? put : away(put.failure);
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Looks anew at who wrote last, before the next append. */
  async #resume(): Promise<Result<{ readonly head: number }, SinkFailure>> {
    const opened = await this.#opened();
    if (!opened.ok) return away(opened.failure);
    try {
      const { state } = await opened.value.manager.streams.info(this.#options.stream);
      this.#last.clear();
      this.#ours.clear();
      this.#fenced = undefined;
      return ok({ head: state.last_seq });
    } catch (error) {
      this.#open = undefined;
      return away(sayError(error));
    }
  }

  async close(): Promise<void> {
    await this.#turn;
    await this.#link.close();
  }

  async #append(events: readonly FeedText[]): Promise<readonly Appended[]> {
    if (events.length === 0) return [];
    const barred = this.#fenced;
    if (barred !== undefined) return events.map(() => fencedOff(barred));
    const opened = await this.#opened();
    if (!opened.ok) return events.map(() => away(opened.failure));
    const letters = lettersOf(events, this.#options.subjectOf, opened.value.bytesMax);
    await this.#deliver(opened.value, letters);
    return letters.map(({ outcome }) => outcome ?? away('the server gave no answer'));
  }

  async #opened(): Promise<Result<Open, string>> {
    const connection = await this.#link.use();
    if (!connection.ok) return connection;
    if (this.#open?.connection === connection.value) return ok(this.#open.open);
    const manager = await openStream(connection.value, this.#options);
    if (!manager.ok) return manager;
    const open: Open = {
      acks: this.#acksOn(connection.value),
      manager: manager.value,
      bytesMax: connection.value.info?.max_payload ?? 1_048_576,
    };
    this.#last.clear();
    this.#open = { connection: connection.value, open };
    return ok(open);
  }

  /** Answers of one connection come to one place, however often the stream is opened anew on it. */
  #acksOn(connection: NatsConnection): Acks {
    if (this.#acks?.connection !== connection) {
      this.#acks?.acks.close();
      this.#acks = { connection, acks: createAcks(connection) };
    }
    return this.#acks.acks;
  }

  /** Sends until every letter has its outcome. */
  async #deliver(open: Open, letters: readonly Letter[]): Promise<void> {
    for (let idle = 0; idle < IDLE_ROUNDS_MAX; ) {
      const waiting = letters.filter(({ outcome }) => outcome === undefined);
      if (waiting.length === 0) return;
      const some = firstOf(waiting);
      const failure = (await this.#claim(open, some)) ?? (await this.#send(open, some));
      if (failure !== undefined) return this.#giveUp(waiting, failure);
      idle = some.some(({ outcome }) => outcome !== undefined) ? 0 : idle + 1;
    }
    this.#giveUp(
      letters.filter(({ outcome }) => outcome === undefined),
      `others write to the stream ${this.#options.stream} faster than we can follow`,
    );
  }

  /** What is behind the first that failed fails too, and where subjects stand is asked anew. */
  #giveUp(letters: readonly Letter[], message: string): void {
    this.#last.clear();
    for (const letter of letters) {
      letter.outcome ??= this.#fenced === undefined ? away(message) : fencedOff(message);
    }
  }

  /** Makes sure that every subject is ours; the answer says why one is not. */
  async #claim({ manager }: Open, letters: readonly Letter[]): Promise<string | undefined> {
    for (const { subject, event } of letters) {
      if (this.#last.has(subject)) continue;
      try {
        const query = { last_by_subj: subject };
        const last = await manager.streams.getMessage(this.#options.stream, query);
        const epoch = Number(last?.header.get(EPOCH) ?? 0);
        const foreign = last !== null && last.header.get(WRITER) !== this.#options.writer;
        if (foreign && (epoch >= event.epoch || this.#ours.has(subject))) {
          this.#fenced = `${subject} belongs to another writer of epoch ${epoch}, ours is ${event.epoch}`;
          return this.#fenced;
        }
        this.#last.set(subject, last?.seq ?? 0);
        this.#ours.add(subject);
      } catch (error) {
        this.#open = undefined;
        return sayError(error);
      }
    }
    return undefined;
  }

  /** Sends these at once; the answer says why the server is away. */
  async #send(open: Open, letters: readonly Letter[]): Promise<string | undefined> {
    const expected = chainOf(letters, this.#last);
    const acks = await open.acks.publish(
      letters.map(({ event, subject, bytes }, index) => {
        return { subject, bytes, headers: this.#headersOf(event, expected[index]) };
      }),
    );
    for (const [index, ack] of acks.entries()) {
      const answer = answerOf(ack);
      const letter = letters[index];
      if (letter === undefined) continue;
      if (answer.kind === 'away') {
        this.#open = undefined;
        return answer.message;
      }
      if (answer.kind === 'behind') {
        // Its predecessor on the subject is not what we believe: the next round asks.
        if (expected[index]?.lastSubjectSequence !== undefined) this.#last.delete(letter.subject);
        return undefined;
      }
      this.#settle(letters, index, answer);
      if (answer.kind === 'content') return undefined;
    }
    return undefined;
  }

  #settle(letters: readonly Letter[], index: number, answer: Answer): void {
    const letter = letters[index];
    if (letter === undefined) return;
    if (answer.kind === 'stored') {
      letter.outcome = ok({ controlVersion: answer.seq });
      this.#last.set(letter.subject, Math.max(answer.seq, this.#last.get(letter.subject) ?? 0));
    } else if (answer.kind === 'content') {
      const key = letter.event.orderingKey;
      for (const other of letters.slice(index)) {
        if (other.event.orderingKey === key) other.outcome = refused(answer.message);
      }
    }
  }

  #headersOf({ eventId, epoch }: FeedText, expect: Expectation | undefined): MsgHdrs {
    const head = headers();
    head.set('Nats-Msg-Id', eventId);
    head.set(WRITER, this.#options.writer);
    head.set(EPOCH, String(epoch));
    const { lastMsgID, lastSubjectSequence } = expect ?? {};
    if (lastMsgID !== undefined) head.set('Nats-Expected-Last-Msg-Id', lastMsgID);
    if (lastSubjectSequence !== undefined) {
      head.set('Nats-Expected-Last-Subject-Sequence', String(lastSubjectSequence));
    }
    return head;
  }
}

/** As many as may be under way. */
function firstOf(letters: readonly Letter[]): readonly Letter[] {
  let bytes = 0;
  const end = letters.findIndex((letter, index) => {
    bytes += letter.bytes.length;
    return index === IN_FLIGHT_MAX || (index > 0 && bytes > IN_FLIGHT_BYTES_MAX);
  });
  return end < 0 ? letters : letters.slice(0, end);
}

function answerOf(ack: Ack): Answer {
  if (ack.kind !== 'refused') return ack;
  if (WRONG_LAST.includes(ack.code)) return { kind: 'behind' };
  return { kind: ack.code === TOO_LARGE ? 'content' : 'away', message: ack.message };
}

function away(message: string): Result<never, SinkFailure> {
  return fail({ code: 'unavailable', message });
}

function fencedOff(message: string): Result<never, SinkFailure> {
  return fail({ code: 'fenced', message });
}

function refused(message: string): Result<never, SinkFailure> {
  return fail({ code: 'content', message });
}
