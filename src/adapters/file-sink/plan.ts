/**
 * What an append comes to if the disk takes it: a number for each event, and the lines to write. Pure.
 *
 * Rules: [FD-1] numbers rise by one; [FD-3] an event already there keeps its number and adds no line;
 * [FD-5] after a refused event its ordering key stops.
 */
import type { SinkFailure } from '../../../machines/model/failures.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import { LINE_BYTES_MAX } from '../../feed/limits.js';
import { encodeLine } from '../../feed/segments.js';
import type { FeedText } from '../../ports/store.js';

export interface AppendPlan {
  readonly results: readonly Result<{ controlVersion: number }, SinkFailure>[];
  readonly added: readonly { readonly eventId: string; readonly controlVersion: number }[];
  /** Index of the first event that needs writing. */
  readonly firstAdded: number;
  /** Lines, each with its line feed. */
  readonly text: string;
}

export function planAppend(
  events: readonly FeedText[],
  known: (eventId: string) => number | undefined,
  nextVersion: number,
): AppendPlan {
  const added = new Map<string, number>();
  const lines: string[] = [];
  const stopped = new Set<string>();
  let firstAdded = events.length;
  const results = events.map((event, index) => {
    const controlVersion = known(event.eventId) ?? added.get(event.eventId);
    if (controlVersion !== undefined) return ok({ controlVersion });
    const version = nextVersion + added.size;
    const line = encodeLine(event, version);
    const refusal = stopped.has(event.orderingKey) ? BEHIND : refusalOf(event, line);
    if (refusal !== undefined) {
      stopped.add(event.orderingKey);
      return fail({ code: 'content' as const, message: refusal });
    }
    firstAdded = Math.min(firstAdded, index);
    added.set(event.eventId, version);
    lines.push(`${line}\n`);
    return ok({ controlVersion: version });
  });
  return {
    results,
    added: [...added].map(([eventId, version]) => ({ eventId, controlVersion: version })),
    firstAdded,
    text: lines.join(''),
  };
}

/** Of one UTF-16 unit as UTF-8. */
const CHARACTER_BYTES_MAX = 3;

const BEHIND = 'behind a refused event of its ordering key';

function refusalOf(event: FeedText, line: string): string | undefined {
  if (event.eventId === '') return 'the event has no id';
  if (event.type === '') return 'the event has no type';
  if (line.length < LINE_BYTES_MAX / CHARACTER_BYTES_MAX) return undefined;
  const bytes = Buffer.byteLength(line) + 1;
  if (bytes <= LINE_BYTES_MAX) return undefined;
  return `the event takes ${bytes} bytes, the feed takes at most ${LINE_BYTES_MAX}`;
}
