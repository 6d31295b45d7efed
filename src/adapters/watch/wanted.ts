/**
 * Which items of the event stream a reader asked for. A tenant's own are those of its tenant actor, of
 * its groups and frontends (`tenant/name`), and those that name it in their numbers.
 */
import type { WatchItem } from '../../ports/node-api.js';

export interface Wanted {
  /** Empty: all kinds. */
  readonly kind: string;
  /** Empty: all tenants. */
  readonly tenant: string;
}

export function wantedItems({ kind, tenant }: Wanted): (item: WatchItem) => boolean {
  return (item) =>
    (kind === '' || item.kind === kind) && (tenant === '' || belongsTo(item, tenant));
}

function belongsTo({ kind, object, numbers }: WatchItem, tenant: string): boolean {
  if (numbers['tenant'] === tenant) return true;
  const [first, second] = object.split('/');
  return first === tenant && (second !== undefined || kind === 'tenant');
}
