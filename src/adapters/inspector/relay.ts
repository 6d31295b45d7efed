/**
 * What viewers are told: steps in, frames out, and what a late viewer needs to begin with.
 *
 * Input: reads of all threads and the monotonic time. Output: frames for everybody who watches, and
 * the retained frames: of each shown actor its chart and its latest snapshot.
 *
 * Rules: [CL-10] an actor's chart reaches every viewer before its first event, however late the viewer
 * comes; [CL-11] at most so many actors are shown, those silent for long give way; [CL-12] steps above
 * the rate are counted instead of told, and the actor's latest snapshot follows when there is room.
 */
import type { AnyStateMachine } from 'xstate';
import type { Address } from '../../../machines/model/ids.js';
import type { Json } from '../../../machines/model/json.js';
import type { TapFrame } from '../../runtime/kernel.js';
import { plainConfig } from './definition.js';
import { createBucket, type InspectorFilter, passes } from './filter.js';
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
import { sanitise } from './sanitise.js';
import type { TapRead, TapRequest } from './tap.js';

export interface Counters {
  /** Steps above the rate, since somebody watches. */
  readonly dropped: number;
  /** Steps that a thread had no room for between two reads. */
  readonly lost: number;
  /** Steps of actors beyond those shown. */
  readonly hidden: number;
}

/** Frames of our own page; the Stately viewer does not know them. */
export type OwnFrame =
  | (Counters & { readonly type: 'switchyard.counters' })
  | { readonly type: 'switchyard.forgotten'; readonly sessionId: string };

export type ViewerFrame = StatelyFrame | OwnFrame;

export interface RelayOptions {
  readonly node: string;
  readonly machines: ReadonlyMap<string, AnyStateMachine>;
  readonly filter: InspectorFilter;
  readonly limits: InspectorLimits;
  /** Secrets of the configuration in force: no frame holds one. */
  secrets(): readonly string[];
}

export interface Batch extends TapRead {
  readonly thread: string;
}

export interface Moment {
  /** Wall clock, for people. */
  readonly atMs: number;
  readonly monotonicMs: number;
}

export interface Relay {
  accept(batches: readonly Batch[], now: Moment): readonly ViewerFrame[];
  /** What the threads are asked for next. */
  request(nowMs: number): TapRequest;
  /** What a new viewer is told first. */
  retained(): readonly ViewerFrame[];
  /** From the next batch on. */
  refilter(filter: InspectorFilter): void;
  /** Nobody watches any more: what is known grows old from here. */
  clear(): void;
}

interface Session {
  readonly address: Address;
  readonly actor: ActorFrame;
  latest: SnapshotFrame;
  lastSeenMs: number;
  steps: number;
  /** The viewers have not been told the latest snapshot. */
  behind: boolean;
}

const NONE: Counters = { dropped: 0, lost: 0, hidden: 0 };

