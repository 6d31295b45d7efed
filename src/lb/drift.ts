/**
 * What somebody else wrote: where a read differs from what our acknowledged writes left behind.
 *
 * Input:  a VIP as it must be (the mirror) and as it was read.
 * Output: one sentence that names the first difference. Bucket counts are not compared: they follow
 *         from the weights and have a check of their own.
 *
 * Rules: [LB-62] a VIP is compared only with what was acknowledged.
 */
import type { PackedActual } from '../../machines/model/lb-packed.js';
import { type Change, changesBetween } from './packed/changes.js';
import { areSame } from './packed/servers.js';

export function driftOf(
  expected: PackedActual | undefined,
  found: PackedActual | undefined,
): string | undefined {
  if (expected === undefined) return found === undefined ? undefined : 'it was added';
  if (found === undefined) return 'it was deleted';
  if (expected.encap !== found.encap || expected.tableLength !== found.tableLength) {
    return 'it was made again with other attributes';
  }
  if (areSame(expected.servers, found.servers)) return undefined;
  const [first] = changesBetween(expected.servers, found.servers);
  return first === undefined ? undefined : sayDrift(first);
}

function sayDrift({ address, from, to }: Change): string {
  if (from === undefined) return `AS ${address} was added`;
  if (to === undefined) return `AS ${address} was deleted`;
  return `AS ${address} weighs ${to}, we gave it ${from}`;
}
