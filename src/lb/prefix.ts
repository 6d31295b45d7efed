/**
 * VIPs that share a prefix get into each other's way: VPP wants one encapsulation for all of them, and
 * refuses an all-port VIP beside per-port ones. Decides what must be removed before what can be added.
 *
 * Input:  what VPP has, the VIPs that are to be added (some in place of what is there), and the VIPs
 *         that may go anyway.
 * Output: one unit of steps per prefix (removals that make room, then builds), and the candidates
 *         that stay blocked. A VIP is taken down for re-creation only when it can come back.
 *
 * Rules: [LB-11] a removal comes before a build only where it blocks it; [LB-13] of two VIPs that
 * exclude each other the one already there stays, then lower priority numbers and smaller keys win.
 */
import type { Vip, VipKey } from '../../machines/model/lb.js';
import type { PackedActual, PackedDesired } from '../../machines/model/lb-packed.js';
import { buildStep, compareText, removalStep, type Unit } from './steps.js';

/** A VIP to be added; with `replaces`, after the VIP of the same key was removed. */
export interface Candidate {
  readonly key: VipKey;
  readonly desired: PackedDesired;
  readonly replaces?: PackedActual;
}

export interface PrefixPlan {
  readonly units: readonly Unit[];
  /** Stale VIPs that these units remove. */
  readonly removed: ReadonlySet<VipKey>;
  readonly blocked: readonly Candidate[];
}

export interface PrefixInput {
  readonly actual: ReadonlyMap<VipKey, PackedActual>;
  readonly candidates: readonly Candidate[];
  readonly stale: readonly PackedActual[];
}

/** What decides whether two VIPs of one prefix exclude each other. */
interface Standing {
  readonly vip: Vip;
  readonly encap: PackedActual['encap'];
}

export function planPrefixes({ actual, candidates, stale }: PrefixInput): PrefixPlan {
  const wanted = groupBy(candidates, ({ desired }) => prefixOf(desired.vip));
  const there = groupBy(
    [...actual.values()].filter(({ vip }) => wanted.has(prefixOf(vip))),
    ({ vip }) => prefixOf(vip),
  );
  const staleKeys = new Set(stale.map(({ key }) => key));
  const units: Unit[] = [];
  const removed = new Set<VipKey>();
  const blocked: Candidate[] = [];
  for (const [prefix, group] of wanted) {
    const present = there.get(prefix) ?? [];
    const staying = present.filter(({ key }) => !staleKeys.has(key));
    const settled = settle(group, staying);
    const inTheWay = present.filter(
      (vip) =>
        staleKeys.has(vip.key) &&
        settled.accepted.some(({ desired }) => exclude(standingOf(desired), vip)),
    );
    for (const { key } of inTheWay) removed.add(key);
    blocked.push(...settled.blocked);
    if (settled.accepted.length > 0) units.push(unitOf(settled.accepted, inTheWay));
  }
  return { units, removed, blocked };
}

function unitOf(accepted: readonly Candidate[], inTheWay: readonly PackedActual[]): Unit {
  const replaced = accepted.flatMap(({ replaces }) => (replaces === undefined ? [] : [replaces]));
  const removals = [...inTheWay, ...replaced].map(removalStep);
  const builds = accepted.toSorted(byRank).map(({ desired }) => buildStep(desired));
  return [...removals.sort((a, b) => compareText(a.key, b.key)), ...builds];
}

/**
 * Which candidates can be added. One that replaces a VIP and is refused leaves that VIP standing,
 * which may refuse others: so start again without it, once per such candidate at most.
 */
function settle(
  group: readonly Candidate[],
  staying: readonly PackedActual[],
): { readonly accepted: readonly Candidate[]; readonly blocked: readonly Candidate[] } {
  const kept: Candidate[] = [];
  let pending = group.toSorted(byRank).sort(replacingFirst);
  for (;;) {
    const leaving = new Set(
      pending.filter(({ replaces }) => replaces !== undefined).map(({ key }) => key),
    );
    const round = accept(
      pending,
      staying.filter(({ key }) => !leaving.has(key)),
    );
    const stuck = round.refused.filter(({ replaces }) => replaces !== undefined);
    if (stuck.length === 0) {
      return { accepted: round.accepted, blocked: [...kept, ...round.refused] };
    }
    kept.push(...stuck);
    pending = pending.filter((candidate) => !stuck.includes(candidate));
  }
}

function accept(candidates: readonly Candidate[], staying: readonly Standing[]) {
  const standing: Standing[] = [...staying];
  const accepted: Candidate[] = [];
  const refused: Candidate[] = [];
  for (const candidate of candidates) {
    const next = standingOf(candidate.desired);
    if (standing.some((other) => exclude(next, other))) {
      refused.push(candidate);
      continue;
    }
    standing.push(next);
    accepted.push(candidate);
  }
  return { accepted, refused };
}

function standingOf({ vip, attributes }: PackedDesired): Standing {
  return { vip, encap: attributes.encap };
}

/** For two VIPs of one prefix. */
function exclude(one: Standing, other: Standing): boolean {
  return one.encap !== other.encap || (one.vip.port === 0) !== (other.vip.port === 0);
}

function byRank(a: Candidate, b: Candidate): number {
  return a.desired.priority - b.desired.priority || compareText(a.key, b.key);
}

function replacingFirst(a: Candidate, b: Candidate): number {
  return Number(a.replaces === undefined) - Number(b.replaces === undefined);
}

export function prefixOf(vip: Vip): string {
  return `${vip.address}/${vip.prefixLength}`;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
