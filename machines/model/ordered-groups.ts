/**
 * Groups that programs order beside those of the configuration: what they are asked to be, and what came of it.
 */
import type { GroupSpec } from './desired.js';
import type { JsonObject } from './json.js';

/** A group with everything it refers to resolved, and still nobody's. */
export type GroupPlan = Omit<GroupSpec, 'key' | 'tenant' | 'frontends' | 'generation'>;

export interface OrderedGroup {
  /** As asked, in the words of the configuration: `{template, size, …}`. */
  readonly wish: JsonObject;
  /** What the newest configuration that can make it makes of the wish. */
  readonly plan: GroupPlan;
  readonly owner: string;
  readonly reason: string;
  readonly sinceMs: number;
  /** Why the newest configuration cannot make it: it stays as it was. */
  readonly problem: string | null;
}

/** What a configuration makes of a wish; a sentence: it cannot. */
export type Replanned = { readonly plan: GroupPlan } | { readonly problem: string };

/** Who orders something of a tenant, and why. */
interface Ordering {
  readonly owner: string;
  readonly reason: string;
}

export type TenantOrder =
  /** One group more, or another wish for one that was ordered before. */
  | ({
      readonly type: 'operator.orderGroup';
      readonly name: string;
      readonly wish: JsonObject;
      readonly plan: GroupPlan;
    } & Ordering)
  | ({ readonly type: 'operator.dismissGroup'; readonly name: string } & Ordering)
  /** Another configuration is in force. */
  | { readonly type: 'tenant.replan'; readonly plans: Readonly<Record<string, Replanned>> }
  /** No instance of its groups is wanted until it wakes; sizes stand. */
  | ({ readonly type: 'operator.sleep' | 'operator.wake' } & Ordering);
