/**
 * What viewers are told: steps in, frames out, and what a late viewer needs to begin with.
 *
 * Input: steps of all threads and the monotonic time. Output: frames for everybody who watches, and
 * the retained frames: of each shown actor its chart and its latest snapshot.
 *
 * Rules: [CL-10] an actor's chart reaches every viewer before its first event, however late the viewer
 * comes; [CL-11] at most so many actors are shown, those silent for long give way; [CL-12] steps above
 * the rate are counted instead of told, and the actor's latest snapshot follows when there is room.
 */
import type { AnyStateMachine } from 'xstate';
import type { TapFrame } from '../../runtime/kernel.js';
import { plainConfig } from './definition.js';
import {
  type ActorFrame,
  actorFrame,
  eventFrame,
  type SnapshotFrame,
  type StatelyFrame,
  type Step,
  sessionOf,
  snapshotFrame,
} from './frames.js';
import type { InspectorLimits } from './limits.js';

export interface InspectorFilter {
  /** Actor kinds; empty: all. */
  readonly kinds: readonly string[];
  /** Addresses, or the part after the kind; empty: all. */
  readonly ids: readonly string[];
  /** Steps told per second. */
  readonly ratePerSecond: number;
}

/** Frames of our own page; the Stately viewer does not know them. */
export type OwnFrame =
  | {
      readonly type: 'switchyard.counters';
      /** Steps above the rate, since somebody watches. */
      readonly dropped: number;
      /** Steps of actors beyond those shown. */
      readonly hidden: number;
    }
  | { readonly type: 'switchyard.forgotten'; readonly sessionId: string };

export type ViewerFrame = StatelyFrame | OwnFrame;

export interface RelayOptions {
  readonly node: string;
  readonly machines: ReadonlyMap<string, AnyStateMachine>;
  readonly filter: InspectorFilter;
  readonly limits: InspectorLimits;
}

export interface Batch {
  readonly thread: string;
  readonly frames: readonly TapFrame[];
}

export interface Moment {
  /** Wall clock, for people. */
  readonly atMs: number;
  readonly monotonicMs: number;
}

export interface Relay {
  accept(batches: readonly Batch[], now: Moment): readonly ViewerFrame[];
  /** What a new viewer is told first. */
  retained(): readonly ViewerFrame[];
  /** Nobody watches any more: what is known grows old from here. */
  clear(): void;
}

interface Session {
  readonly actor: ActorFrame;
  latest: SnapshotFrame;
  lastSeenMs: number;
  steps: number;
  /** The viewers have not been told the latest snapshot. */
  behind: boolean;
}

export function createRelay(options: RelayOptions): Relay {
  const { filter, limits, machines, node } = options;
  const sessions = new Map<string, Session>();
  const definitions = new Map<string, string>();
  const bucket = createBucket(filter.ratePerSecond);
  let dropped = 0;
  let hidden = 0;

  const definitionOf = (machineId: string): string => {
    const machine = machines.get(machineId);
    const known =
      definitions.get(machineId) ??
      JSON.stringify(machine === undefined ? { id: machineId } : plainConfig(machine));
    definitions.set(machineId, known);
    return known;
  };

  const admit = (step: Step, now: Moment): readonly ViewerFrame[] => {
    const evicted = sessions.size < limits.actorsMax ? [] : evictSilent(now);
    if (sessions.size >= limits.actorsMax) {
      hidden += 1;
      return [];
    }
    const actor = actorFrame(step, definitionOf(step.frame.machineId));
    const latest = snapshotFrame(step);
    const session = { actor, latest, lastSeenMs: now.monotonicMs, steps: 0, behind: false };
    sessions.set(sessionOf(step), session);
    return [...evicted, actor, ...tell(session, step)];
  };

  const evictSilent = ({ monotonicMs }: Moment): readonly ViewerFrame[] => {
    for (const [sessionId, session] of sessions) {
      if (monotonicMs - session.lastSeenMs < limits.silentMs) continue;
      sessions.delete(sessionId);
      return [{ type: 'switchyard.forgotten', sessionId }];
    }
    return [];
  };

  const tell = (session: Session, step: Step): readonly ViewerFrame[] => {
    session.latest = snapshotFrame(step);
    session.steps += 1;
    session.behind = !bucket.take();
    if (!session.behind) return [eventFrame(step, session.steps), session.latest];
    dropped += 1;
    return [];
  };

  const accept: Relay['accept'] = (batches, now) => {
    bucket.fill(now.monotonicMs);
    const before = { dropped, hidden };
    const told: ViewerFrame[] = [];
    for (const { thread, frames } of batches) {
      for (const frame of frames) {
        if (!passes(frame, filter)) continue;
        const step: Step = { node, thread, frame, atMs: now.atMs };
        const session = sessions.get(sessionOf(step));
        if (session !== undefined) session.lastSeenMs = now.monotonicMs;
        told.push(...(session === undefined ? admit(step, now) : tell(session, step)));
      }
    }
    told.push(...catchUp());
    if (dropped !== before.dropped || hidden !== before.hidden) told.push(counters());
    return told;
  };

  /** Levels, not edges: who missed steps is told at least how things stand now. */
  const catchUp = (): readonly ViewerFrame[] => {
    const late: ViewerFrame[] = [];
    for (const session of sessions.values()) {
      if (!session.behind) continue;
      if (!bucket.take()) break;
      session.behind = false;
      late.push(session.latest);
    }
    return late;
  };

  const counters = (): OwnFrame => ({ type: 'switchyard.counters', dropped, hidden });

  return {
    accept,
    retained: () => [
      ...[...sessions.values()].flatMap(({ actor, latest }) => [actor, latest]),
      counters(),
    ],
    clear: () => {
      sessions.clear();
      dropped = 0;
      hidden = 0;
    },
  };
}

export function passes({ address }: Pick<TapFrame, 'address'>, filter: InspectorFilter): boolean {
  const slash = address.indexOf('/');
  const kind = address.slice(0, slash);
  const key = address.slice(slash + 1);
  const { ids, kinds } = filter;
  return (
    (kinds.length === 0 || kinds.includes(kind)) &&
    (ids.length === 0 || ids.includes(address) || ids.includes(key))
  );
}

/** One second's worth of steps may come at once. */
function createBucket(ratePerSecond: number) {
  let tokens = ratePerSecond;
  let filledAtMs: number | undefined;
  return {
    fill: (nowMs: number): void => {
      const elapsedMs = nowMs - (filledAtMs ?? nowMs);
      tokens = Math.min(ratePerSecond, tokens + (elapsedMs * ratePerSecond) / 1_000);
      filledAtMs = nowMs;
    },
    take: (): boolean => {
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}
