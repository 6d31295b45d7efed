/**
 * What operators froze: VIPs that VPP is told nothing of, while what would be told goes on being worked out.
 *
 * Input:  the state, and in it the book of overrides beside lbsync (`freeze`: everything; `freeze:NAME`:
 *         one frontend; `drain`: the node's VIPs are not announced). Output: which VIPs are frozen, what waits for them, orders for the book.
 *
 * Rules: [LB-80] nothing is written to a frozen VIP, its removal included, from the first moment of every
 * life on; [LB-81] the diff that waits is shown, and a frozen VIP that is as wanted is in step; [LB-82] after
 * the thaw what waited is written, once; [LB-84] a book that cannot be read freezes everything.
 */

import type { LbsyncEvent } from '../machines/lbsync.js';
import type { NodeLevel } from '../machines/model/announce.js';
import type { Refusal } from '../machines/model/failures.js';
import { addressOf, type FrontendName } from '../machines/model/ids.js';
import type { VipKey } from '../machines/model/lb.js';
import type { PackedActual, PackedDesired } from '../machines/model/lb-packed.js';
import type { OverrideEntry, Overrides } from '../machines/model/overrides.js';
import { endOf, type OrderParams, orderFor, termsOf } from '../machines/overriding.js';
import { explain } from '../src/lb/explain.js';
import { type DiffRules, diffAll } from '../src/lb/plan.js';
import type { Scope } from '../src/runtime/actor-type.js';
import { frontendOf } from './lbsync-ledger.js';
import { type LbsyncState, markAll } from './lbsync-state.js';
import { ownerOf } from './lbsync-wants.js';

const ALL = 'freeze';
/** Of the whole node: its VIPs are not announced. */
const DRAIN = 'drain';
/** No operator: nobody can be called so. */
const NOBODY = '';
const one = (frontend: string) => `${ALL}:${frontend}`;

export type FreezeOrder = Extract<LbsyncEvent, { type: 'operator.freeze' | 'operator.thaw' }>;
export type DrainOrder = Extract<
  LbsyncEvent,
  { type: 'operator.drainNode' | 'operator.undrainNode' }
>;

/** Everything is looked at again: what is thawed may have to be written, and who is frozen is told. */
export function takeBook(state: LbsyncState, book: Overrides, scope: Scope): void {
  if (JSON.stringify(book) === JSON.stringify(state.overrides)) return;
  const drained = isDrained(state);
  state.overrides = book;
  markAll(state);
  if (drained === isDrained(state)) return;
  const { wanted, awaited } = state.wants;
  for (const name of [...wanted.keys(), ...awaited.keys()]) tellNode(state, name, scope);
}

/** `null`: the book cannot be read. */
export function isDrained({ overrides }: LbsyncState): boolean | null {
  if (overrides[ALL]?.owner === NOBODY) return null;
  return overrides[DRAIN] !== undefined;
}

/**
 * What stands in for a book that cannot be read: anything may have been frozen, and the node may have been
 * drained.
 */
export function unreadableBook(nowMs: number): Overrides {
  const reason = 'what operators ordered cannot be read';
  const when = { sinceMs: nowMs, untilMs: null };
  return { [ALL]: { kind: ALL, value: true, configured: false, owner: NOBODY, reason, ...when } };
}

export function tellNode(state: LbsyncState, frontend: FrontendName, scope: Scope): void {
  const message: NodeLevel = { type: 'node.level', drained: isDrained(state) };
  scope.tell(addressOf('frontend', frontend), message);
}

export function isAnyFrozen({ overrides }: LbsyncState): boolean {
  return Object.keys(overrides).some((kind) => kind.startsWith(ALL));
}

export function isAllFrozen({ overrides }: LbsyncState): boolean {
  return overrides[ALL] !== undefined;
}

/** The order that freezes this VIP. A VIP two frontends have to do with is frozen with either. */
export function freezeOf(state: LbsyncState, key: VipKey): OverrideEntry | undefined {
  const { overrides, wants, ledger } = state;
  if (!isAnyFrozen(state)) return undefined;
  const entry = ledger.entries.get(key);
  const names = [
    ownerOf(wants, key)?.desired.frontend,
    wants.released.get(key),
    wants.bequeathed.get(key),
    entry === undefined ? undefined : frontendOf(entry),
  ];
  const orders = names.map((name) => (name === undefined ? undefined : overrides[one(name)]));
  return overrides[ALL] ?? orders.find((order) => order !== undefined);
}

export function frozenKeys(state: LbsyncState): ReadonlySet<VipKey> {
  const { wants, ledger, mirror, dirty } = state;
  if (!isAnyFrozen(state)) return NONE;
  const known = [dirty, wants.claims, ledger.entries, mirror ?? NOTHING].flatMap((keys) => [
    ...keys.keys(),
  ]);
  return new Set(known.filter((key) => freezeOf(state, key) !== undefined));
}

const NONE: ReadonlySet<VipKey> = new Set();
const NOTHING: ReadonlyMap<VipKey, unknown> = new Map();

/** What would be written to frozen VIPs, line by line; those that are as wanted have none. */
export function waitingOps(
  state: LbsyncState,
  rules: DiffRules,
): ReadonlyMap<VipKey, readonly string[]> {
  const { mirror, wants } = state;
  const keys = frozenKeys(state);
  if (keys.size === 0 || mirror === undefined) return new Map();
  const actual = new Map<VipKey, PackedActual>();
  const desired: PackedDesired[] = [];
  for (const key of keys) {
    const present = mirror.get(key);
    const wanted = ownerOf(wants, key)?.desired;
    if (present !== undefined) actual.set(key, present);
    if (wanted !== undefined) desired.push(wanted);
  }
  const { steps } = diffAll(actual, desired, { ...rules, held: NONE });
  return new Map(steps.map(({ key, ops }) => [key, explain(ops)]));
}

/** The order for the book; a refusal when there is no such frontend. */
export function orderOfFreeze(
  { wants }: LbsyncState,
  order: FreezeOrder,
  replyTo: string | undefined,
): OrderParams | Refusal {
  const { frontend } = order;
  const self = addressOf('lbsync', 'main');
  const kind = frontend === undefined ? ALL : one(frontend);
  if (order.type === 'operator.thaw') return endOf(self, [kind], order, replyTo);
  if (frontend !== undefined && !isKnown(wants, frontend)) {
    const message = `frontend ${frontend} has no VIP to freeze`;
    return { code: 'not-found', rule: 'LB-80', message };
  }
  return orderFor(self, { kind, value: true, configured: false, ...termsOf(order) }, replyTo);
}

export function orderOfDrain(order: DrainOrder, replyTo: string | undefined): OrderParams {
  const self = addressOf('lbsync', 'main');
  if (order.type === 'operator.undrainNode') return endOf(self, [DRAIN], order, replyTo);
  const entry = { kind: DRAIN, value: true, configured: false, ...termsOf(order) };
  return orderFor(self, entry, replyTo);
}

function isKnown(wants: LbsyncState['wants'], name: FrontendName): boolean {
  return [wants.wanted, wants.awaited, wants.withdrawn].some((words) => words.has(name));
}
