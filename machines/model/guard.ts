/**
 * The shrink guard and those it guards: one actor for the node, `guard/shrink`.
 *
 *   group ─ guard.level ─► guard ─ guard.granted ─► group        reload ─ guard.settings ─► guard
 *
 * A group does not shrink below its floor, the size it was last let go to, before the guard says so.
 */
import { addressOf, type InstanceId } from './ids.js';

export const SHRINK_GUARD = addressOf('guard', 'shrink');

/** A group wants fewer instances than it has. */
export interface ShrinkWish {
  /** Size it wants to have. */
  readonly to: number;
  /** Instances that go. */
  readonly count: number;
  readonly sinceMs: number;
  /** A drain's. */
  readonly reason: string;
}

/** Somebody asked that one instance on demand be deleted. */
export interface Departure {
  readonly id: InstanceId;
  readonly sinceMs: number;
  /** In whose words, and whether even the last of a frontend may go. */
  readonly reason: string;
  readonly force: boolean;
}

/** What a group remembers of the guard. */
export interface Shrink {
  readonly floor: number;
  readonly wish: ShrinkWish | null;
  /** What the guard was last told; it is told again after a restart and at every resync. */
  readonly told: {
    readonly population: number;
    readonly sinceMs: number | null;
    readonly departures?: string;
  } | null;
  /** Instances on demand that the guard has not let go yet; absent: none. */
  readonly departures?: readonly Departure[];
}

export const UNSHRUNK: Shrink = { floor: 0, wish: null, told: null };

/** A level: everything the guard has to know of a group. */
export interface GuardLevel {
  readonly type: 'guard.level';
  /** Instances it is to have, those on demand and those that wait to go included; 0: it is no more. */
  readonly population: number;
  readonly wish: ShrinkWish | null;
  readonly departures?: readonly Departure[];
}

export interface GuardGrant {
  readonly type: 'guard.granted';
  readonly to: number;
  readonly sinceMs: number;
  /** Of one instance on demand alone. */
  readonly id?: InstanceId;
}

export interface GuardSettings {
  readonly share: number;
  readonly min: number;
  readonly windowMs: number;
}

export type GuardMessage =
  | { readonly type: 'guard.settings'; readonly settings: GuardSettings }
  | GuardLevel
  | {
      readonly type: 'operator.confirm';
      readonly reason: string;
      readonly owner: string;
      /** Refused when more instances are held by now; absent: however many. */
      readonly atMost?: number;
    };
