/**
 * The deliberately dumb second implementation of the diff: it says which changes are needed, by
 * looking everything up the slow way, and knows nothing of order, flushes, attributes or ownership.
 * A judge of src/lb.
 */
import type { ActualVip, DesiredVip } from '../../machines/model/lb.js';

function isSame(left: ActualVip['vip'], right: DesiredVip['vip']): boolean {
  return (
    left.address === right.address &&
    left.prefixLength === right.prefixLength &&
    left.protocol === right.protocol &&
    left.port === right.port
  );
}

/** One line per needed change, sorted: `+vip …`, `-vip …`, `as VIP ADDRESS FROM TO`. */
export function dumbChanges(
  actual: readonly ActualVip[],
  desired: readonly DesiredVip[],
): string[] {
  const changes: string[] = [];
  for (const { vip, servers } of desired) {
    const name = JSON.stringify(vip);
    const present = actual.find((candidate) => isSame(candidate.vip, vip));
    if (present === undefined) changes.push(`+vip ${name}`);
    const had = present?.servers ?? [];
    for (const { address, weight } of servers) {
      const from = had.find((as) => as.address === address)?.weight;
      if (from !== weight) changes.push(`as ${name} ${address} ${from ?? 'absent'} ${weight}`);
    }
    for (const { address, weight } of had) {
      if (servers.some((as) => as.address === address)) continue;
      changes.push(`as ${name} ${address} ${weight} absent`);
    }
  }
  for (const { vip } of actual) {
    if (desired.some((wanted) => isSame(vip, wanted.vip))) continue;
    changes.push(`-vip ${JSON.stringify(vip)}`);
  }
  return changes.sort();
}
