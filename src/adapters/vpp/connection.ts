/**
 * One connection to VPP's API socket: requests go out in a bounded window, answers come back by
 * context.
 *
 * Input: calls (one request, one answer) and dumps (a request and a ping; the ping's answer says that
 * the dump is complete). Output: decoded answers, or why there is none. The records of a dump are
 * given to whoever asked, as they lie in the stream: there may be a million of them.
 *
 * [VP-6] An answer belongs to the request whose context it echoes; others are counted and dropped.
 * [VP-7] VPP stays silent about what it does not like. No answer in time, or one that cannot be
 * right, closes the connection: everything pending fails and `onLost` is called once.
 * [VP-8] At most `window` exchanges are in flight and `queueMax` wait, first come first served.
 */
import { createConnection, type Socket } from 'node:net';
import type { LbFailure } from '../../../machines/model/failures.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { Cancel, Clock } from '../../ports/clock.js';
import type { Metrics } from '../../ports/metrics.js';
import { decode, encode, misfitOf, offsetOf } from './codec.js';
import { frame, Reassembler, type TakeMessage } from './framing.js';
import { limits } from './limits.js';
import { HANDSHAKE, type MessageIds } from './message-ids.js';
import {
  type BodyOf,
  type CallName,
  DETAILS_OF,
  type DumpName,
  type FieldsOf,
  keyOf,
  MESSAGE_NAMES,
  type MessageName,
  REPLY_OF,
  type SendableName,
} from './messages.js';
import { explainSocketError, unreachableFailure } from './socket-path.js';

export interface ConnectionOptions {
  readonly path: string;
  readonly requestTimeoutMs: number;
  readonly window: number;
  readonly clock: Clock;
  readonly metrics: Metrics | undefined;
  /** Not called for `close`. */
  readonly onLost: (reason: string) => void;
}

/** One request of an exchange, and what takes the messages that echo its context. */
interface Leg {
  readonly request: SendableName;
  readonly body: Readonly<Record<string, unknown>>;
  readonly reply: MessageName;
  /** One message that echoes the context of this request. */
  readonly take: TakeMessage;
  /** That message is all there is to wait for. */
  readonly ends: boolean;
}

interface Exchange {
  readonly legs: readonly Leg[];
  readonly name: SendableName;
  readonly contexts: readonly number[];
  /** All its frames, in order. */
  readonly bytes: Buffer;
  readonly settle: (failure: LbFailure | undefined) => void;
  sentAtMs: number;
  cancelTimeout: Cancel;
}

interface Pending {
  readonly exchange: Exchange;
  readonly leg: Leg;
}

const PING_REPLY = 'control_ping_reply';

const decodePing: TakeMessage = (bytes, start, end) => {
  const decoded = decode(PING_REPLY, bytes.subarray(start, end));
  return decoded.ok ? undefined : decoded.failure;
};

