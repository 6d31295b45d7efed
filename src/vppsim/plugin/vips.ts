/**
 * VIP requests: add, delete, flush.
 *
 * The checks of an add come in VPP's order: the same VIP (-81), all-port against per-port (-81),
 * another type on the prefix (-73), the table length (-70), the family (-97). The NODEPORT check
 * comes after the VIP is made, which leaves a half-made one behind.
 */
import { isIp4Prefix } from '../addresses.js';
import { emptyPool, put, replace, staleOfNext } from '../pool.js';
import { collectVip } from './collect.js';
import {
  findByKey,
  findVip,
  isNat,
  keyOf,
  PROTOCOL_ANY,
  samePort,
  samePrefix,
  vipTypeFor,
} from './lookup.js';
import type { VipAdd, VipDelete, VipFlush } from './requests.js';
import {
  andThen,
  done,
  type EncapArgs,
  type LbState,
  type Outcome,
  refused,
  retvals,
  undefinedBehaviour,
  type Vip,
  type VipKey,
  type VipType,
} from './state.js';
import { allocateTable, isPowerOfTwoOrZero, rebuildTable } from './table.js';

const DSCP_MASK = 0x3f;
const NODEPORT = 1;

export function addVip(state: LbState, request: VipAdd, nowS: number): Outcome {
  const key = keyOf(request.vip);
  const type = vipTypeFor(request.vip, request.encap);
  const refusal =
    conflictOn(state, key, type) ?? (isPowerOfTwoOrZero(request.tableLength) ? undefined : -70);
  if (refusal !== undefined) return refused(state, refusal);
  if (isIp4Prefix(key.prefix, key.prefixLength) !== type.startsWith('ip4')) {
    return refused(state, retvals.invalidAddressFamily);
  }
  return andThen(allocateTable(state, request.tableLength), (current) =>
    makeVip(current, { request, key, type, nowS }),
  );
}

function conflictOn(state: LbState, key: VipKey, type: VipType): number | undefined {
  const allPort = { ...key, port: 0, protocol: PROTOCOL_ANY };
  if (findByKey(state, key) !== undefined) return retvals.valueExist;
  if (findByKey(state, allPort) !== undefined) return retvals.valueExist;
  const neighbour = findVip(state, (vip) => samePrefix(vip, key) && !samePort(vip, key));
  if (neighbour === undefined) return undefined;
  if (key.port === 0) return retvals.valueExist;
  return neighbour.vip.type === type ? undefined : retvals.invalidArgument;
}

interface Making {
  readonly request: VipAdd;
  readonly key: VipKey;
  readonly type: VipType;
  readonly nowS: number;
}

function makeVip(state: LbState, { request, key, type, nowS }: Making): Outcome {
  const stale = staleOfNext(state.vips) ?? { srvType: 0, targetPort: 0 };
  const args = encapArgs(type, request, stale);
  const onNodePort = isNat(type) && key.port !== 0 && args.srvType === NODEPORT;
  const portKnown = onNodePort && state.nodePorts.includes(key.port);
  const vip: Vip = {
    ...key,
    used: true,
    type,
    args,
    tableLength: request.tableLength,
    srcIpSticky: request.srcIpSticky,
    filtered: !portKnown,
    collectedAtS: nowS,
    servers: emptyPool(),
  };
  const made = { ...state, vips: put(state.vips, vip).pool };
  if (portKnown) return refused(made, retvals.valueExist);
  return done(onNodePort ? { ...made, nodePorts: [...made.nodePorts, key.port] } : made);
}

function encapArgs(type: VipType, request: VipAdd, stale: EncapArgs): EncapArgs {
  if (isNat(type)) return { srvType: request.srvType, targetPort: request.targetPort };
  if (type !== 'ip4-l3dsr') return stale;
  const dscp = request.dscp & DSCP_MASK;
  return { ...stale, srvType: ((stale.srvType & 0xffffff00) | dscp) >>> 0 };
}

/** All its ASes count as removed now, those removed before included. */
export function deleteVip(state: LbState, request: VipDelete, nowS: number): Outcome {
  const found = findByKey(state, request.vip);
  if (found === undefined) return refused(state, retvals.noSuchEntry);
  const { slot } = found;
  const hadServers = found.vip.servers.slots.some((as) => as !== undefined);
  const emptied = hadServers ? removeAllAses(state, slot, nowS) : done(state);
  return andThen(emptied, (current) => {
    const vip = current.vips.slots[slot] ?? found.vip;
    const after = { ...current, vips: replace(current.vips, slot, { ...vip, used: false }) };
    return vip.port !== 0 && !vip.filtered ? refused(after, retvals.noSuchEntry) : done(after);
  });
}

function removeAllAses(state: LbState, slot: number, nowS: number): Outcome {
  return andThen(collectVip(state, slot, nowS), (current) => {
    const vip = current.vips.slots[slot];
    if (vip === undefined) return done(current);
    const slots = vip.servers.slots.map((as) => as && { ...as, used: false, removedAtS: nowS });
    const servers = { ...vip.servers, slots };
    const removed = { ...current, vips: replace(current.vips, slot, { ...vip, servers }) };
    return rebuildTable(removed, vip.tableLength);
  });
}

/** Always 0. For a VIP that is not there VPP flushes whatever an uninitialised number names. */
export function flushVip(state: LbState, request: VipFlush): Outcome {
  const found = findByKey(state, request.vip);
  if (found === undefined) return done(state, [undefinedBehaviour('flush of an unknown VIP')]);
  const slots = found.vip.servers.slots.map((as) => as && { ...as, flows: 0 });
  const servers = { ...found.vip.servers, slots };
  return done({ ...state, vips: replace(state.vips, found.slot, { ...found.vip, servers }) });
}
