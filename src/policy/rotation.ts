/**
 * Rotation: which healthy members should be replaced nevertheless, because they are not what their group
 * is now or have lived for long enough.
 *
 * Input:  the books of a group and one member. Output: why it should be replaced, or nothing; when it
 *         will be too old.
 *
 * Rules: [GR-21] a member made from another provider or template content than the group's is drifted;
 * one of which that is not known is not; [GR-22] a member is too old once it outlives an age of its
 * group, less up to a tenth of it, fixed by its name, so that what was born together does not die
 * together.
 */
import type { DrainReason } from '../../machines/model/messages.js';
import { type Books, hasServed, isOnDemand, type Member } from './members.js';
import { oncePer } from './once.js';

/** `asked`: by an operator, or down for longer than its group tolerates. */
export type ReplaceCause = 'asked' | 'forced-expiry' | 'config-drift' | 'eligible-expiry';

const JITTER = 0.1;

export function causeOf(books: Books, member: Member): ReplaceCause | undefined {
  if (member.replaceWanted) return 'asked';
  const { forcedAgeMs, eligibleAgeMs } = books.rules.expiry;
  if (isTooOld(books, member, forcedAgeMs)) return 'forced-expiry';
  if (isDrifted(books, member)) return 'config-drift';
  return isTooOld(books, member, eligibleAgeMs) ? 'eligible-expiry' : undefined;
}

/** What decides for most groups, without a look at each member, that nobody should be replaced. */
interface Outline {
  readonly asked: boolean;
  readonly infras: readonly string[];
  /** When the oldest was requested. */
  readonly oldestMs: number;
}

export const outlineOf = oncePer((members: readonly Member[]): Outline => {
  const infras = new Set<string>();
  let asked = false;
  let oldestMs = Number.POSITIVE_INFINITY;
  for (const { infra, replaceWanted, requestedAtMs } of members) {
    asked ||= replaceWanted;
    if (infra !== undefined) infras.add(infra);
    oldestMs = Math.min(oldestMs, requestedAtMs);
  }
  return { asked, infras: [...infras], oldestMs };
});

/** Nobody has a cause to be replaced; false: perhaps somebody has. */
export function isCalm({ at, infra, rules }: Books, { asked, infras, oldestMs }: Outline): boolean {
  const { forcedAgeMs = Number.POSITIVE_INFINITY, eligibleAgeMs = forcedAgeMs } = rules.expiry;
  const ageMs = Math.min(forcedAgeMs, eligibleAgeMs);
  return !asked && infras.every((one) => one === infra) && isYoung(at - oldestMs, ageMs);
}

/** Too young to be too old, whatever the jitter. */
function isYoung(ageMs: number, limitMs: number): boolean {
  return ageMs < Math.floor(limitMs * (1 - JITTER));
}

/** The most urgent first. */
export function urgencyOf(cause: ReplaceCause): number {
  return ['asked', 'forced-expiry', 'config-drift', 'eligible-expiry'].indexOf(cause);
}

export function reasonOf(cause: ReplaceCause | undefined): DrainReason {
  return cause === undefined || cause === 'asked' ? 'replaced' : cause;
}

/** It left, or leaves, so that another takes its place. */
export function leavesForAnother(reason: DrainReason | undefined): boolean {
  switch (reason) {
    case 'replaced':
    case 'forced-expiry':
    case 'config-drift':
    case 'eligible-expiry':
      return true;
    default:
      return false;
  }
}

function isDrifted({ infra }: Books, member: Member): boolean {
  return member.infra !== undefined && member.infra !== infra;
}

function isTooOld({ at }: Books, member: Member, ageMs: number | undefined): boolean {
  // What never served is judged by its boot: replacing it would be no rotation, and never end.
  if (ageMs === undefined || !hasServed(member)) return false;
  // Most are too young for any jitter, which is then not worth working out.
  if (isYoung(at - member.requestedAtMs, ageMs)) return false;
  return at > dueAtMs(member, ageMs);
}

function dueAtMs({ id, requestedAtMs }: Member, ageMs: number): number {
  return requestedAtMs + Math.round(ageMs * (1 - JITTER * fractionOf(id)));
}

/** When it will be too old, by the first age that it reaches. */
export function expiresAtMs({ rules }: Pick<Books, 'rules'>, member: Member): number | undefined {
  const { forcedAgeMs, eligibleAgeMs, onDemandAgeMs } = rules.expiry;
  const own = isOnDemand(member) ? [onDemandAgeMs] : [forcedAgeMs, eligibleAgeMs];
  const ages = own.filter((age) => age !== undefined);
  return ages.length === 0 ? undefined : dueAtMs(member, Math.min(...ages));
}

/** 0 to 1, the same for the same name (FNV-1a, mixed once more: names differ in their ends). */
function fractionOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 12)) >>> 0) / 4_294_967_296;
}
