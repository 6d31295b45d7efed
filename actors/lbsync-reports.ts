/**
 * What lbsync tells frontends: what VPP has acknowledged, and that a withdrawn VIP is gone.
 *
 * Rules: [LB-48] every `vip.desired` is answered once VPP has been asked; beyond that a report is sent
 * only when it says something new; [LB-49] `vip.gone` is said only when VPP does not have the VIP;
 * [LB-60] a report is made between two ops on its VIP, and names the newest wish only when VPP follows
 * it and nothing else: no VIP that its frontend left behind still holds servers.
 */
import { addressOf, type FrontendName } from '../machines/model/ids.js';
import type { VipKey } from '../machines/model/lb.js';
import type { PackedActual, PackedDesired } from '../machines/model/lb-packed.js';
import type { FrontendMessage, VipReport } from '../machines/model/messages.js';
import { areSame } from '../src/lb/packed/servers.js';
import { unpackActual } from '../src/lb/packed/vips.js';
import type { Scope } from '../src/runtime/actor-type.js';
import { isHeld } from './lbsync-adopt.js';
import { freezeOf } from './lbsync-freeze.js';
import { keysOf, strike } from './lbsync-ledger.js';
import type { LbsyncState } from './lbsync-state.js';
import { leftBehindBy, ownerOf, type Want, type Withdrawal } from './lbsync-wants.js';

/** Queues the answer of every frontend that waits for one about this key. */
export function reportKey(state: LbsyncState, key: VipKey): void {
  for (const frontend of state.wants.claims.get(key) ?? []) reportFrontend(state, frontend);
}

/** Nobody knows anything while VPP is away. */
export function reportFrontend(state: LbsyncState, frontend: FrontendName): void {
  const want = state.wants.wanted.get(frontend);
  if (want === undefined || state.mirror === undefined) return;
  report(state, reportOf(state, want), want.scope);
}

function reportOf(state: LbsyncState, want: Want): VipReport {
  const { key, desired } = want;
  const owner = ownerOf(state.wants, key);
  if (owner !== want) {
    const problem = `${key} is wanted by frontend ${owner?.desired.frontend} as well`;
    return { ...absent(desired.frontend, desired), problem };
  }
  const revision = isHeld(state, key) ? 0 : followedOf(state, desired);
  const actual = state.mirror?.get(key);
  const problem = problemOf(state, key);
  const seen = actual === undefined ? absent(desired.frontend, desired) : present(desired, actual);
  const synced = seen.synced && !state.failures.has(key);
  const frozen = freezeOf(state, key) === undefined ? {} : ({ frozen: true } as const);
  const followed = { ...seen, revision, synced, ...frozen };
  return problem === undefined ? followed : { ...followed, problem };
}

/** 0 as long as a VIP this frontend left may still have its servers, or the ledger hides one. */
function followedOf(state: LbsyncState, { frontend, revision }: PackedDesired): number {
  const left = leftBehindBy(state.wants, frontend).some((key) => isOursInVpp(state, key));
  return left || !state.ledger.loaded ? 0 : revision;
}

function isOursInVpp({ mirror, ledger, settings }: LbsyncState, key: VipKey): boolean {
  const ours = ledger.told.has(key) || settings?.ownership === 'exclusive';
  return ours && mirror?.has(key) === true;
}

export function problemOf(state: LbsyncState, key: VipKey): string | undefined {
  const waiting =
    state.mirror?.has(key) === false && state.ledger.problem !== undefined
      ? `the VIP is not created before it is in the ledger: ${state.ledger.problem}`
      : undefined;
  if (state.readOnly !== undefined) return state.readOnly;
  return state.failures.get(key)?.problem ?? state.findings.get(key)?.message ?? waiting;
}

function present(desired: PackedDesired, actual: PackedActual): VipReport {
  const { frontend, revision } = desired;
  const synced = areSame(desired.servers, actual.servers);
  const { encap, tableLength, servers } = unpackActual(actual);
  const conf = { encap, tableLength };
  return { frontend, revision, synced, exists: true, servers, conf };
}

function absent(frontend: FrontendName, desired: PackedDesired | undefined): VipReport {
  const conf = { encap: desired?.attributes.encap ?? 'gre4', tableLength: undefined };
  return { frontend, revision: 0, synced: false, exists: false, servers: [], conf };
}

function report(state: LbsyncState, message: VipReport, scope: Scope): void {
  const { frontend } = message;
  const text = JSON.stringify(message);
  const owed = state.owed.delete(frontend);
  if (!owed && state.reported.get(frontend) === text) return;
  state.reported.set(frontend, text);
  tell(state, scope, frontend, { type: 'vip.applied', report: message });
}

function tell(
  state: LbsyncState,
  scope: Scope,
  frontend: FrontendName,
  message: FrontendMessage,
): void {
  state.outbox.push(() => scope.tell(addressOf('frontend', frontend), message));
}

/** A restored frontend learns from VPP what its members weigh. */
export function reportAwaited(state: LbsyncState): void {
  if (state.mirror === undefined || !state.ledger.loaded) return;
  for (const [frontend, scope] of state.wants.awaited) {
    const key = keysOf(state.ledger, frontend).find((known) => state.mirror?.has(known));
    const actual = key === undefined ? undefined : state.mirror.get(key);
    if (actual === undefined) report(state, absent(frontend, undefined), scope);
    else {
      const { servers, encap, tableLength } = unpackActual(actual);
      const conf = { encap, tableLength };
      const found = { revision: 0, synced: false, exists: true, servers, conf };
      report(state, { frontend, ...found }, scope);
    }
  }
}

/** Withdrawals whose every VIP is gone, or was never ours to remove. */
export function reportGone(state: LbsyncState): void {
  const { wants, ledger, mirror } = state;
  if (mirror === undefined || !ledger.loaded || state.reviewReleases) return;
  for (const [frontend, withdrawal] of wants.withdrawn) {
    const keys = leftBehindBy(wants, frontend);
    if (keys.some((key) => isOursInVpp(state, key))) continue;
    for (const key of keys) {
      if (wants.released.delete(key)) strike(ledger, key);
    }
    finishWithdrawal(state, frontend, withdrawal);
  }
}

function finishWithdrawal(
  state: LbsyncState,
  frontend: FrontendName,
  { revision, scope }: Withdrawal,
): void {
  state.wants.withdrawn.delete(frontend);
  state.reported.delete(frontend);
  tell(state, scope, frontend, { type: 'vip.gone', revision });
}

/** The VIP as a load balancer would have it. */
function asApplied({ key, vip, attributes, servers }: PackedDesired): PackedActual {
  const { encap, dscp, tableLength } = attributes;
  return { key, vip, encap, dscp, tableLength, servers };
}

/** Without a load balancer: everything wanted is as good as acknowledged. */
export function reportDetached(state: LbsyncState): void {
  for (const { desired, scope } of state.wants.wanted.values()) {
    const { frontend, revision, attributes } = desired;
    const { encap, tableLength } = attributes;
    const { servers } = unpackActual(asApplied(desired));
    const conf = { encap, tableLength };
    const done = { revision, synced: true, exists: true, servers, conf };
    report(state, { frontend, ...done }, scope);
  }
  for (const [frontend, one] of state.wants.withdrawn) finishWithdrawal(state, frontend, one);
  state.wants.released.clear();
}
