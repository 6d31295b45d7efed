/**
 * What an object that can be overridden says to the book of its overrides: orders of operators, and which
 * of them yield to the configuration or are over with the object.
 *
 * Output: parameters of the effect `orderOverride`. Nothing is changed here: the object acts on what the
 * book says once it is on disk.
 */
import { yielding } from '../src/policy/overrides.js';
import type { Address } from './model/ids.js';
import type { Json } from './model/json.js';
import {
  type EndedBy,
  type OverrideMessage,
  type OverrideOrder,
  type Overrides,
  overrideOf,
  type Terms,
} from './model/overrides.js';

export interface OrderParams {
  readonly to: Address;
  readonly message: OverrideMessage;
}

/** `replyTo`: the operator, who is answered when it is on disk. */
export function orderFor(
  object: Address,
  order: OverrideOrder,
  replyTo: string | undefined,
): OrderParams {
  const message: OverrideMessage = {
    type: 'override.order',
    order,
    ...(replyTo === undefined ? {} : { replyTo }),
  };
  return { to: overrideOf(object), message };
}

/** Only the terms of what may carry more. */
export function termsOf({ owner, reason, forMs }: Terms): Terms {
  return { owner, reason, forMs };
}

export function endOf(
  object: Address,
  kinds: readonly string[],
  { owner, reason }: Pick<Terms, 'owner' | 'reason'>,
  replyTo: string | undefined,
): OrderParams {
  const answered = replyTo === undefined ? {} : { replyTo };
  return clearing(object, kinds, { by: 'operator', owner, reason, ...answered });
}

/** `undefined`: nothing yields. */
export function yieldsOf(
  object: Address,
  book: Overrides,
  configuredOf: (kind: string) => Json | undefined,
): OrderParams | undefined {
  const kinds = yielding(book, configuredOf);
  if (kinds.length === 0) return undefined;
  const reason = 'the configuration itself changed';
  return clearing(object, kinds, { by: 'configuration', owner: 'configuration', reason });
}

/** The object is over, and so is what was ordered about it. */
export function dismissalOf(object: Address, book: Overrides): OrderParams | undefined {
  const kinds = Object.keys(book);
  if (kinds.length === 0) return undefined;
  const reason = 'what it overrides is gone';
  return clearing(object, kinds, { by: 'object-gone', owner: 'configuration', reason });
}

interface Clearing {
  readonly by: EndedBy;
  readonly owner: string;
  readonly reason: string;
  readonly replyTo?: string;
}

function clearing(object: Address, kinds: readonly string[], how: Clearing): OrderParams {
  return { to: overrideOf(object), message: { type: 'override.clear', kinds, ...how } };
}
