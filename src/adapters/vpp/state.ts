/**
 * VPP's dumps as the state the diff works on.
 *
 * Input: the conf reply, all VIP records, all AS records. Output: an `LbState`, and how many VIPs it
 * had to leave out because our words cannot name them (another protocol, a prefix length that VPP
 * should not have taken): those can only be somebody else's.
 *
 * [VP-9] Removed ASes, ASes of VIPs that are gone, and duplicates are left out. Fields that VPP fills
 * with leftovers are not passed on: dscp except for L3DSR, and the service type and target port never.
 */
import {
  type ActualAs,
  type ActualVip,
  type LbConf,
  type LbState,
  type Vip,
  type VipKey,
  type VipProtocol,
  vipKey,
} from '../../../machines/model/lb.js';
import type { FieldsOf } from './messages.js';
import { PROTOCOL_NUMBERS } from './requests.js';
import { UNSET_SOURCE } from './rules.js';

const LIVE = 1;

type ConfRecord = FieldsOf<'lb_conf_get_reply'>;
type VipRecord = FieldsOf<'lb_vip_details'>;
type AsRecord = FieldsOf<'lb_as_v2_details'>;
type VipFields = Pick<VipRecord, 'pfx_address' | 'pfx_len' | 'protocol' | 'port'>;

export interface ReadRecords {
  readonly conf: ConfRecord;
  readonly vips: readonly VipRecord[];
  readonly servers: readonly AsRecord[];
}

export function stateFrom(records: ReadRecords): { state: LbState; unnamed: number } {
  const servers = liveServers(records.servers);
  const vips = new Map<VipKey, ActualVip>();
  let unnamed = 0;
  for (const record of records.vips) {
    const vip = vipFrom(record);
    if (vip === undefined) {
      unnamed += 1;
      continue;
    }
    const key = vipKey(vip);
    if (vips.has(key)) continue;
    vips.set(key, actualVip(vip, record, [...(servers.get(key)?.values() ?? [])]));
  }
  return { state: { conf: confFrom(records.conf), vips: [...vips.values()] }, unnamed };
}

function confFrom(record: ConfRecord): LbConf {
  const { ip4_src_address: ip4, ip6_src_address: ip6 } = record;
  return {
    ip4Source: ip4 === UNSET_SOURCE.ip4 ? undefined : ip4,
    ip6Source: ip6 === UNSET_SOURCE.ip6 ? undefined : ip6,
    stickyBucketsPerCore: record.sticky_buckets_per_core,
    flowTimeoutS: record.flow_timeout,
  };
}

/** VIP → AS address → AS. VIPs that are not listed cost nothing here: nobody asks for them. */
function liveServers(records: readonly AsRecord[]): Map<VipKey, Map<string, ActualAs>> {
  const servers = new Map<VipKey, Map<string, ActualAs>>();
  for (const record of records) {
    const vip = (record.flags & LIVE) === LIVE ? vipFrom(record) : undefined;
    if (vip === undefined) continue;
    const key = vipKey(vip);
    const siblings = servers.get(key) ?? new Map<string, ActualAs>();
    servers.set(key, siblings);
    const { app_srv: address, weight, num_buckets } = record;
    if (!siblings.has(address)) siblings.set(address, { address, weight, buckets: num_buckets });
  }
  return servers;
}

function vipFrom(record: VipFields): Vip | undefined {
  const { pfx_address: address, pfx_len: prefixLength, protocol: number, port } = record;
  const protocol = PROTOCOLS.get(number);
  const named = protocol !== undefined && (protocol === 'any') === (port === 0);
  if (!named || prefixLength > (address.includes(':') ? 128 : 32)) return undefined;
  return { address, prefixLength, protocol, port };
}

const PROTOCOLS: ReadonlyMap<number, VipProtocol> = new Map(
  (Object.entries(PROTOCOL_NUMBERS) as [VipProtocol, number][]).map(([name, number]) => [
    number,
    name,
  ]),
);

function actualVip(vip: Vip, record: VipRecord, servers: readonly ActualAs[]): ActualVip {
  const { encap, dscp, flow_table_length: length } = record;
  return {
    vip,
    encap,
    dscp: encap === 'l3dsr' ? dscp : 0,
    tableLength: length === 0 ? undefined : length,
    servers,
  };
}
