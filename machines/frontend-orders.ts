/**
 * Orders of operators to a frontend, as words to the book of its overrides.
 *
 * Input: its memory, an order. Output: what to write into the book, or why not.
 *
 * Rules: [FE-34] src/policy/weight-orders.ts; [FE-36] a weight is ordered for a place the frontend has, 0
 * to 100; one that its scale cannot express counts as the nearest, and who ordered it is told so.
 */
import { scaleOf, scaleWeight } from '../src/lb/scale.js';
import { configuredWeight, weightKind } from '../src/policy/weight-orders.js';
import type { FrontendMemory } from './frontend-memory.js';
import { assert } from './model/assert.js';
import type { Refusal } from './model/failures.js';
import { addressOf } from './model/ids.js';
import type { FrontendMessage } from './model/messages.js';
import { dismissalOf, endOf, type OrderParams, orderFor, termsOf, yieldsOf } from './overriding.js';

export type WeightOrder = Extract<FrontendMessage, { type: 'operator.weight' }>;

export interface AnswerParams {
  readonly replyTo: string | undefined;
  readonly body: {
    readonly ok: false;
    readonly refusal: { readonly [K in keyof Refusal]: string };
  };
}

/** Why it cannot be ordered; `undefined`: it can. */
export function refusalOf(memory: FrontendMemory, order: WeightOrder): Refusal | undefined {
  const { pool, member, weight } = order;
  const pools = memory.spec?.pools ?? [];
  if (configuredWeight(pools, weightKind(pool, member)) === undefined) {
    const message = `frontend ${memory.name} has no member ${member} in a pool ${pool}`;
    return { code: 'not-found', rule: 'FE-36', message };
  }
  if (Number.isInteger(weight) && weight >= 0 && weight <= 100) return undefined;
  return { code: 'refused', rule: 'FE-36', message: 'a weight is a whole number from 0 to 100' };
}

export function weightOrdered(
  memory: FrontendMemory,
  order: WeightOrder,
  replyTo: string | undefined,
): OrderParams {
  const { name, spec, overrides } = memory;
  const kind = weightKind(order.pool, order.member);
  const configured = configuredWeight(spec?.pools ?? [], kind);
  assert(spec !== null && configured !== undefined, `${kind} is no place of ${name}`);
  const self = addressOf('frontend', name);
  const { weight, flush } = order;
  const restores = weight === configured && !flush && overrides[kind] !== undefined;
  if (restores) return endOf(self, [kind], order, replyTo);
  const { divisor } = scaleOf(spec);
  const scaled = scaleWeight(weight, divisor);
  const note = `weights of this frontend are multiples of ${divisor}: it counts as ${scaled.weight * divisor}`;
  const base = { kind, value: weight, configured, ...termsOf(order) };
  const told = scaled.rounded ? { note } : {};
  return orderFor(self, { ...base, ...told, ...(flush ? { flush } : {}) }, replyTo);
}

export function yieldsIn({ name, decided, overrides }: FrontendMemory): OrderParams | undefined {
  const pools = decided?.pools ?? [];
  return yieldsOf(addressOf('frontend', name), overrides, (kind) => configuredWeight(pools, kind));
}

export function dismissalIn({ name, overrides }: FrontendMemory): OrderParams | undefined {
  return dismissalOf(addressOf('frontend', name), overrides);
}
