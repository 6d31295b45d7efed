/**
 * The diff of one VIP: which requests turn what VPP has into what is wanted.
 *
 * Input:  the VIP as VPP has it, the VIP as wanted (either may be absent), and the memory of flushes.
 *         Attributes are taken to match; src/lb/plan.ts decides about those that do not.
 * Output: ops in the order they must be sent. Stopping after any of them is safe, and a diff from
 *         there asks for the rest.
 *
 *   update   adds and increases  ->  decreases and flushes  ->  deletes
 *   build    add VIP  ->  add servers at weight 0  ->  raise  ->  flush what the build pinned
 *   remove   weights to 0 with flush  ->  delete servers  ->  delete VIP
 *
 * Rules: [LB-1] the plan reaches the wanted state; [LB-2] a serving VIP with a weight in the end has
 * one after every op; [LB-3] a second diff is empty; [LB-4] a server is deleted only at an
 * acknowledged weight 0; [LB-5] within a stage, addresses ascend.
 */
import type { LbOp, Vip } from '../../machines/model/lb.js';
import type { PackedActual, PackedDesired } from '../../machines/model/lb-packed.js';
import type { DiffMemory } from './memory.js';
import { type Change, changesOf, isAsWanted } from './packed/changes.js';
import { hasWeight, unpackServers } from './packed/servers.js';

export const NO_OPS: readonly LbOp[] = [];

export function diffVip(
  actual: PackedActual | undefined,
  desired: PackedDesired | undefined,
  memory: DiffMemory,
): readonly LbOp[] {
  if (desired === undefined) return actual === undefined ? NO_OPS : removeVip(actual);
  return actual === undefined ? buildVip(desired) : updateVip(actual, desired, memory);
}

export function removeVip({ vip, servers }: PackedActual): readonly LbOp[] {
  const unpacked = unpackServers(servers);
  const weighted = unpacked.filter(({ weight }) => weight > 0);
  return [
    ...weighted.map(({ address }) => setWeight(vip, address, 0, true)),
    ...unpacked.map(({ address }) => deleteServer(vip, address)),
    { op: 'vip.del', vip },
  ];
}

export function buildVip({ vip, attributes, servers }: PackedDesired): readonly LbOp[] {
  const unpacked = unpackServers(servers);
  const weighted = unpacked.filter(({ weight }) => weight > 0);
  return [
    { op: 'vip.add', vip, attributes },
    ...unpacked.map(({ address }) => addServer(vip, address, 0)),
    ...weighted.map(({ address, weight }) => setWeight(vip, address, weight, false)),
    ...(weighted.length > 0 ? [{ op: 'vip.flush', vip } as const] : NO_OPS),
  ];
}

export function updateVip(
  actual: PackedActual,
  desired: PackedDesired,
  memory: DiffMemory,
): readonly LbOp[] {
  const { vip, key, servers } = desired;
  const flushed = memory.flushed.get(key);
  const building = memory.building.has(key);
  if (!building && isAsWanted(actual.servers, desired, flushed)) return NO_OPS;

  const changes = changesOf(actual.servers, desired, flushed);
  return [
    ...(building ? growBuild(vip, changes) : growServing(vip, changes)),
    ...changes.flatMap((change) => shrink(vip, change)),
    ...changes.filter(({ to }) => to === undefined).map((as) => deleteServer(vip, as.address)),
    ...(building && hasWeight(servers) ? [{ op: 'vip.flush', vip } as const] : NO_OPS),
  ];
}

/** A server that joins a serving VIP comes with its weight: one op, one rebuild of VPP's table. */
function growServing(vip: Vip, changes: readonly Change[]): readonly LbOp[] {
  return changes.flatMap(({ address, from, to, flush }) => {
    if (to === undefined) return NO_OPS;
    if (from === undefined) return [addServer(vip, address, to)];
    return to > from ? [setWeight(vip, address, to, flush)] : NO_OPS;
  });
}

/** The rest of an interrupted build: as in `buildVip`. */
function growBuild(vip: Vip, changes: readonly Change[]): readonly LbOp[] {
  const added = changes.filter(({ from }) => from === undefined);
  const raised = changes.filter(({ from = 0, to = 0 }) => to > from);
  return [
    ...added.map(({ address }) => addServer(vip, address, 0)),
    ...raised.map(({ address, from, to = 0, flush }) =>
      setWeight(vip, address, to, from !== undefined && flush),
    ),
  ];
}

/** What loses weight, is about to go, or only has flows to evict. */
function shrink(vip: Vip, { address, from, to, flush }: Change): readonly LbOp[] {
  if (from === undefined) return NO_OPS;
  if (to === undefined) return from > 0 ? [setWeight(vip, address, 0, true)] : NO_OPS;
  const evicted = to === from && flush;
  return to < from || evicted ? [setWeight(vip, address, to, flush)] : NO_OPS;
}

function addServer(vip: Vip, as: string, weight: number): LbOp {
  return { op: 'as.add', vip, as, weight };
}

function setWeight(vip: Vip, as: string, weight: number, flush: boolean): LbOp {
  return { op: 'as.weight', vip, as, weight, flush };
}

function deleteServer(vip: Vip, as: string): LbOp {
  return { op: 'as.del', vip, as };
}
