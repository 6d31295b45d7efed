/**
 * The outbox's order and patience, pure: which rows may be sent now, and what a sink's answers mean.
 *
 * Rows of one ordering key form a lane. A row that the sink refuses for its content blocks its lane,
 * and only that, for a while; refused too often it is dead: a tombstone with its aggregate version
 * takes its place in the feed and the lane goes on. A sink that is down condemns nothing.
 *
 * Rules: [OB-1] rows of a lane are sent in order, each when the one before is done; [OB-2] a refusal
 * blocks its own lane only, longer each time; [OB-3] a sink that is down burns no attempt; [OB-4] after
 * `maxAttempts` refusals a row is dead and its lane goes on behind a tombstone.
 */
import type { RetrySpec } from '../machines/model/desired.js';
import type { SinkFailure } from '../machines/model/failures.js';
import type { Result } from '../machines/model/result.js';
import { backoffMs } from '../src/policy/backoff.js';
import type { FeedEvent, OutboxOutcome, PendingRow } from '../src/ports/store.js';

/** A blocked lane: where it goes on, and when. */
export interface Lane {
  readonly headSeq: number;
  /** Monotonic. */
  readonly dueAtMs: number;
}

export type Lanes = ReadonlyMap<string, Lane>;

export interface Refused {
  readonly row: PendingRow;
  readonly error: string;
}

/** What a sink's answers to some rows come to. */
export interface Judgement {
  /** Published rows, and refused ones that stay. */
  readonly outcomes: readonly OutboxOutcome[];
  /** Refused for the last time. */
  readonly dead: readonly Refused[];
  /** Lanes newly blocked. */
  readonly blocked: ReadonlyMap<string, Lane>;
  /** Set when the sink went down under way: why. */
  readonly sinkDown?: string;
  /** First row that has to be sent again although its lane is free; absent: none. */
  readonly resendFromSeq?: number;
}

/** What a refused lane waits: 1 s, doubling to 60 s. */
export const LANE_RETRY: RetrySpec = { baseMs: 1_000, maxMs: 60_000, attempts: 8, jitter: 0 };

/** Bytes of an error text kept with its row. */
export const ERROR_BYTES_MAX = 200;

export function isBlocked(lanes: Lanes, row: PendingRow): boolean {
  return lanes.has(row.event.orderingKey);
}

/** Lanes whose wait is over. */
export function dueLanes(lanes: Lanes, nowMs: number): readonly (readonly [string, Lane])[] {
  return [...lanes].filter(([, { dueAtMs }]) => dueAtMs <= nowMs);
}

/** `results` in the order of `rows`, as far as the sink answered. */
export function judge(
  rows: readonly PendingRow[],
  results: readonly Result<{ readonly controlVersion: number }, SinkFailure>[],
  rule: { readonly maxAttempts: number; readonly nowMs: number },
): Judgement {
  const outcomes: OutboxOutcome[] = [];
  const dead: Refused[] = [];
  const blocked = new Map<string, Lane>();
  const stopped = new Set<string>();
  const resend: number[] = [];
  let sinkDown: string | undefined;

  for (const [index, row] of rows.entries()) {
    const { seq, event, attempts } = row;
    const answer = answerOf(results[index]);
    if (answer.kind === 'down') {
      sinkDown ??= answer.message;
      resend.push(seq);
    } else if (answer.kind === 'published') {
      outcomes.push({ seq, controlVersion: answer.controlVersion });
    } else if (stopped.has(event.orderingKey)) {
      // Held back, not judged. In a blocked lane it waits with the row before it.
      if (!blocked.has(event.orderingKey)) resend.push(seq);
    } else {
      stopped.add(event.orderingKey);
      const error = cutToBytes(answer.message, ERROR_BYTES_MAX);
      if (attempts + 1 >= rule.maxAttempts) dead.push({ row, error });
      else {
        outcomes.push({ seq, error });
        const dueAtMs = rule.nowMs + backoffMs(LANE_RETRY, attempts + 1, 0);
        blocked.set(event.orderingKey, { headSeq: seq, dueAtMs });
      }
    }
  }
  return {
    outcomes,
    dead,
    blocked,
    ...(sinkDown === undefined ? {} : { sinkDown }),
    ...(resend.length === 0 ? {} : { resendFromSeq: Math.min(...resend) }),
  };
}

/**
 * What the feed gets in the place of a dead event: its aggregate version, so that nothing is missing,
 * and its id, so that somebody may ask. Made of the event alone: published again it is the same.
 */
export function tombstoneOf(event: FeedEvent): FeedEvent {
  const { artifactRef: _ref, checksum: _checksum, ...rest } = event;
  return {
    ...rest,
    eventId: `${event.eventId}.tombstone`,
    type: 'event.buried',
    schema: 1,
    data: { eventId: event.eventId, type: event.type },
  };
}

type Answer =
  | { readonly kind: 'published'; readonly controlVersion: number }
  | { readonly kind: 'refused' | 'down'; readonly message: string };

/** A number that is none is the sink's refusal to say where the event is. */
function answerOf(
  result: Result<{ readonly controlVersion: number }, SinkFailure> | undefined,
): Answer {
  if (result === undefined) return { kind: 'down', message: 'the sink gave no answer' };
  if (!result.ok) {
    const { code, message } = result.failure;
    return { kind: code === 'content' ? 'refused' : 'down', message };
  }
  const { controlVersion } = result.value;
  if (controlVersion > 0) return { kind: 'published', controlVersion };
  return { kind: 'refused', message: `the sink gave it the control version ${controlVersion}` };
}

/** The longest start of `text` that takes at most `bytes` in UTF-8 and splits no character. */
function cutToBytes(text: string, bytes: number): string {
  const encoded = Buffer.from(text);
  if (encoded.length <= bytes) return text;
  let end = bytes;
  while (((encoded[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return encoded.subarray(0, end).toString('utf8');
}
