/** The layout `segments`: JSON lines in segments, one write and one fsync a call. */
import type { SinkFailure } from '../../../machines/model/failures.js';
import { ok, type Result } from '../../../machines/model/result.js';
import type { Log } from '../../ports/log.js';
import { type Layout, undone } from './layout.js';
import { planAppend } from './plan.js';
import { prime } from './prime.js';
import { createSegmentWriter } from './segment-writer.js';

export interface SegmentsOptions {
  readonly dir: string;
  readonly log: Log;
  /** A segment that has reached this is closed. */
  readonly segmentBytes?: number;
}

/** Rejects with the system's error. */
export async function openSegments(options: SegmentsOptions): Promise<Result<Layout, SinkFailure>> {
  const primed = await prime(options.dir, options.log);
  if (!primed.ok) return primed;
  const { position, recent } = primed.value;
  let { nextVersion } = primed.value;
  const writer = createSegmentWriter(options.dir, position, options.segmentBytes);
  // An event of an earlier run is answered from memory: it must be on disk before it is.
  await writer.prepare();
  return ok({
    get head() {
      return nextVersion - 1;
    },
    isOurs: writer.isOurs,
    append: async (events) => {
      const plan = planAppend(events, (eventId) => recent.get(eventId), nextVersion);
      if (plan.added.length === 0) return plan.results;
      try {
        await writer.write(Buffer.from(plan.text), nextVersion);
      } catch (error) {
        return undone(plan.results, plan.firstAdded, error);
      }
      for (const { eventId, controlVersion } of plan.added) recent.add(eventId, controlVersion);
      nextVersion += plan.added.length;
      return plan.results;
    },
    close: writer.close,
  });
}
