/**
 * The diff of a whole dataplane: which VIPs are updated, built, re-created or removed, and in which
 * order, so that no request is refused for a reason we could have seen.
 *
 * Input:  VIPs as VPP has them, VIPs as wanted, and the rules (ownership, ledger, who may be touched).
 * Output: steps, one per VIP, each with its ops in order; findings for what was left undone and why.
 *
 *   updates, and builds with what blocks them removed just before, by priority  ->  other removals
 *
 * Rules: [LB-6] a VIP that is not wanted is removed only when the ledger has it (or ownership is
 * exclusive) and its removal was allowed; [LB-7] re-creation happens only on demand; [LB-10] the same
 * input gives the same plan; [LB-11] a removal comes before a build only where it blocks it.
 */
import type { VipAttributes, VipKey } from '../../machines/model/lb.js';
import type { PackedActual, PackedDesired } from '../../machines/model/lb-packed.js';
import { type AttributeName, differingAttributes, takesSameServers } from './attributes.js';
import { diffVip } from './diff.js';
import type { DiffMemory } from './memory.js';
import { hasPending } from './packed/changes.js';
import { differing, type Mirror, type WantedVips } from './packed/side.js';
import { type Candidate, planPrefixes } from './prefix.js';
import {
  byPriority,
  compareText,
  type Finding,
  type Plan,
  type PlanStep,
  removalStep,
  type Unit,
} from './steps.js';

export interface DiffRules {
  readonly ownership: 'ledger' | 'exclusive';
  /** What we created or adopted, and the attributes VPP was given. */
  readonly ledger: ReadonlyMap<VipKey, VipAttributes>;
  /** VIPs nobody may touch now, wanted or not. */
  readonly held: ReadonlySet<VipKey>;
  /** Which VIPs that are not wanted may go now, ownership permitting. */
  readonly removable: 'all' | ReadonlySet<VipKey>;
  readonly memory: DiffMemory;
}

export type Actual = ReadonlyMap<VipKey, PackedActual>;

export function diffAll(actual: Actual, desired: readonly PackedDesired[], rules: DiffRules): Plan {
  const judged: Judged = { updates: [], candidates: [], findings: [] };
  let met = 0;
  for (const wanted of desired) {
    const { key } = wanted;
    const present = actual.get(key);
    if (present !== undefined) met += 1;
    if (rules.held.has(key)) continue;
    if (present === undefined) judged.candidates.push({ key, desired: wanted });
    else judgePresent({ key, present, wanted }, rules, judged);
  }
  const nothingElse = judged.candidates.length === 0 && met === actual.size;
  return nothingElse ? planOf(judged, [], []) : planRest(actual, desired, rules, judged);
}

/**
 * Keys of the wanted VIPs that VPP does not have as they are wanted. Where nothing changed this is all
 * there is to a diff of everything against everything: memory compared with memory.
 *
 * Stickiness is not looked at: no dump tells of it, and whoever changes what is wanted or known of it
 * has named the VIP.
 */
export function outOfStep(
  actual: Mirror,
  wanted: WantedVips,
  { building, flushed }: DiffMemory,
): ReadonlySet<VipKey> {
  const keys = new Set(differing(actual, wanted));
  for (const key of building) if (wanted.has(key)) keys.add(key);
  for (const key of wanted.evicting) {
    const desired = wanted.get(key);
    if (desired !== undefined && hasPending(desired, flushed.get(key))) keys.add(key);
  }
  return keys;
}

interface Judged {
  readonly updates: PlanStep[];
  readonly candidates: Candidate[];
  readonly findings: Finding[];
}

function planOf(judged: Judged, units: readonly Unit[], removals: readonly PlanStep[]): Plan {
  const updates = judged.updates.map((step) => [step]);
  const steps = [
    ...byPriority([...updates, ...units]),
    ...removals.toSorted((a, b) => compareText(a.key, b.key)),
  ];
  return { steps, findings: judged.findings };
}

function planRest(
  actual: Actual,
  desired: readonly PackedDesired[],
  rules: DiffRules,
  judged: Judged,
): Plan {
  const stale = staleVips(actual, desired, rules);
  const prefixes = planPrefixes({ actual, candidates: judged.candidates, stale });
  for (const candidate of prefixes.blocked) judgeBlocked(candidate, rules, judged);
  const removals = stale.filter(({ key }) => !prefixes.removed.has(key)).map(removalStep);
  return planOf(judged, prefixes.units, removals);
}

interface Present {
  readonly key: VipKey;
  readonly present: PackedActual;
  readonly wanted: PackedDesired;
}

function judgePresent(pair: Present, rules: DiffRules, judged: Judged): void {
  const { key, present, wanted } = pair;
  const told = rules.ledger.get(key);
  const differing = differingAttributes(present, wanted.attributes, told);
  if (differing.length === 0) return updateServers(pair, rules, judged);

  const ours = told !== undefined || rules.ownership === 'exclusive';
  if (ours && wanted.mayRecreate === true) {
    judged.candidates.push({ key, desired: wanted, replaces: present });
    return;
  }
  judged.findings.push(
    ours ? needsRecreation(pair, differing) : foreignAttributes(pair, differing),
  );
  if (ours) updateServers(pair, rules, judged);
}

/** Weights go on being managed under old attributes, as far as the VIP takes the same servers. */
function updateServers({ key, present, wanted }: Present, rules: DiffRules, judged: Judged): void {
  if (!takesSameServers(present.encap, wanted.attributes.encap)) return;
  const ops = diffVip(present, wanted, rules.memory);
  if (ops.length === 0) return;
  judged.updates.push({ kind: 'update', key, vip: wanted.vip, desired: wanted, ops });
}

function judgeBlocked(
  { key, desired, replaces }: Candidate,
  rules: DiffRules,
  judged: Judged,
): void {
  judged.findings.push({
    code: 'blocked',
    key,
    frontend: desired.frontend,
    attributes: [],
    message: `${key}: another VIP on this prefix has another encapsulation or port kind`,
  });
  if (replaces !== undefined)
    updateServers({ key, present: replaces, wanted: desired }, rules, judged);
}

function needsRecreation(
  { key, wanted: { frontend } }: Present,
  attributes: readonly AttributeName[],
): Finding {
  const what = attributes.join(', ');
  const message = `${key}: ${what} can only change by re-creating the VIP, which interrupts it`;
  return { code: 'needs-recreation', key, frontend, attributes, message };
}

function foreignAttributes(
  { key, wanted: { frontend } }: Present,
  attributes: readonly AttributeName[],
): Finding {
  const message = `${key}: a VIP we did not create is there, with another ${attributes.join(', ')}`;
  return { code: 'foreign-attributes', key, frontend, attributes, message };
}

/** VIPs that are not wanted and may go, in no particular order. */
function staleVips(
  actual: Actual,
  desired: readonly PackedDesired[],
  { ownership, ledger, held, removable }: DiffRules,
): readonly PackedActual[] {
  const wanted = new Set(desired.map(({ key }) => key));
  const mayGo = (key: VipKey): boolean =>
    !wanted.has(key) &&
    !held.has(key) &&
    (ownership === 'exclusive' || ledger.has(key)) &&
    (removable === 'all' || removable.has(key));
  return [...actual].filter(([key]) => mayGo(key)).map(([, vip]) => vip);
}
