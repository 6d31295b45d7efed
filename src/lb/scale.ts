/**
 * Weight scale and table length of a frontend: pure functions of its configuration, so that every
 * node with the same configuration builds the same table. Never recomputed on a verdict.
 *
 * Input:  the frontend as wanted (pools, `weightScale`, `tableLength`).
 *         Slow start's steps of each weight count as weights.
 * Output: the divisor of its weights, its table's length, and whether the length had to be cut.
 *
 *   100, 100, 50 -> divisor 50 -> 2, 2, 1         sum 5 -> 16 x 5 = 80 -> 1024 buckets
 *
 * Rules: [LB-22] reduced weights keep their ratios; a weight above 0 never becomes 0; [LB-23] an
 * automatic length is a power of two from 1024 to 32768 with at least 16 buckets per unit of weight,
 * unless it was cut.
 */
import type { FrontendSpec, PoolMemberSpec } from '../../machines/model/desired.js';
import { BUCKETS_PER_WEIGHT, TABLE_LENGTH_MAX, TABLE_LENGTH_MIN, WEIGHT_MAX } from './limits.js';

export interface Scale {
  /** Configured weights are divided by this before they are sent. */
  readonly divisor: number;
  readonly tableLength: number;
  /** The configuration needs a longer table than VPP can report: small weights get too much. */
  readonly cut: boolean;
}

export interface ScaledWeight {
  readonly weight: number;
  /** The scale cannot express the weight exactly; the nearest one above 0 is used. */
  readonly rounded: boolean;
}

type ScaleInput = Pick<FrontendSpec, 'pools' | 'weightScale' | 'tableLength' | 'slowStart'>;

export function scaleOf(spec: ScaleInput): Scale {
  const members = spec.pools.flatMap((pool) => pool.members);
  const divisor =
    spec.weightScale === 'exact' ? 1 : commonDivisor(members, spec.slowStart?.steps ?? []);
  const sum =
    members.reduce((total, member) => total + atMost(member) * member.weight, 0) / divisor;
  if (spec.tableLength !== undefined) {
    return { divisor, tableLength: spec.tableLength, cut: false };
  }
  const wanted = powerOfTwoAtLeast(Math.max(TABLE_LENGTH_MIN, BUCKETS_PER_WEIGHT * sum));
  return {
    divisor,
    tableLength: Math.min(wanted, TABLE_LENGTH_MAX),
    cut: wanted > TABLE_LENGTH_MAX,
  };
}

/** A configured or overridden weight (0..100) on the frontend's scale. */
export function scaleWeight(weight: number, divisor: number): ScaledWeight {
  if (weight === 0) return { weight: 0, rounded: false };
  const exact = weight / divisor;
  const nearest = Math.min(WEIGHT_MAX, Math.max(1, Math.round(exact)));
  return { weight: nearest, rounded: nearest !== exact };
}

function commonDivisor(members: readonly PoolMemberSpec[], steps: readonly number[]): number {
  const weights = members.flatMap(({ weight }) => [
    weight,
    ...steps.map((step) => (weight * step) / 100),
  ]);
  const divisor = weights.filter(Number.isInteger).reduce(greatestCommonDivisor, 0);
  return Math.max(1, divisor);
}

function greatestCommonDivisor(left: number, right: number): number {
  return right === 0 ? left : greatestCommonDivisor(right, left % right);
}

/** Servers a member may turn into. */
function atMost({ ref }: PoolMemberSpec): number {
  return ref.kind === 'group' ? ref.maxSize : 1;
}

function powerOfTwoAtLeast(count: number): number {
  return 2 ** Math.ceil(Math.log2(count));
}
