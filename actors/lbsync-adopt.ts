/**
 * VIPs that are wanted, are in VPP, and were never ours: set up by hand, by another controller, or by
 * us before the ledger was lost. They serve, so their frontend is shown them before it has its say.
 *
 * Input:  the state. Output: which VIPs must be left as they are for now, and for how long.
 *
 * A frontend that hears what its members weigh keeps that for everybody it knows nothing of yet; its
 * next wish then differs from VPP only where something is known. One that has nobody to serve yet
 * cannot take over a VIP that serves.
 *
 * Rules: [LB-65] a VIP that was never ours is shown to its frontend first, and taken over by a wish
 * that serves; until then nothing is written to it.
 */
import { ADOPTION_MS } from '../machines/lbsync-limits.js';
import type { VipKey } from '../machines/model/lb.js';
import { hasWeight } from '../src/lb/packed/servers.js';
import type { LbsyncState } from './lbsync-state.js';
import { ownerOf } from './lbsync-wants.js';

/** Notes whom we meet now; what is met must be reported to its frontend. */
export function meetStrangers(state: LbsyncState): readonly VipKey[] {
  const met = [...state.dirty].filter((key) => isStranger(state, key) && !state.strangers.has(key));
  for (const key of met) state.strangers.set(key, state.clock.monotonic());
  return met;
}

/** Dirty VIPs that may not be written yet. */
export function heldStrangers(state: LbsyncState): readonly VipKey[] {
  return state.strangers.size === 0 ? [] : [...state.dirty].filter((key) => isHeld(state, key));
}

/** Until the first of them may be looked at again; what waits for a server is not waited for. */
export function strangersWaitMs(state: LbsyncState): number | undefined {
  const waits = heldStrangers(state).map((key) => ADOPTION_MS - knownForMs(state, key));
  const ahead = waits.filter((wait) => wait > 0);
  return ahead.length === 0 ? undefined : Math.min(...ahead);
}

export function isHeld(state: LbsyncState, key: VipKey): boolean {
  if (!isStranger(state, key)) return false;
  return knownForMs(state, key) < ADOPTION_MS || waitsForServer(state, key);
}

/** It serves, and whoever wants it would have it serve nobody. */
export function waitsForServer({ wants, mirror }: LbsyncState, key: VipKey): boolean {
  const wanted = ownerOf(wants, key)?.desired;
  const actual = mirror?.get(key);
  if (wanted === undefined || actual === undefined) return false;
  return hasWeight(actual.servers) && !hasWeight(wanted.servers);
}

function isStranger({ wants, mirror, ledger }: LbsyncState, key: VipKey): boolean {
  if (!ledger.loaded || ledger.told.has(key) || ledger.pending.get(key) !== undefined) return false;
  return wants.claims.has(key) && mirror?.has(key) === true;
}

function knownForMs({ strangers, clock }: LbsyncState, key: VipKey): number {
  const metAt = strangers.get(key);
  return metAt === undefined ? 0 : clock.monotonic() - metAt;
}
