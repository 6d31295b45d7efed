/** VIPs with their servers packed, and back: what plain words cost is paid for touched VIPs only. */
import {
  type ActualVip,
  type DesiredVip,
  type LbState,
  vipKey,
} from '../../../machines/model/lb.js';
import type {
  Eviction,
  PackedActual,
  PackedDesired,
  PackedState,
} from '../../../machines/model/lb-packed.js';
import { compareAddresses } from '../address.js';
import { shareOut } from '../maglev.js';
import { addressOf, bucketsOf, packCounted, packServers, weightOf, weightsOf } from './servers.js';

export function packActual({ servers, ...vip }: ActualVip): PackedActual {
  return { ...vip, key: vipKey(vip.vip), servers: packCounted(servers) };
}

/** Buckets nobody has counted are the model's; of a table of unknown length, 0. */
export function unpackActual({ key: _, servers, ...vip }: PackedActual): ActualVip {
  const { tableLength = 0 } = vip;
  const counts = servers.counted ? undefined : shareOut(weightsOf(servers), tableLength);
  return {
    ...vip,
    servers: Array.from({ length: servers.count }, (_, row) => ({
      address: addressOf(servers, row),
      weight: weightOf(servers, row),
      buckets: counts?.[row] ?? (servers.counted ? bucketsOf(servers, row) : 0),
    })),
  };
}

const NONE: readonly Eviction[] = [];

export function packDesired({ servers, ...vip }: DesiredVip): PackedDesired {
  const evictions = servers.some(({ flushEpisode }) => flushEpisode !== undefined)
    ? evictionsOf(servers)
    : NONE;
  return { ...vip, key: vipKey(vip.vip), servers: packServers(servers), evictions };
}

function evictionsOf(servers: DesiredVip['servers']): readonly Eviction[] {
  const sorted = servers.toSorted((a, b) => compareAddresses(a.address, b.address));
  return sorted.flatMap(({ address, flushEpisode: episode }, row) =>
    episode === undefined ? [] : [{ row, address, episode }],
  );
}

export function unpackDesired({ key: _, servers, evictions, ...vip }: PackedDesired): DesiredVip {
  const episodes = new Map(evictions.map(({ row, episode }) => [row, episode]));
  return {
    ...vip,
    servers: Array.from({ length: servers.count }, (_, row) => {
      const flushEpisode = episodes.get(row);
      const server = { address: addressOf(servers, row), weight: weightOf(servers, row) };
      return flushEpisode === undefined ? server : { ...server, flushEpisode };
    }),
  };
}

export function packState({ conf, vips }: LbState): PackedState {
  return { conf, vips: new Map(vips.map((vip) => [vipKey(vip.vip), packActual(vip)])) };
}

export function unpackState({ conf, vips }: PackedState): LbState {
  return { conf, vips: [...vips.values()].map(unpackActual) };
}
