/**
 * The tap of one thread: what its actors did since the last look, bounded, and nothing while nobody
 * watches.
 *
 * Input: steps as the host takes them, and what the viewers want. Output: a `TapRead` per look.
 *
 *   step ─► filter ─► shown? ─► rate ─► ring (drops its oldest) ─► frames
 *                       │         └───────┴─► newest of that actor ─► latest
 *                       └─► hidden
 *
 * Rules: [CL-13] nothing is recorded while nobody watches; [CL-53] the ring drops its oldest step and
 * counts it, and the actor's newest state is told all the same; [CL-54] steps outside the filter, or of
 * actors that no view has room for, are not kept.
 */
import type { Address } from '../../../machines/model/ids.js';
import type { Json } from '../../../machines/model/json.js';
import type { Clock } from '../../ports/clock.js';
import type { TapFrame } from '../../runtime/kernel.js';
import { type Bucket, createBucket, type InspectorFilter, passes } from './filter.js';
import type { InspectorLimits } from './limits.js';

/** What the viewers want of every thread. */
export interface TapRequest extends InspectorFilter {
  /** All places are taken by these actors, none of them silent; absent: there is room for others. */
  readonly shown?: readonly Address[];
}

export interface TapRead {
  /** Steps in order. */
  readonly frames: readonly TapFrame[];
  /** How actors stand of which steps are missing above. */
  readonly latest: readonly TapFrame[];
  /** Steps above the rate. */
  readonly dropped: number;
  /** Steps that were in the ring and gave way to newer ones. */
  readonly lost: number;
  /** Steps of actors that no view has room for. */
  readonly hidden: number;
}

export const NOTHING_READ: TapRead = { frames: [], latest: [], dropped: 0, lost: 0, hidden: 0 };

/** What a tap needs of its host. */
export interface Tapped {
  tap(listener: ((frame: TapFrame) => void) | undefined): void;
  /** How its actors stand; ends early when `take` says false. */
  glance(take: (frame: TapFrame) => boolean): void;
}

export interface Tap {
  /** What happened since the last read; `undefined` ends the recording. */
  read(request: TapRequest | undefined): TapRead;
}

export type TapLimits = Pick<InspectorLimits, 'ringMax' | 'latestMax'>;

export function createTap(host: Tapped, clock: Pick<Clock, 'monotonic'>, limits: TapLimits): Tap {
  let recording: Recording | undefined;
  const begin = (request: TapRequest): Recording => {
    const begun = createRecording(request, clock, limits);
    host.glance(begun.stand);
    host.tap((frame) => begun.take(frame));
    return begun;
  };
  return {
    read: (request) => {
      if (request === undefined) {
        if (recording !== undefined) host.tap(undefined);
        recording = undefined;
        return NOTHING_READ;
      }
      recording ??= begin(request);
      const read = recording.read();
      recording.want(request);
      return read;
    },
  };
}

/** A request as another thread sent it; `undefined`: nobody watches. */
export function tapRequestOf(args: Json): TapRequest | undefined {
  return typeof args === 'object' && args !== null && !Array.isArray(args)
    ? (args as unknown as TapRequest)
    : undefined;
}

interface Recording {
  take(frame: TapFrame): void;
  /** False: enough. */
  stand(frame: TapFrame): boolean;
  want(request: TapRequest): void;
  read(): TapRead;
}

function createRecording(
  first: TapRequest,
  clock: Pick<Clock, 'monotonic'>,
  { ringMax, latestMax }: TapLimits,
): Recording {
  let request = first;
  let shown: ReadonlySet<Address> | undefined;
  let bucket: Bucket = createBucket(first.ratePerSecond);
  const ring = createRing(ringMax);
  /** Actors of which a step is missing, and how they stand by now. */
  const behind = new Map<Address, TapFrame>();
  let counts = { dropped: 0, lost: 0, hidden: 0 };

  const miss = (frame: TapFrame): void => {
    behind.delete(frame.address);
    behind.set(frame.address, frame);
    if (behind.size <= ringMax) return;
    for (const oldest of behind.keys()) {
      behind.delete(oldest);
      counts.lost += 1;
      break;
    }
  };

  const take = (frame: TapFrame): void => {
    if (!passes(frame.address, request)) return;
    if (shown !== undefined && !shown.has(frame.address)) {
      counts.hidden += 1;
      return;
    }
    if (!bucket.take()) {
      counts.dropped += 1;
      miss(frame);
      return;
    }
    // What it was behind with is told by this step.
    behind.delete(frame.address);
    const oldest = ring.push(frame);
    if (oldest === undefined) return;
    counts.lost += 1;
    if (!ring.has(oldest.address) && !behind.has(oldest.address)) miss(oldest);
  };

  return {
    take,
    stand: (frame) => {
      if (passes(frame.address, request)) miss(frame);
      return behind.size < latestMax;
    },
    want: (wanted) => {
      if (wanted.ratePerSecond !== request.ratePerSecond) {
        bucket = createBucket(wanted.ratePerSecond);
      }
      request = wanted;
      shown = wanted.shown === undefined ? undefined : new Set(wanted.shown);
    },
    read: () => {
      bucket.fill(clock.monotonic());
      const latest = [...behind.values()].slice(0, latestMax);
      for (const { address } of latest) behind.delete(address);
      const read = { frames: ring.drain(), latest, ...counts };
      counts = { dropped: 0, lost: 0, hidden: 0 };
      return read;
    },
  };
}

interface Ring {
  /** The step that gave way, if one did. */
  push(frame: TapFrame): TapFrame | undefined;
  /** Whether a step of this actor is in it. */
  has(address: Address): boolean;
  drain(): readonly TapFrame[];
}

function createRing(max: number): Ring {
  let frames: TapFrame[] = [];
  /** Where the oldest is, once it is full. */
  let at = 0;
  const held = new Map<Address, number>();
  const hold = (address: Address, change: 1 | -1): void => {
    const count = (held.get(address) ?? 0) + change;
    if (count === 0) held.delete(address);
    else held.set(address, count);
  };
  return {
    push: (frame) => {
      hold(frame.address, 1);
      if (frames.length < max) {
        frames.push(frame);
        return undefined;
      }
      const oldest = frames[at];
      frames[at] = frame;
      at = (at + 1) % max;
      if (oldest !== undefined) hold(oldest.address, -1);
      return oldest;
    },
    has: (address) => held.has(address),
    drain: () => {
      const drained = [...frames.slice(at), ...frames.slice(0, at)];
      frames = [];
      at = 0;
      held.clear();
      return drained;
    },
  };
}