/** Where each message has its context. */
const CONTEXT_AT = Object.fromEntries(
  MESSAGE_NAMES.map((name) => [name, offsetOf(name, 'context')]),
) as Readonly<Record<MessageName, number>>;

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #socket: Socket;
  readonly #stream = new Reassembler();
  readonly #pending = new Map<number, Pending>();
  readonly #active = new Set<Exchange>();
  readonly #queue: Exchange[] = [];
  #ids: MessageIds = HANDSHAKE;
  #clientIndex = 0;
  #context = 0;
  /** Of all dumps so far. */
  #records = 0;
  #closedBecause: string | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#socket = createConnection(options.path);
    this.#socket.on('data', (piece) => this.#receive(piece));
    this.#socket.on('error', (error) => this.#lose(explainSocketError(error)));
    this.#socket.on('close', () => this.#lose('VPP closed the connection'));
  }

  /** What the handshake agreed on: the ids of this VPP, and the handle to send with each request. */
  register(ids: MessageIds, clientIndex: number): void {
    this.#ids = ids;
    this.#clientIndex = clientIndex;
  }

  async call<N extends CallName>(
    request: N,
    body: BodyOf<N>,
  ): Promise<Result<FieldsOf<(typeof REPLY_OF)[N]>, LbFailure>> {
    const reply = REPLY_OF[request];
    let answer: unknown;
    const take: TakeMessage = (bytes, start, end) => {
      const decoded = decode(reply, bytes.subarray(start, end));
      if (!decoded.ok) return decoded.failure;
      answer = decoded.value;
      return undefined;
    };
    const failure = await this.#exchange([{ request, body, reply, take, ends: true }]);
    return failure ? fail(failure) : ok(answer as FieldsOf<(typeof REPLY_OF)[N]>);
  }

  /** Each record is whole, and of the size its table says. */
  async dump<N extends DumpName>(
    request: N,
    body: BodyOf<N>,
    take: TakeMessage,
  ): Promise<Result<void, LbFailure>> {
    let left = limits.dumpRecordsMax;
    const takeRecord: TakeMessage = (bytes, start, end) => {
      left -= 1;
      return left < 0 ? `${request} does not end` : take(bytes, start, end);
    };
    const failure = await this.#exchange([
      { request, body, reply: DETAILS_OF[request], take: takeRecord, ends: false },
      { request: 'control_ping', body: {}, reply: PING_REPLY, take: decodePing, ends: true },
    ]);
    return failure ? fail(failure) : ok(undefined);
  }

  close(): void {
    this.#end('the connection was closed here');
  }

  #exchange(legs: readonly [Leg, ...Leg[]]): Promise<LbFailure | undefined> {
    return new Promise((settle) => {
      if (this.#closedBecause !== undefined) {
        settle(unreachableFailure(this.#options.path, this.#closedBecause));
        return;
      }
      const unknown = legs.map((leg) => leg.request).find((name) => !this.#ids.idOf.has(name));
      if (unknown !== undefined) {
        settle({ code: 'LB_INCOMPATIBLE', message: `this VPP has no ${keyOf(unknown)}` });
        return;
      }
      if (this.#queue.length >= limits.queueMax) {
        const message = `not sent: ${limits.queueMax} requests are waiting already`;
        settle({ code: 'LB_INVALID_REQUEST', message });
        return;
      }
      this.#queue.push(this.#prepare(legs, settle));
      this.#sendWaiting();
    });
  }

  /** Encoded at once, so that a value that cannot be encoded is the caller's crash. */
  #prepare(legs: readonly [Leg, ...Leg[]], settle: Exchange['settle']): Exchange {
    const contexts = legs.map(() => this.#nextContext());
    const bytes = Buffer.concat(legs.map((leg, nth) => this.#frameOf(leg, contexts[nth] ?? 0)));
    const [{ request: name }] = legs;
    const unsent = { sentAtMs: 0, cancelTimeout: () => {} };
    return { legs, name, contexts, bytes, settle, ...unsent };
  }

  #sendWaiting(): void {
    while (this.#active.size < this.#options.window) {
      const exchange = this.#queue.shift();
      if (exchange === undefined) return;
      this.#send(exchange);
    }
  }

  #send(exchange: Exchange): void {
    exchange.sentAtMs = this.#options.clock.monotonic();
    this.#active.add(exchange);
    for (const [nth, leg] of exchange.legs.entries()) {
      this.#pending.set(exchange.contexts[nth] ?? 0, { exchange, leg });
    }
    this.#socket.write(exchange.bytes);
    this.#watch(exchange);
  }

  #frameOf({ request, body }: Leg, context: number): Buffer {
    const id = this.#ids.idOf.get(request) ?? 0;
    const fields = { ...body, client_index: this.#clientIndex, context };
    return frame(encode(request, id, fields as unknown as FieldsOf<SendableName>));
  }

  /** Comes around after 2^32 requests; far fewer are ever outstanding. */
  #nextContext(): number {
    this.#context = (this.#context + 1) >>> 0;
    return this.#context;
  }

  /**
   * VPP answers in order, so while a dump keeps coming nobody behind it is late. That ends: a dump is
   * bounded by its number of records. If it was us who were late, the answer waits in the socket:
   * it is read before we judge.
   */
  #watch(exchange: Exchange): void {
    const { clock, requestTimeoutMs } = this.#options;
    const seen = this.#records;
    const judge = () => {
      if (!this.#active.has(exchange)) return;
      if (this.#records > seen) this.#watch(exchange);
      else this.#timeOut(exchange);
    };
    exchange.cancelTimeout = clock.after(requestTimeoutMs, () => clock.soon(judge));
  }

  #timeOut(exchange: Exchange): void {
    const reason = `no answer to ${exchange.name} in ${this.#options.requestTimeoutMs} ms`;
    this.#finish(exchange, {
      code: 'LB_TIMEOUT',
      message: `VPP at ${this.#options.path}: ${reason}`,
    });
    this.#lose(reason);
  }

  #receive(piece: Buffer): void {
    if (this.#closedBecause !== undefined) return;
    const doubt = this.#stream.push(piece, this.#dispatch);
    if (doubt === undefined) this.#sendWaiting();
    else this.#lose(`not the API of VPP: ${doubt}`);
  }

  /** A sentence when this message makes the whole connection doubtful. */
  readonly #dispatch: TakeMessage = (bytes, start, end) => {
    if (end - start < 2) return 'a message without an id';
    const name = this.#ids.nameOf.get(bytes.readUInt16BE(start));
    if (name === undefined) return this.#drop('unknown');
    const misfit = misfitOf(name, end - start);
    if (misfit !== undefined) return misfit;
    const pending = this.#pending.get(bytes.readUInt32BE(start + CONTEXT_AT[name]));
    if (pending === undefined) return this.#drop(name);
    const { exchange, leg } = pending;
    if (leg.reply !== name) return `${name} came for ${leg.request}`;
    const doubt = leg.take(bytes, start, end);
    if (doubt !== undefined) return doubt;
    if (leg.ends) this.#finish(exchange, undefined);
    else this.#records += 1;
    return undefined;
  };

  #drop(name: string): undefined {
    this.#options.metrics?.count('vpp_api_total', { msg: name, result: 'dropped' });
  }

  #finish(exchange: Exchange, failure: LbFailure | undefined): void {
    exchange.cancelTimeout();
    for (const context of exchange.contexts) this.#pending.delete(context);
    this.#active.delete(exchange);
    const { metrics, clock } = this.#options;
    metrics?.count('vpp_api_total', { msg: exchange.name, result: failure?.code ?? 'answered' });
    const tookMs = clock.monotonic() - exchange.sentAtMs;
    metrics?.observe('vpp_api_duration_seconds', tookMs / 1000, { msg: exchange.name });
    exchange.settle(failure);
  }

  #lose(reason: string): void {
    if (this.#end(reason)) this.#options.onLost(reason);
  }

  /** Whether it was open until now. */
  #end(reason: string): boolean {
    if (this.#closedBecause !== undefined) return false;
    this.#closedBecause = reason;
    this.#socket.destroy();
    const failure = unreachableFailure(this.#options.path, reason);
    for (const exchange of this.#active) this.#finish(exchange, failure);
    for (const exchange of this.#queue.splice(0)) exchange.settle(failure);
    return true;
  }
}
