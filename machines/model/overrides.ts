/**
 * Overrides: what an operator ordered against the configuration, until it ends.
 *
 * Each object that can be overridden has one actor `override/<its address>` beside it, which keeps all
 * of its overrides by kind. The kinds:
 *
 *   backend/…    pause, enabled          group/…   size
 *   frontend/…   weight:POOL/MEMBER      lbsync/main   freeze, freeze:FRONTEND
 */
import { type Address, addressOf } from './ids.js';
import type { Json } from './json.js';

export interface OverrideEntry {
  readonly kind: string;
  readonly value: Json;
  /** What was configured when it was ordered: the override yields when that itself changes. */
  readonly configured: Json;
  readonly owner: string;
  readonly reason: string;
  readonly sinceMs: number;
  /** Wall clock; `null`: for ever. */
  readonly untilMs: number | null;
  /** Of a weight: flows pinned to the member are evicted once. */
  readonly flush?: true;
}

/** By kind. */
export type Overrides = Readonly<Record<string, OverrideEntry>>;

export const NO_OVERRIDES: Overrides = {};

/** Who orders, why, and for how long. */
export interface Terms {
  readonly owner: string;
  readonly reason: string;
  /** `null`: for ever. */
  readonly forMs: number | null;
}

export interface OverrideOrder extends Terms {
  readonly kind: string;
  readonly value: Json;
  readonly configured: Json;
  readonly flush?: true;
  /** One sentence for the operator who is answered. */
  readonly note?: string;
}

/** Why an override ended. */
export type EndedBy = 'operator' | 'expiry' | 'configuration' | 'object-gone';

export type OverrideMessage =
  | {
      readonly type: 'override.order';
      readonly order: OverrideOrder;
      /** Of an operator who asked the object itself. */
      readonly replyTo?: string;
    }
  | {
      readonly type: 'override.clear';
      readonly kinds: readonly string[];
      readonly by: EndedBy;
      readonly owner: string;
      readonly reason: string;
      readonly replyTo?: string;
    };

/** To the object: all that is in force, whole. */
export interface OverrideLevel {
  readonly type: 'override.level';
  readonly overrides: Overrides;
}

export function overrideOf(object: Address): Address {
  return addressOf('override', object);
}

/** To a frontend: another weight for one of its places. */
export interface WeightMessage extends Terms {
  readonly type: 'operator.weight';
  readonly pool: string;
  /** A backend, a group of the pool, or one instance of it. */
  readonly member: string;
  /** 0..100, as configured weights. */
  readonly weight: number;
  readonly flush: boolean;
}
