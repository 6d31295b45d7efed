/**
 * What a plan is made of: steps (one VIP each, ops in order) and findings (what was left undone).
 * Rules: [LB-10] order depends on priority and key alone.
 */
import type { FrontendName } from '../../machines/model/ids.js';
import type { LbOp, Vip, VipKey } from '../../machines/model/lb.js';
import type { PackedActual, PackedDesired } from '../../machines/model/lb-packed.js';
import type { AttributeName } from './attributes.js';
import { buildVip, removeVip } from './diff.js';

export interface PlanStep {
  readonly kind: 'update' | 'build' | 'remove';
  readonly key: VipKey;
  readonly vip: Vip;
  /** What the ops lead to; absent for a removal. */
  readonly desired?: PackedDesired;
  readonly ops: readonly LbOp[];
}

export interface Finding {
  /**
   * needs-recreation    an attribute differs and re-creation was not allowed
   * blocked             another VIP on the prefix excludes this one
   * foreign-attributes  a VIP we did not create has this key and other attributes
   */
  readonly code: 'needs-recreation' | 'blocked' | 'foreign-attributes';
  readonly key: VipKey;
  readonly frontend: FrontendName;
  readonly attributes: readonly AttributeName[];
  readonly message: string;
}

export interface Plan {
  readonly steps: readonly PlanStep[];
  readonly findings: readonly Finding[];
}

/** Every op of a plan, in order. */
export function opsOf(plan: Plan): readonly LbOp[] {
  return plan.steps.flatMap((step) => step.ops);
}

export function removalStep(actual: PackedActual): PlanStep {
  const { key, vip } = actual;
  return withOps({ kind: 'remove', key, vip }, () => removeVip(actual));
}

export function buildStep(desired: PackedDesired): PlanStep {
  const { key, vip } = desired;
  return withOps({ kind: 'build', key, vip, desired }, () => buildVip(desired));
}

/** Ops are put into words when somebody wants to see them: a plan may be longer than a pass. */
function withOps(step: Omit<PlanStep, 'ops'>, opsNow: () => readonly LbOp[]): PlanStep {
  let ops: readonly LbOp[] | undefined;
  return {
    ...step,
    get ops() {
      ops ??= opsNow();
      return ops;
    },
  };
}

/** Steps that must be sent together, in their order. */
export type Unit = readonly PlanStep[];

/** By the priority and key of each unit's first wanted VIP. */
export function byPriority(units: readonly Unit[]): readonly PlanStep[] {
  return units
    .map((steps) => ({ steps, lead: leadOf(steps) }))
    .sort((a, b) => a.lead.priority - b.lead.priority || compareText(a.lead.key, b.lead.key))
    .flatMap(({ steps }) => steps);
}

function leadOf(steps: Unit): { readonly priority: number; readonly key: VipKey } {
  const lead = steps.find((step) => step.desired !== undefined) ?? steps[0];
  return { priority: lead?.desired?.priority ?? Number.MAX_SAFE_INTEGER, key: lead?.key ?? '' };
}

/** By code unit: the same on every machine, whatever its language. */
export function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
