/**
 * Instances on demand: made beside the size because somebody asked, under a key of the asker's.
 *
 * Input:  what a group knows of its members. Output: whom a key or an id means, whether one more may be
 *         made, and who has lived for long enough.
 *
 * Rules: [GR-26] they never count toward the size, are never replaced, and what becomes of them says nothing
 * about the group's creates; [GR-27] one key makes at most one instance, as long as that one is remembered: only
 * when it was refused at the provider may the key be used again; there are never more of them than
 * `maxSize`; [GR-28] one that is older than `onDemandAge` is drained and nobody follows.
 */
import type { InstanceId } from '../../machines/model/ids.js';
import type { Books } from './members.js';
import { isOnDemand, type Member, standingOf } from './members.js';
import { expiresAtMs } from './rotation.js';

/** Long enough for a name with a namespace, or a UUID with words around it. */
export const KEY_MAX = 128;

/** Printable and without spaces. */
export function isKey(text: string): boolean {
  return text.length <= KEY_MAX && /^[!-~]+$/.test(text);
}

/** Refused ones never were anything. */
export function ofKey(members: readonly Member[], key: string): Member | undefined {
  return members.find(({ onDemand, state }) => onDemand === key && state !== 'failed');
}

/** By id, or by the key it was asked for with. */
export function named(members: readonly Member[], name: string): Member | undefined {
  return members.find(({ id }) => id === name) ?? ofKey(members, name);
}

export function isThere(member: Member): boolean {
  return isOnDemand(member) && standingOf(member) !== 'gone';
}

export type DeleteStatus = 'deleting' | 'deleted' | 'unknown';

export function deleteStatusOf(member: Member | undefined): DeleteStatus {
  if (member === undefined) return 'unknown';
  return standingOf(member) === 'gone' ? 'deleted' : 'deleting';
}

type Aged = Pick<Books, 'rules' | 'at' | 'members'>;

/** The oldest first. */
export function nextExpired({ rules, at, members }: Aged): InstanceId | undefined {
  if (rules.expiry.onDemandAgeMs === undefined) return undefined;
  const due = members
    .filter((member) => isOnDemand(member) && standingOf(member) === 'staying')
    .filter((member) => at > (expiresAtMs({ rules }, member) ?? at))
    .sort((a, b) => a.requestedAtMs - b.requestedAtMs);
  return due[0]?.id;
}
