/**
 * From marks to a plan: which VIPs a pass looks at, and the rules the diff is held to.
 *
 * Rules: [LB-50] a VIP found at start is untouched for `startupMinDelayMs`, and as long as its
 * frontend says it is not ready; [LB-51] a failing VIP waits for its own retry, others go on.
 */
import type { FrontendName } from '../machines/model/ids.js';
import type { VipKey } from '../machines/model/lb.js';
import type { PackedActual, PackedDesired } from '../machines/model/lb-packed.js';
import { differingAttributes } from '../src/lb/attributes.js';
import { adopt } from '../src/lb/memory.js';
import type { Mirror } from '../src/lb/packed/side.js';
import { type DiffRules, diffAll } from '../src/lb/plan.js';
import { prefixOf } from '../src/lb/prefix.js';
import type { Plan } from '../src/lb/steps.js';
import { heldStrangers } from './lbsync-adopt.js';
import { frozenKeys, waitingOps } from './lbsync-freeze.js';
import { frontendOf } from './lbsync-ledger.js';
import { handsOffMs, isDue, type LbsyncState } from './lbsync-state.js';
import { ownerOf } from './lbsync-wants.js';

export interface PassPlan extends Plan {
  /** The VIPs the plan is about: those without a step are as wanted. */
  readonly settled: readonly VipKey[];
  /** Frozen ones that are not as wanted: their frontends are told how they are. */
  readonly frozen: readonly VipKey[];
  /** The wishes the plan was made for. */
  readonly wanted: ReadonlyMap<VipKey, PackedDesired>;
}

export function planPass(state: LbsyncState, mirror: Mirror): PassPlan {
  if (state.reviewReleases) reviewReleases(state);
  const held = heldKeys(state);
  const due = [...state.dirty].filter((key) => isDue(state, key) && !held.has(key));
  const scope = widen(state, mirror, due);
  for (const key of scope) {
    meet(state, mirror, key);
    if (!isDue(state, key)) held.add(key);
  }
  const wanted = new Map(scope.flatMap((key) => wishFor(state, key)));
  const actual = new Map(scope.flatMap((key) => entryOf(mirror, key)));
  const plan = diffAll(actual, [...wanted.values()], rulesOf(state, held));
  const busy = new Set(plan.steps.map(({ key }) => key));
  const settled = scope.filter((key) => !busy.has(key) && !held.has(key));
  const { frozen, inStep } = judgeFrozen(state, mirror);
  return { ...plan, wanted, frozen, settled: [...settled, ...inStep] };
}

function judgeFrozen(state: LbsyncState, mirror: Mirror) {
  const keys = [...frozenKeys(state)].filter((key) => state.dirty.has(key));
  for (const key of keys) meet(state, mirror, key);
  const waiting = waitingOps(state, rulesOf(state));
  return {
    frozen: keys.filter((key) => waiting.has(key)),
    inStep: keys.filter((key) => !waiting.has(key)),
  };
}

export function rulesOf(
  { settings, ledger, wants, stale, memory }: LbsyncState,
  held: ReadonlySet<VipKey> = new Set(),
) {
  const rules: DiffRules = {
    ownership: settings?.ownership ?? 'ledger',
    ledger: ledger.told,
    held,
    removable: new Set([...wants.released.keys(), ...stale]),
    memory,
  };
  return rules;
}

function wishFor(state: LbsyncState, key: VipKey): (readonly [VipKey, PackedDesired])[] {
  const desired = ownerOf(state.wants, key)?.desired;
  return desired === undefined ? [] : [[key, desired]];
}

function entryOf(mirror: Mirror, key: VipKey): (readonly [VipKey, PackedActual])[] {
  const actual = mirror.get(key);
  return actual === undefined ? [] : [[key, actual]];
}

export function heldKeys(state: LbsyncState): Set<VipKey> {
  const held = new Set(handsOffMs(state) > 0 ? state.foundAtStart : []);
  for (const key of heldStrangers(state)) held.add(key);
  for (const key of frozenKeys(state)) held.add(key);
  for (const [key, frontend] of state.wants.released) {
    if (waitsForSuccessor(state, key, frontend)) held.add(key);
  }
  if (state.wants.awaited.size === 0) return held;
  for (const [key, entry] of state.ledger.entries) {
    const frontend = frontendOf(entry);
    if (frontend === undefined || state.wants.claims.has(key)) continue;
    if (state.wants.awaited.has(frontend)) held.add(key);
  }
  return held;
}

/** A frontend that moved keeps its old VIP until the new one is there, unless they share a prefix. */
function waitsForSuccessor(state: LbsyncState, key: VipKey, frontend: FrontendName): boolean {
  const next = state.wants.wanted.get(frontend);
  const old = state.mirror?.get(key);
  if (next === undefined || old === undefined) return false;
  return state.mirror?.has(next.key) === false && prefixOf(old.vip) !== prefixOf(next.desired.vip);
}

/**
 * Keys of the ledger that their frontend withdrew, or no longer wants because it wants another: free to
 * go, or another's by now, whose wish VPP does not follow there yet.
 */
function reviewReleases(state: LbsyncState): void {
  const { wants, ledger } = state;
  state.reviewReleases = !ledger.loaded;
  wants.bequeathed.clear();
  for (const [key, entry] of ledger.entries) {
    const frontend = frontendOf(ledger.pending.get(key) ?? entry);
    const owner = ownerOf(wants, key)?.desired.frontend;
    if (frontend === undefined || owner === frontend) continue;
    if (!wants.withdrawn.has(frontend) && !wants.wanted.has(frontend)) continue;
    if (owner === undefined) wants.released.set(key, frontend);
    else wants.bequeathed.set(key, frontend);
    state.dirty.add(key);
  }
}

/** Adding and removing concerns every VIP of the prefix; a change of weights only the VIP itself. */
function widen(state: LbsyncState, mirror: Mirror, due: readonly VipKey[]): readonly VipKey[] {
  const prefixes = new Set(
    due
      .filter((key) => !staysAsItIs(state, mirror, key))
      .map((key) => prefixIn(state, mirror, key)),
  );
  if (prefixes.size === 0) return due;
  const scope = new Set(due);
  for (const [key, { vip }] of mirror) if (prefixes.has(prefixOf(vip))) scope.add(key);
  for (const [key, { vip }] of state.wants.vips) if (prefixes.has(prefixOf(vip))) scope.add(key);
  return [...scope];
}

function staysAsItIs(state: LbsyncState, mirror: Mirror, key: VipKey): boolean {
  const actual = mirror.get(key);
  const desired = ownerOf(state.wants, key)?.desired;
  if (actual === undefined || desired === undefined) return actual === undefined && !desired;
  const told = state.ledger.told.get(key);
  return differingAttributes(actual, desired.attributes, told).length === 0;
}

function prefixIn(state: LbsyncState, mirror: Mirror, key: VipKey): string {
  const vip = mirror.get(key)?.vip ?? ownerOf(state.wants, key)?.desired.vip;
  return vip === undefined ? '' : prefixOf(vip);
}

/** First meeting of a wish with a VIP that an earlier process left: no flush is sent twice. */
function meet(state: LbsyncState, mirror: Mirror, key: VipKey): void {
  const desired = ownerOf(state.wants, key)?.desired;
  if (desired === undefined || state.met.has(key)) return;
  state.met.add(key);
  const actual = mirror.get(key);
  if (actual !== undefined) adopt(state.memory, actual, desired);
}
