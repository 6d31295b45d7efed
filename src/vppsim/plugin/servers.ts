/**
 * AS requests: add (or revive), delete, set weight. Each rebuilds the VIP's table.
 *
 * A removed AS that was not collected yet is revived by an add and deleted again by a delete, which
 * restamps its removal; its weight cannot be set. The family is checked for new ASes only.
 */
import { type Hex, isIp4 } from '../addresses.js';
import { type Pool, put, replace } from '../pool.js';
import { collectVip, natMapping } from './collect.js';
import {
  type FoundVip,
  findByKey,
  isNat,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  reachesIp4,
} from './lookup.js';
import type { AsAdd, AsDelete, AsWeight } from './requests.js';
import {
  type As,
  andThen,
  deadly,
  done,
  type LbState,
  type Outcome,
  refused,
  retvals,
  undefinedBehaviour,
} from './state.js';
import { rebuildTable } from './table.js';

interface FoundAs {
  readonly index: number;
  readonly as: As;
}

export function addAs(state: LbState, request: AsAdd, nowS: number): Outcome {
  const found = findByKey(state, request.vip);
  if (found === undefined) return refused(state, retvals.noSuchEntry);
  const known = findAs(found.vip.servers, request.as);
  if (known?.as.used === true) return refused(state, retvals.valueExist);
  if (known === undefined && isIp4(request.as) !== reachesIp4(found.vip.type)) {
    return refused(state, retvals.invalidAddressFamily);
  }
  const added =
    known === undefined
      ? createAs(state, found, request)
      : done(withAs(state, found, { index: known.index, as: revived(known.as, request) }));
  return andThen(added, (current) =>
    andThen(rebuildTable(current, found.vip.tableLength), (rebuilt) =>
      collectVip(rebuilt, found.slot, nowS),
    ),
  );
}

function revived(as: As, request: AsAdd): As {
  const flows = request.flush ? 0 : as.flows;
  return { ...as, used: true, weight: request.weight, flows };
}

function createAs(state: LbState, { slot, vip }: FoundVip, request: AsAdd): Outcome {
  if (isNat(vip.type) && vip.port === 0) {
    return done(state, [deadly('an AS for a NAT VIP without a port has no next node')]);
  }
  const as: As = {
    address: request.as,
    used: true,
    weight: request.weight,
    removedAtS: state.freedAses.at(-1) ?? 0,
    flows: 0,
  };
  const servers = put(vip.servers, as).pool;
  const made = {
    ...state,
    vips: replace(state.vips, slot, { ...vip, servers }),
    freedAses: state.freedAses.slice(0, -1),
  };
  if (isNat(vip.type)) {
    const mapping = natMapping(vip, as);
    const others = state.natMappings.filter((other) => other !== mapping);
    return done({ ...made, natMappings: [...others, mapping] });
  }
  const ported = vip.port === 0 || [PROTOCOL_TCP, PROTOCOL_UDP].includes(vip.protocol);
  const what = `an AS for a per-port VIP of protocol ${vip.protocol}`;
  return done(made, ported ? [] : [undefinedBehaviour(what)]);
}

export function deleteAs(state: LbState, request: AsDelete, nowS: number): Outcome {
  const found = findByKey(state, request.vip);
  const known = found && findAs(found.vip.servers, request.as);
  if (found === undefined || known === undefined) return refused(state, retvals.noSuchEntry);
  return andThen(collectVip(state, found.slot, nowS), (current) => {
    const vip = current.vips.slots[found.slot] ?? found.vip;
    // Collected a moment ago: VPP marks the freed slot, which nobody sees.
    if (vip.servers.slots[known.index] === undefined) return done(current);
    const flows = request.flush ? 0 : known.as.flows;
    const as = { ...known.as, used: false, removedAtS: nowS, flows };
    const removed = withAs(current, { slot: found.slot, vip }, { index: known.index, as });
    return rebuildTable(removed, vip.tableLength);
  });
}

export function weighAs(state: LbState, request: AsWeight): Outcome {
  const found = findByKey(state, request.vip);
  const known = found && findAs(found.vip.servers, request.as);
  if (found === undefined || known?.as.used !== true) return refused(state, retvals.noSuchEntry);
  const flows = request.flush ? 0 : known.as.flows;
  const as = { ...known.as, weight: request.weight, flows };
  return rebuildTable(withAs(state, found, { index: known.index, as }), found.vip.tableLength);
}

function findAs(servers: Pool<As, null>, address: Hex): FoundAs | undefined {
  const index = servers.slots.findIndex((as) => as?.address === address);
  const as = servers.slots[index];
  return as === undefined ? undefined : { index, as };
}

function withAs(state: LbState, { slot, vip }: FoundVip, { index, as }: FoundAs): LbState {
  const servers = replace(vip.servers, index, as);
  return { ...state, vips: replace(state.vips, slot, { ...vip, servers }) };
}
