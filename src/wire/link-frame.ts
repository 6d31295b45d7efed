/**
 * Frames of an established link between two threads, after the hellos, by the port they travel on.
 *
 * bulk
 *   envelopes      a batch of messages, and how many the sender has received on this link so far
 *   query answer   a view is read: by name, answered under the same id
 *   watch unwatch  an actor here wants to know, or no longer, of the end of one there; in order with
 *                  what it told it before
 *   store.request  a call of the store; answered by one or more `store.answer` under the same id
 * urgent
 *   credit         that count alone, when there is nothing to send
 *   reply          the answer to an ask; `to` is its envelope's `replyTo`
 *   down           the end of an actor that is watched, and why
 */
import type { Address } from '../../machines/model/ids.js';
import type { Json } from '../../machines/model/json.js';
import { ok, type Result } from '../../machines/model/result.js';
import type { Codec } from './codec.js';
import type { Envelope } from './envelope.js';
import { malformed, type WireFailure } from './failures.js';
import type { Lane } from './hello.js';
import {
  type Check,
  isAddress,
  isCount,
  isFlag,
  isJson,
  isName,
  isObject,
  listOf,
  oneOf,
  record,
} from './shape.js';
import { isStoreMethod, type StoreMethod } from './store-call.js';

export interface EnvelopesFrame {
  readonly type: 'envelopes';
  readonly received: number;
  readonly items: readonly Envelope[];
}

export interface StoreRequestFrame {
  readonly type: 'store.request';
  readonly id: number;
  readonly method: StoreMethod;
  readonly args: readonly Json[];
}

export interface StoreAnswerFrame {
  readonly type: 'store.answer';
  readonly id: number;
  readonly result: Json;
  /** More parts of a long list follow; they are joined in order. */
  readonly more: boolean;
}

/** Why an actor that was watched takes no messages any more. A crash is none: it comes back. */
export const DOWN_REASONS = [
  'forgotten',
  'off-duty',
  'quarantined',
  'no-actor',
  'thread-lost',
  'stopping',
  'refused',
] as const;

export type WatchFrame =
  | { readonly type: 'watch'; readonly target: Address; readonly watcher: Address }
  | { readonly type: 'unwatch'; readonly target: Address; readonly watcher: Address }
  | {
      readonly type: 'down';
      readonly target: Address;
      readonly watcher: Address;
      /** Of the thread it lived in. */
      readonly incarnation: number;
      readonly reason: (typeof DOWN_REASONS)[number];
    };

export type LinkFrame =
  | EnvelopesFrame
  | WatchFrame
  | { readonly type: 'credit'; readonly received: number }
  | { readonly type: 'reply'; readonly to: string; readonly body: Json }
  | { readonly type: 'query'; readonly id: number; readonly name: string; readonly args: Json }
  | { readonly type: 'answer'; readonly id: number; readonly body: Json }
  | StoreRequestFrame
  | StoreAnswerFrame;

/** Of all but batches, whose reader checks them. */
type FrameChecks = {
  readonly [T in Exclude<LinkFrame['type'], 'envelopes'>]: Check<
    Omit<LinkFrame & { type: T }, 'type'>
  >;
};

const CHECKS: FrameChecks = {
  credit: record({ received: isCount }),
  watch: record({ target: isAddress, watcher: isAddress }),
  unwatch: record({ target: isAddress, watcher: isAddress }),
  down: record({
    target: isAddress,
    watcher: isAddress,
    incarnation: isCount,
    reason: oneOf(...DOWN_REASONS),
  }),
  reply: record({ to: isName, body: isJson }),
  query: record({ id: isCount, name: isName, args: isJson }),
  answer: record({ id: isCount, body: isJson }),
  'store.request': record({ id: isCount, method: isStoreMethod, args: listOf(isJson) }),
  'store.answer': record({ id: isCount, result: isJson, more: isFlag }),
};

/**
 * What somebody waits for (an answer, credit) or must know at once (an end). None of it is subject to
 * credit, and each is bounded by what caused it.
 */
const URGENT: ReadonlySet<LinkFrame['type']> = new Set(['credit', 'reply', 'down'] as const);

export function laneOf(frame: LinkFrame): Lane {
  return URGENT.has(frame.type) ? 'urgent' : 'bulk';
}

/** A batch that was encoded has to be posted, or its codec's writer be told otherwise. */
export function encodeFrame(codec: Codec, frame: LinkFrame): Result<string, WireFailure> {
  if (frame.type !== 'envelopes') return codec.encode(frame);
  const encoded = codec.encode(codec.writer.write(frame.items, frame.received));
  if (!encoded.ok) codec.writer.forget();
  return encoded;
}

export function decodeFrame(codec: Codec, bytes: unknown): Result<LinkFrame, WireFailure> {
  const decoded = codec.decode(bytes);
  if (!decoded.ok) return decoded;
  const { value } = decoded;
  const type = isObject(value) ? value['type'] : undefined;
  if (type === 'envelopes') {
    const batch = codec.reader.read(value);
    return batch === undefined ? malformed('no batch of envelopes') : ok(batch);
  }
  return isLinkFrame(value, type) ? ok(value) : malformed('no frame of a link');
}

function isLinkFrame(value: unknown, type: unknown): value is LinkFrame {
  return typeof type === 'string' && Object.hasOwn(CHECKS, type)
    ? CHECKS[type as keyof FrameChecks](value)
    : false;
}
