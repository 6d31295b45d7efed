/**
 * What of the journal is an error: something that was refused, failed or died, with words of its own where
 * somebody gave some.
 */
import type { WatchItem } from '../../ports/node-api.js';

export interface ErrorEvent {
  readonly seq: number;
  readonly atMs: number;
  readonly tenant: string;
  readonly object: string;
  readonly event: string;
  readonly message: string;
  readonly cause: string;
}

/** Errors by their name alone; what names a `problem` in its numbers is one, too. */
const ERRORS: Readonly<Record<string, string>> = {
  'instance.failed': 'its provider refused to create it',
  'instance.lost': 'its provider says that it is dead',
  'instance.overdue': 'it was down for longer than its group tolerates',
  'instance.unhealthy': 'it was up and is not any more',
  'instance.create_unknown': 'its provider has not said what became of its create',
  'instance.delete_failed': 'its provider has not deleted it yet',
  'identity.contested': 'its token was shown with a second key',
  'tenant.degraded': 'it is not as it should be',
};

export function errorIn(item: WatchItem): ErrorEvent | undefined {
  const { seq, at, kind, object, event, numbers, cause } = item;
  const problem = numbers['problem'];
  const words = typeof problem === 'string' && problem !== '' ? problem : ERRORS[event];
  if (words === undefined) return undefined;
  return {
    seq,
    atMs: Date.parse(at),
    tenant: tenantOf(item),
    object: `${kind}/${object}`,
    event,
    message: words,
    cause,
  };
}

function tenantOf({ kind, object, numbers }: WatchItem): string {
  const { tenant } = numbers;
  if (typeof tenant === 'string') return tenant;
  const [first = '', second] = object.split('/');
  return second !== undefined || kind === 'tenant' ? first : '';
}
