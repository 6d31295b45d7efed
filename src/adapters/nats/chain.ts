/**
 * What an append sends, and what each message says about the one it must follow. Pure.
 *
 * Rules: [FD-5] after an event that cannot be sent its ordering key stops; [NA-1] the first message of a
 * subject names its predecessor there, the ones behind it the event before them.
 */
import type { SinkFailure } from '../../../machines/model/failures.js';
import { fail, type Result } from '../../../machines/model/result.js';
import type { FeedText } from '../../ports/store.js';
import { HEADER_BYTES } from './limits.js';

export type Appended = Result<{ controlVersion: number }, SinkFailure>;

/** An event on its way; `outcome` is set once it is known. */
export interface Letter {
  readonly event: FeedText;
  readonly subject: string;
  readonly bytes: Uint8Array;
  outcome: Appended | undefined;
}

export interface Expectation {
  readonly lastSubjectSequence?: number;
  readonly lastMsgID?: string;
}

const NOTHING = new Uint8Array();
const encoder = new TextEncoder();

export function lettersOf(
  events: readonly FeedText[],
  subjectOf: (event: FeedText) => string,
  bytesMax: number,
): readonly Letter[] {
  const stopped = new Set<string>();
  return events.map((event): Letter => {
    const bytes = encoder.encode(event.text);
    const key = event.orderingKey;
    const problem = stopped.has(key) ? BEHIND : problemOf(event, bytes.length, bytesMax);
    if (problem === undefined) {
      return { event, subject: subjectOf(event), bytes, outcome: undefined };
    }
    stopped.add(key);
    const outcome = fail({ code: 'content' as const, message: problem });
    return { event, subject: '', bytes: NOTHING, outcome };
  });
}

const BEHIND = 'behind a refused event of its ordering key';

function problemOf(
  { eventId, type }: FeedText,
  bytes: number,
  bytesMax: number,
): string | undefined {
  if (eventId === '') return 'the event has no id';
  if (type === '') return 'the event has no type';
  if (bytes + HEADER_BYTES <= bytesMax) return undefined;
  return `the event takes ${bytes} bytes, the server takes at most ${bytesMax - HEADER_BYTES}`;
}

/** For letters sent at once, in this order. `last`: the message each subject ends with. */
export function chainOf(
  letters: readonly Letter[],
  last: ReadonlyMap<string, number>,
): readonly Expectation[] {
  const begun = new Set<string>();
  return letters.map(({ subject }, index): Expectation => {
    const before = letters[index - 1];
    const linked = before === undefined ? {} : { lastMsgID: before.event.eventId };
    if (begun.has(subject)) return linked;
    begun.add(subject);
    return { ...linked, lastSubjectSequence: last.get(subject) ?? 0 };
  });
}
