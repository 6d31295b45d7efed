/**
 * Conditions: what an operator should know now, gathered from whoever knows. A condition exists as
 * long as its reason; nothing here is stored.
 *
 * Shape: {type, object, severity: info|warning|critical, since, cause, message, next}.
 */
import type { JsonObject } from '../../machines/model/json.js';
import type { Directory } from './directory.js';

const REPORTERS = [
  'tenant',
  'group',
  'frontend',
  'lbsync',
  'outbox',
  'lease',
  'tenancy',
  'provider',
  'sweep',
  'guard',
  'announcement',
  'suspicion',
] as const;

export async function conditionsOf({
  directory,
}: {
  readonly directory: Directory;
}): Promise<readonly JsonObject[]> {
  const reported = await Promise.all(REPORTERS.map(directory.views));
  const own = reported
    .flat()
    .flatMap(({ conditions }) => (Array.isArray(conditions) ? conditions : []));
  const quarantined = (await directory.actors()).filter((actor) => actor['quarantined'] === true);
  const reflexOnly = await directory.reflexOnly();
  return [...own, ...quarantined.map(quarantine), ...reflexOnly.map(reflex)];
}

function quarantine({ address, lastError, unreadable }: JsonObject): JsonObject {
  const why =
    unreadable === true
      ? {
          cause: 'RT-9',
          message: `${address} is not of this release: ${lastError}${ofBook(String(address))}`,
          next: 'run the release that wrote it, or restore the backup made before; its row is kept as it is',
        }
      : {
          cause: 'SU-3',
          message: `${address} crashed too often: ${lastError}`,
          next: `mend the reason, then 'switchyard actor resume ${address}'`,
        };
  return { type: 'actor-quarantined', object: address, severity: 'critical', ...why };
}

/** What it means that nobody knows what operators ordered. */
function ofBook(address: string): string {
  if (!address.startsWith('override/')) return '';
  return `; what was ordered is unknown, so ${address.slice('override/'.length)} does nothing that may have been forbidden`;
}

function reflex({
  thread,
  reason,
}: {
  readonly thread: string;
  readonly reason: string;
}): JsonObject {
  return {
    type: 'reflex-only',
    object: `thread/${thread}`,
    severity: 'critical',
    cause: 'RT-7',
    message: `no decision can be stored: ${reason}`,
    next: 'traffic is still protected; decisions go on by themselves when the store is writable again',
  };
}
