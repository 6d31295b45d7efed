/** The book of overrides beside a driven machine: its orders are written down at once and said back. */
import type { Json } from '../../machines/model/json.js';
import type { Overrides, Terms } from '../../machines/model/overrides.js';
import type { OrderParams } from '../../machines/overriding.js';
import { withOrder, without } from '../../src/policy/overrides.js';
import type { Driven } from './drive.js';

export const TERMS = {
  owner: 'ops',
  reason: 'by hand',
  forMs: 3_600_000,
} as const satisfies Terms;

/** One override in force. */
export const level = (kind: string, value: Json, configured: Json) => ({
  type: 'override.level' as const,
  overrides: {
    [kind]: { kind, value, configured, owner: 'ops', reason: '', sinceMs: 0, untilMs: null },
  },
});

interface Overridable {
  readonly overrides: Overrides;
}

/** What the latest step ordered is in the book and in force; nothing ordered: nothing happens. */
export function obeyed<C extends Overridable>(driven: Driven<C>, atMs = 0): Driven<C> {
  const orders = driven.said<OrderParams | undefined>('orderOverride').filter((one) => one);
  if (orders.length === 0) return driven;
  const book = orders.reduce(
    (before, order) => written(before, order, atMs),
    driven.context.overrides,
  );
  return driven.send({ type: 'override.level', overrides: book } as { readonly type: string });
}

function written(book: Overrides, order: OrderParams | undefined, atMs: number): Overrides {
  const message = order?.message;
  if (message === undefined) return book;
  return message.type === 'override.order'
    ? withOrder(book, message.order, atMs)
    : without(book, message.kinds);
}
