/** A target in memory: aggregates by key, and the off switch and refusals of a real one. */
import type { JsonObject } from '../../machines/model/json.js';
import { fail, ok } from '../../machines/model/result.js';
import { lineOf } from '../../src/policy/duty.js';
import { withLandmark } from '../../src/ports/feed-landmarks.js';
import type { FeedTarget, Landmark, Quarantined } from '../../src/ports/feed-target.js';

export interface MemoryTarget extends FeedTarget {
  /** As applied, by ordering key. */
  readonly state: Map<string, JsonObject>;
  /** Event ids in the order they were applied. */
  readonly order: string[];
  /** Event ids that cannot be applied. */
  readonly refuses: Set<string>;
  /** Calls that will still fail. */
  failures: number;
}

export function createMemoryTarget(): MemoryTarget {
  const versions = new Map<string, number>();
  const ids = new Set<string>();
  const quarantined = new Map<string, Quarantined>();
  let marks: readonly Landmark[] = [];
  let cursor = 0;
  const away = fail({ code: 'unavailable' as const, message: 'the disk is away' });
  const fails = (): boolean => {
    if (target.failures === 0) return false;
    target.failures -= 1;
    return true;
  };
  const target: MemoryTarget = {
    state: new Map(),
    order: [],
    refuses: new Set(),
    failures: 0,
    standing: async () => (fails() ? away : ok({ cursor, quarantined: [...quarantined.values()] })),
    landmarks: async () => (fails() ? away : ok(marks)),
    known: async (event) =>
      fails()
        ? away
        : ok({
            wasApplied: ids.has(event.eventId),
            aggregateVersion: versions.get(lineOf(event)) ?? 0,
          }),
    commit: async (step) => {
      if (fails()) return away;
      const { apply, skip, quarantine, release, rewindTo } = step;
      if (apply !== undefined && target.refuses.has(apply.event.eventId)) {
        return fail({ code: 'content', message: 'refused' });
      }
      const event = apply?.event ?? skip;
      if (apply !== undefined) {
        target.state.set(apply.event.orderingKey, apply.data);
        target.order.push(apply.event.eventId);
      }
      if (event !== undefined) {
        ids.add(event.eventId);
        const { controlVersion, eventId } = event;
        if (controlVersion <= step.cursor) marks = withLandmark(marks, { controlVersion, eventId });
        const line = lineOf(event);
        versions.set(line, Math.max(event.aggregateVersion, versions.get(line) ?? 0));
      }
      if (quarantine !== undefined) quarantined.set(quarantine.orderingKey, quarantine);
      if (release !== undefined) quarantined.delete(release);
      cursor = Math.max(rewindTo ?? cursor, step.cursor);
      for (const [key, held] of rewindTo === undefined ? [] : quarantined) {
        quarantined.set(key, { ...held, since: Math.min(held.since, cursor + 1) });
      }
      marks = marks.filter(({ controlVersion }) => controlVersion <= cursor);
      return ok(undefined);
    },
  };
  return target;
}
