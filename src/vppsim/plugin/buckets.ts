/**
 * How many new-flow buckets each AS of a VIP owns.
 *
 * Input: the live ASes and the table length. Output: buckets by address.
 *
 * VPP deals the table out round by round: round r goes, in address order, to every AS whose weight
 * exceeds r; after the last round it starts over. So each AS gets its weight for every whole cycle,
 * and the rest of the table is dealt from round 0 until it runs out.
 */
import type { Hex } from '../addresses.js';

export interface Weighted {
  readonly address: Hex;
  readonly weight: number;
}

export function byAddress(left: Weighted, right: Weighted): number {
  if (left.address === right.address) return 0;
  return left.address < right.address ? -1 : 1;
}

export function bucketCounts(
  servers: readonly Weighted[],
  tableLength: number,
): ReadonlyMap<Hex, number> {
  const total = servers.reduce((sum, server) => sum + server.weight, 0);
  if (total === 0) return new Map(servers.map(({ address }) => [address, 0]));
  const wholeCycles = Math.floor(tableLength / total);
  const extra = lastCycle(servers, tableLength % total);
  return new Map(
    servers.map(({ address, weight }) => [
      address,
      weight * wholeCycles + (extra.get(address) ?? 0),
    ]),
  );
}

/** Buckets dealt in the cycle that the table is too short to finish. */
function lastCycle(servers: readonly Weighted[], buckets: number): ReadonlyMap<Hex, number> {
  const dealt = new Map<Hex, number>();
  let round = servers.filter(({ weight }) => weight > 0).toSorted(byAddress);
  let left = buckets;
  for (let replica = 0; left > 0 && round.length > 0; replica += 1) {
    const lucky = round.slice(0, left);
    for (const { address } of lucky) dealt.set(address, (dealt.get(address) ?? 0) + 1);
    left -= lucky.length;
    round = round.filter(({ weight }) => weight > replica + 1);
  }
  return dealt;
}