export function createRelay(options: RelayOptions): Relay {
  const { limits, node } = options;
  let { filter } = options;
  const sessions = new Map<string, Session>();
  const sessionIds = new Map<string, string>();
  const definitionOf = createDefinitions(options.machines);
  let bucket = createBucket(filter.ratePerSecond);
  let counters = NONE;

  const count = (more: Partial<Counters>): void => {
    const { dropped = 0, lost = 0, hidden = 0 } = more;
    if (dropped + lost + hidden === 0) return;
    counters = {
      dropped: counters.dropped + dropped,
      lost: counters.lost + lost,
      hidden: counters.hidden + hidden,
    };
  };

  const sessionFor = (step: Step, now: Moment): Session | undefined => {
    const known = sessions.get(sessionOf(step));
    if (known !== undefined) known.lastSeenMs = now.monotonicMs;
    return known;
  };

  const admit = (step: Step, now: Moment): readonly ViewerFrame[] | undefined => {
    const evicted = sessions.size < limits.actorsMax ? [] : evictSilent(now);
    if (sessions.size >= limits.actorsMax) return undefined;
    const actor = actorFrame(step, definitionOf(step.frame.machineId));
    sessions.set(sessionOf(step), {
      address: step.frame.address,
      actor,
      latest: snapshotFrame(step),
      lastSeenMs: now.monotonicMs,
      steps: 0,
      behind: false,
    });
    sessionIds.set(step.frame.address, sessionOf(step));
    return [...evicted, actor];
  };

  const evictSilent = ({ monotonicMs }: Moment): readonly ViewerFrame[] => {
    for (const [sessionId, session] of sessions) {
      if (monotonicMs - session.lastSeenMs < limits.silentMs) continue;
      sessions.delete(sessionId);
      sessionIds.delete(session.address);
      return [{ type: 'switchyard.forgotten', sessionId }];
    }
    return [];
  };

  const stepped = (step: Step, now: Moment): readonly ViewerFrame[] => {
    const admitted = sessionFor(step, now) === undefined ? admit(step, now) : [];
    const session = sessions.get(sessionOf(step));
    if (admitted === undefined || session === undefined) {
      count({ hidden: 1 });
      return [];
    }
    session.latest = snapshotFrame(step);
    session.steps += 1;
    session.behind = !bucket.take();
    if (!session.behind) {
      const sessionAt = (address: string) => sessionIds.get(address);
      return [...admitted, eventFrame(step, { count: session.steps, sessionAt }), session.latest];
    }
    count({ dropped: 1 });
    return admitted;
  };

  /** How an actor stands: its chart for who has none, its snapshot when there is room. */
  const stands = (step: Step, now: Moment): readonly ViewerFrame[] => {
    const known = sessionFor(step, now);
    if (known === undefined) return admit(step, now) ?? [];
    known.latest = snapshotFrame(step);
    known.behind = true;
    return [];
  };

  const clean = (frame: TapFrame): TapFrame => {
    const rules = { ...limits, secrets: options.secrets() };
    // The runtime's own words about an event hold addresses and ids only.
    const { meta, ...event } = frame.event as TapFrame['event'] & { readonly meta?: unknown };
    return {
      ...frame,
      event: { ...(sanitise(event as Json, rules) as typeof event), ...(meta ? { meta } : {}) },
      context: sanitise(frame.context, rules),
    };
  };

  const read = (batch: Batch, now: Moment): readonly ViewerFrame[] => {
    const { thread } = batch;
    count(batch);
    const told = (frames: readonly TapFrame[], tell: typeof stepped): readonly ViewerFrame[] =>
      frames
        .filter(({ address }) => passes(address, filter))
        .flatMap((frame) => tell({ node, thread, frame: clean(frame), atMs: now.atMs }, now));
    return [...told(batch.frames, stepped), ...told(batch.latest, stands)];
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

  const counted = (): OwnFrame => ({ type: 'switchyard.counters', ...counters });

  return {
    accept: (batches, now) => {
      bucket.fill(now.monotonicMs);
      const before = counters;
      const told = batches.flatMap((batch) => read(batch, now));
      const late = catchUp();
      return [...told, ...late, ...(counters === before ? [] : [counted()])];
    },
    request: (nowMs) => {
      const all = [...sessions.values()];
      const isFull =
        all.length >= limits.actorsMax &&
        all.every(({ lastSeenMs }) => nowMs - lastSeenMs < limits.silentMs);
      return isFull ? { ...filter, shown: all.map(({ address }) => address) } : filter;
    },
    retained: () => [
      ...[...sessions.values()].flatMap(({ actor, latest }) => [actor, latest]),
      counted(),
    ],
    refilter: (next) => {
      filter = next;
      bucket = createBucket(next.ratePerSecond);
    },
    clear: () => {
      sessions.clear();
      sessionIds.clear();
      counters = NONE;
    },
  };
}

/** The text of each chart, made once per machine. */
function createDefinitions(machines: RelayOptions['machines']): (machineId: string) => string {
  const known = new Map<string, string>();
  return (machineId) => {
    const machine = machines.get(machineId);
    const text =
      known.get(machineId) ??
      JSON.stringify(machine === undefined ? { id: machineId } : plainConfig(machine));
    known.set(machineId, text);
    return text;
  };
}
