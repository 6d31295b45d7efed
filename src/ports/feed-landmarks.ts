/**
 * Where a reader of a feed has been: a few events with the numbers they had, near ones close together and
 * far ones far apart. A feed that lost its end, or was made anew, has other events at those numbers, or none;
 * the newest landmark that still stands is where it is read again from.
 *
 * Rule: [FA-7] what a feed no longer has, or has otherwise, is noticed however far it has grown since.
 */
import type { FeedFailure } from '../../machines/model/failures.js';
import { ok, type Result } from '../../machines/model/result.js';
import type { FeedSource } from './feed-source.js';
import type { Landmark } from './feed-target.js';

/** Newest first; each is at least twice as far away as the one before it, but for the first of all. */
export function withLandmark(marks: readonly Landmark[], mark: Landmark): readonly Landmark[] {
  const kept = [mark];
  let least = 1;
  for (const [index, older] of marks.entries()) {
    const distance = mark.controlVersion - older.controlVersion;
    if (distance < least && index < marks.length - 1) continue;
    kept.push(older);
    least = distance * 2;
  }
  return kept;
}

/**
 * The cursor from which the feed goes on as it was; 0: nothing of it is as it was. When the newest landmark does
 * not stand, one counts only when all that are older do: in a feed that was made anew an event may lie
 * where it lay by chance.
 */
export async function commonGround(
  source: Pick<FeedSource, 'at' | 'head'>,
  marks: readonly Landmark[],
): Promise<Result<number, FeedFailure>> {
  const head = await source.head();
  if (!head.ok) return head;
  const stands = async ({ controlVersion, eventId }: Landmark) => {
    if (controlVersion > head.value) return ok(false);
    const found = await source.at(controlVersion);
    if (!found.ok) return found;
    // What retention took away, or nobody can read, says nothing against it.
    const isUnknown = found.value === undefined || 'damaged' in found.value;
    return ok(isUnknown || found.value.event.eventId === eventId);
  };
  const [newest] = marks;
  const first = newest === undefined ? ok(false) : await stands(newest);
  if (!first.ok) return first;
  if (first.value) return ok(newest?.controlVersion ?? 0);
  let ground = 0;
  for (const mark of marks.slice(1).reverse()) {
    const stood = await stands(mark);
    if (!stood.ok) return stood;
    if (!stood.value) break;
    ground = mark.controlVersion;
  }
  return ok(ground);
}
