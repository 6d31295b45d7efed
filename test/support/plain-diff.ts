/**
 * The diff of one VIP on plain objects and Maps: the second implementation that judges the packed one,
 * op for op. Slow and easy to follow; shares nothing with it but the order of addresses.
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
import { compareAddresses } from '../../src/lb/address.js';
import type { DiffMemory } from '../../src/lb/memory.js';

const NO_OPS: readonly LbOp[] = [];

export function plainDiff(
  actual: ActualVip | undefined,
  desired: DesiredVip | undefined,
  memory: DiffMemory,
): readonly LbOp[] {
  if (desired === undefined) return actual === undefined ? NO_OPS : removeVip(actual);
  return actual === undefined ? buildVip(desired) : updateVip(actual, desired, memory);
}

function removeVip({ vip, servers }: ActualVip): readonly LbOp[] {
  const sorted = servers.toSorted(byAddress);
  const weighted = sorted.filter(({ weight }) => weight > 0);
  return [
    ...weighted.map(({ address }) => setWeight(vip, address, 0, true)),
    ...sorted.map(({ address }) => deleteServer(vip, address)),
    { op: 'vip.del', vip },
  ];
}

function buildVip({ vip, attributes, servers }: DesiredVip): readonly LbOp[] {
  const sorted = servers.toSorted(byAddress);
  return [
    { op: 'vip.add', vip, attributes },
    ...sorted.map(({ address }) => addServer(vip, address, 0)),
    ...raiseFromZero(vip, sorted),
    ...(sorted.some(hasWeight) ? [{ op: 'vip.flush', vip } as const] : NO_OPS),
  ];
}

function updateVip(actual: ActualVip, desired: DesiredVip, memory: DiffMemory): readonly LbOp[] {
  const key = vipKey(desired.vip);
  const flushed = memory.flushed.get(key);
  const building = memory.building.has(key);
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

/** Flush wanted and not yet sent for this episode. */
function flushPending(
  flushed: ReadonlyMap<string, string> | undefined,
  server: DesiredAs,
): boolean {
  const episode = server.flushEpisode;
  return episode !== undefined && flushed?.get(server.address) !== episode;
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
