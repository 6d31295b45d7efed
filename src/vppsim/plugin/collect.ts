/**
 * Garbage collection: when removed ASes and VIPs leave VPP's memory, and the dumps.
 *
 * A removed AS goes once more than 10 s have passed, no sticky flow pins it, and its VIP was not
 * collected within 60 s; that is tried at each AS add or delete of the VIP and at each sweep (a
 * minute apart). A removed VIP goes in the sweep that finds it without ASes.
 *
 * An AS of a NAT VIP takes its return mapping along. The mapping is shared by all who have the same
 * (address, target port); whoever comes second finds none, and VPP aborts.
 */
import { limits } from '../limits.js';
import { release, replace, slotOf, taken } from '../pool.js';
import { isNat } from './lookup.js';
import { type As, andThen, deadly, done, type LbState, type Outcome, type Vip } from './state.js';

/** One VIP, if its gate is open. */
export function collectVip(state: LbState, slot: number, nowS: number): Outcome {
  const vip = slotOf(state.vips, slot);
  if (nowS <= vip.collectedAtS + limits.sweepEveryS) return done(state);
  const opened = { ...vip, collectedAtS: nowS };
  let outcome = done({ ...state, vips: replace(state.vips, slot, opened) });
  for (const [index, as] of vip.servers.slots.entries()) {
    if (as === undefined || !isGarbage(as, nowS)) continue;
    outcome = andThen(outcome, (current) => collectAs(current, slot, index));
  }
  return outcome;
}

/** VPP's background pass over everything. */
export function sweep(state: LbState, nowS: number): Outcome {
  let outcome = done(state);
  for (const [slot, vip] of state.vips.slots.entries()) {
    if (vip !== undefined) outcome = andThen(outcome, (current) => collectVip(current, slot, nowS));
  }
  return andThen(outcome, (current) => done(withoutEmptyVips(current)));
}

function isGarbage(as: As, nowS: number): boolean {
  return !as.used && as.flows === 0 && nowS > as.removedAtS + limits.removedAsKeptS;
}

function collectAs(state: LbState, slot: number, index: number): Outcome {
  const vip = slotOf(state.vips, slot);
  const as = slotOf(vip.servers, index);
  const servers = release(vip.servers, index, null);
  const freed = {
    ...state,
    vips: replace(state.vips, slot, { ...vip, servers }),
    freedAses: [...state.freedAses, as.removedAtS],
  };
  if (!isNat(vip.type)) return done(freed);
  const mapping = natMapping(vip, as);
  if (!state.natMappings.includes(mapping)) {
    return done(state, [deadly(`the NAT mapping ${mapping} is gone before its AS is collected`)]);
  }
  return done({ ...freed, natMappings: state.natMappings.filter((other) => other !== mapping) });
}

/** Return mappings know neither the VIP nor the protocol. */
export function natMapping(vip: Vip, as: As): string {
  return `${vip.type} ${as.address} ${vip.args.targetPort}`;
}

function withoutEmptyVips(state: LbState): LbState {
  let { vips } = state;
  for (const [slot, vip] of state.vips.slots.entries()) {
    if (vip === undefined || vip.used || taken(vip.servers).length > 0) continue;
    vips = release(vips, slot, vip.args);
  }
  return { ...state, vips };
}
