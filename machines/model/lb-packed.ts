/**
 * VIPs with their servers packed: what the diff core and the dataplane port exchange. A node may have a
 * million servers, and as objects one takes about a hundred bytes; packed it takes 5 to 21.
 *
 * The servers of a VIP are one run of bytes, ascending by address, a column after the other:
 *
 *   addresses   `addressBytes` each, network order
 *   weights     1 byte each
 *   buckets     4 bytes each, big endian; absent where nobody has counted them
 *
 * Packed values are never changed, only replaced: whoever holds one holds what was true then.
 */
import type { ActualVip, DesiredVip, LbConf, VipKey } from './lb.js';

export interface PackedServers {
  /** May hold the servers of other VIPs as well. */
  readonly bytes: Buffer;
  /** Where the first column begins. */
  readonly at: number;
  readonly count: number;
  /** 4: all are IPv4. 16: IPv6, and any IPv4 among them as VPP writes it, in the last four bytes. */
  readonly addressBytes: 4 | 16;
  readonly counted: boolean;
}

export interface PackedActual extends Omit<ActualVip, 'servers'> {
  readonly key: VipKey;
  readonly servers: PackedServers;
}

/** A server whose pinned flows are to be evicted for this episode: its row, and what it is called. */
export interface Eviction {
  readonly row: number;
  readonly address: string;
  readonly episode: string;
}

export interface PackedDesired extends Omit<DesiredVip, 'servers'> {
  readonly key: VipKey;
  readonly servers: PackedServers;
  /** Ascending by row; hardly any server has one. */
  readonly evictions: readonly Eviction[];
}

/** Everything VPP has. */
export interface PackedState {
  readonly conf: LbConf;
  readonly vips: ReadonlyMap<VipKey, PackedActual>;
}
