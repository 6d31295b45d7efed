/**
 * What dumps show, in slot order.
 *
 * VIP dumps list every live VIP and filter by nothing. AS dumps go through every VIP, deleted ones
 * too, and list removed ASes like the others, without buckets. Their filter compares sixteen raw
 * bytes with the internal form, so an IPv4 VIP in its ordinary encoding is never found; all zeros
 * means everything.
 */
import { type Hex, ZERO_ADDRESS } from '../addresses.js';
import { taken } from '../pool.js';
import { bucketCounts } from './buckets.js';
import type { As, LbState, Vip } from './state.js';

export interface AsFilter {
  /** The union of the address field, as it came. */
  readonly prefix: Hex;
  readonly protocol: number;
  readonly port: number;
}

export interface AsRow {
  readonly vip: Vip;
  readonly as: As;
  readonly buckets: number;
}

export function listVips(state: LbState): readonly Vip[] {
  return taken(state.vips).filter(({ used }) => used);
}

export function listAses(state: LbState, filter: AsFilter): readonly AsRow[] {
  return taken(state.vips).filter(matches(filter)).flatMap(rowsOf);
}

function matches(filter: AsFilter): (vip: Vip) => boolean {
  if (filter.prefix === ZERO_ADDRESS) return () => true;
  return (vip) =>
    vip.prefix === filter.prefix && vip.protocol === filter.protocol && vip.port === filter.port;
}

function rowsOf(vip: Vip): readonly AsRow[] {
  const ases = taken(vip.servers);
  const buckets = bucketCounts(liveAses(vip), vip.tableLength);
  return ases.map((as) => ({
    vip,
    as,
    buckets: as.used ? (buckets.get(as.address) ?? 0) : 0,
  }));
}

export function liveAses(vip: Vip): readonly As[] {
  return taken(vip.servers).filter(({ used }) => used);
}
