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
import {
  type ActualAs,
  type ActualVip,
  type DesiredAs,
  type DesiredVip,
  type LbOp,
  type Vip,
  vipKey,
} from '../../machines/model/lb.js';
import { compareAddresses } from './address.js';
import { type DiffMemory, flushPending } from './memory.js';

export const NO_OPS: readonly LbOp[] = [];

export function diffVip(
  actual: ActualVip | undefined,
  desired: DesiredVip | undefined,
  memory: DiffMemory,
): readonly LbOp[] {
  if (desired === undefined) return actual === undefined ? NO_OPS : removeVip(actual);
  return actual === undefined ? buildVip(desired) : updateVip(actual, desired, memory);
}

export function removeVip({ vip, servers }: ActualVip): readonly LbOp[] {
  const sorted = servers.toSorted(byAddress);
  const weighted = sorted.filter(({ weight }) => weight > 0);
  return [
    ...weighted.map(({ address }) => setWeight(vip, address, 0, true)),
    ...sorted.map(({ address }) => deleteServer(vip, address)),
    { op: 'vip.del', vip },
  ];
}

export function buildVip({ vip, attributes, servers }: DesiredVip): readonly LbOp[] {
  const sorted = servers.toSorted(byAddress);
  return [
    { op: 'vip.add', vip, attributes },
    ...sorted.map(({ address }) => addServer(vip, address, 0)),
    ...raiseFromZero(vip, sorted),
    ...(sorted.some(hasWeight) ? [{ op: 'vip.flush', vip } as const] : NO_OPS),
  ];
}

export function updateVip(
  actual: ActualVip,
  desired: DesiredVip,
  memory: DiffMemory,
): readonly LbOp[] {
  const key = vipKey(desired.vip);
  const flushed = memory.flushed.get(key);
  const building = memory.building.has(key);
  if (!building && isAsWanted(actual.servers, desired.servers, flushed)) return NO_OPS;

  const { vip } = desired;
  const changes = compareServers(actual, desired, flushed);
  const zeroed = changes.removed
    .filter(hasWeight)
    .map(({ address }) => setWeight(vip, address, 0, true));
  return [
    ...(building ? growBuild(vip, changes) : growServing(vip, changes)),
    ...inOrder(changes.lowered, zeroed),
    ...changes.removed.map(({ address }) => deleteServer(vip, address)),
    ...(building && desired.servers.some(hasWeight) ? [{ op: 'vip.flush', vip } as const] : NO_OPS),
  ];
}

/** A server that joins a serving VIP comes with its weight: one op, one rebuild of VPP's table. */
function growServing(vip: Vip, { added, raised }: Changes): readonly LbOp[] {
  return inOrder(
    added.map(({ address, weight }) => addServer(vip, address, weight)),
    raised,
  );
}

/** The rest of an interrupted build: as in `buildVip`. */
function growBuild(vip: Vip, { added, raised }: Changes): readonly LbOp[] {
  const adds = added.map(({ address }) => addServer(vip, address, 0));
  return [...adds, ...inOrder(raiseFromZero(vip, added), raised)];
}

interface Changes {
  readonly added: readonly DesiredAs[];
  readonly raised: readonly LbOp[];
  readonly lowered: readonly LbOp[];
  readonly removed: readonly ActualAs[];
}

function compareServers(
  actual: ActualVip,
  desired: DesiredVip,
  flushed: ReadonlyMap<string, string> | undefined,
): Changes {
  const unwanted = new Map(actual.servers.map((server) => [server.address, server]));
  const added: DesiredAs[] = [];
  const raised: LbOp[] = [];
  const lowered: LbOp[] = [];
  for (const server of desired.servers.toSorted(byAddress)) {
    const present = unwanted.get(server.address);
    unwanted.delete(server.address);
    const flush = flushPending(flushed, server);
    const op = setWeight(desired.vip, server.address, server.weight, flush);
    if (present === undefined) added.push(server);
    else if (server.weight > present.weight) raised.push(op);
    else if (server.weight < present.weight || flush) lowered.push(op);
  }
  return { added, raised, lowered, removed: [...unwanted.values()].sort(byAddress) };
}

/** The common case, told without building anything: same servers in the same order, nothing to flush. */
function isAsWanted(
  actual: readonly ActualAs[],
  desired: readonly DesiredAs[],
  flushed: ReadonlyMap<string, string> | undefined,
): boolean {
  if (actual.length !== desired.length) return false;
  for (let index = 0; index < desired.length; index += 1) {
    const [present, wanted] = [actual[index], desired[index]];
    if (present === undefined || wanted === undefined) return false;
    if (present.address !== wanted.address || present.weight !== wanted.weight) return false;
    if (wanted.flushEpisode !== undefined && flushPending(flushed, wanted)) return false;
  }
  return true;
}

/** One stage out of two lists that ascend each for themselves. */
function inOrder(some: readonly LbOp[], others: readonly LbOp[]): readonly LbOp[] {
  if (some.length === 0 || others.length === 0) return [...some, ...others];
  return [...some, ...others].sort((a, b) => compareAddresses(addressOf(a), addressOf(b)));
}

function addressOf(op: LbOp): string {
  return 'as' in op ? op.as : '';
}

function raiseFromZero(vip: Vip, servers: readonly DesiredAs[]): readonly LbOp[] {
  return servers
    .filter(hasWeight)
    .map(({ address, weight }) => setWeight(vip, address, weight, false));
}

function hasWeight({ weight }: { readonly weight: number }): boolean {
  return weight > 0;
}

function byAddress(a: { readonly address: string }, b: { readonly address: string }): number {
  return compareAddresses(a.address, b.address);
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
