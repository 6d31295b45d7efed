/**
 * VPP's dumps as the state the diff works on, taken in message by message as they arrive.
 *
 * Input: VIP records and AS records, in any order, and the conf reply. Output: a `PackedState`, and how
 * many VIPs it had to leave out because our words cannot name them (another protocol, a prefix length
 * that VPP should not have taken): those can only be somebody else's.
 *
 * There is one AS record per server, up to a million of them: they are read where they lie, and become
 * text only when somebody asks for it.
 *
 * [VP-9] Removed ASes, ASes of VIPs that are gone, and duplicates are left out. Fields that VPP fills
 * with leftovers are not passed on: dscp except for L3DSR, and the service type and target port never.
 */
import {
  type LbConf,
  type Vip,
  type VipKey,
  type VipProtocol,
  vipKey,
} from '../../../machines/model/lb.js';
import type {
  PackedActual,
  PackedServers,
  PackedState,
} from '../../../machines/model/lb-packed.js';
import { ServerDump } from '../../lb/packed/dump.js';
import { decode, offsetOf } from './codec.js';
import type { FieldsOf } from './messages.js';
import { PROTOCOL_NUMBERS } from './requests.js';
import { UNSET_SOURCE } from './rules.js';
import { VipNumbers, wordAt } from './vip-numbers.js';

const LIVE = 1;

type ConfRecord = FieldsOf<'lb_conf_get_reply'>;
type VipRecord = FieldsOf<'lb_vip_details'>;

const VIP_IN_VIP = offsetOf('lb_vip_details', 'pfx_address');
const VIP_IN_AS = offsetOf('lb_as_v2_details', 'pfx_address');
const ADDRESS = offsetOf('lb_as_v2_details', 'app_srv');
const FLAGS = offsetOf('lb_as_v2_details', 'flags');
const WEIGHT = offsetOf('lb_as_v2_details', 'weight');
const BUCKETS = offsetOf('lb_as_v2_details', 'num_buckets');

export class StateReader {
  readonly #numbers = new VipNumbers();
  readonly #vips: { readonly number: number; readonly record: VipRecord }[] = [];
  readonly #servers: ServerDump;

  /** `expected`: servers of the read before. */
  constructor(expected = 0) {
    this.#servers = new ServerDump(expected);
  }

  get servers(): number {
    return this.#servers.count;
  }

  /** An `lb_vip_details`; a sentence when no VPP would send it. */
  takeVip(bytes: Buffer, start: number, end: number): string | undefined {
    const decoded = decode('lb_vip_details', bytes.subarray(start, end));
    if (!decoded.ok) return decoded.failure;
    const number = this.#numbers.numberOf(bytes, start + VIP_IN_VIP);
    this.#vips.push({ number, record: decoded.value });
    return undefined;
  }

  /** An `lb_as_v2_details` of the right size; a sentence when no VPP would send it. */
  takeServer(bytes: Buffer, start: number): string | undefined {
    if ((bytes[start + VIP_IN_AS] ?? 0) > 1)
      return 'lb_as_v2_details has an impossible pfx_address';
    const at = start + ADDRESS;
    const family = bytes[at] ?? 0;
    if (family > 1) return 'lb_as_v2_details has an impossible app_srv';
    if (((bytes[start + FLAGS] ?? 0) & LIVE) === 0) return undefined;
    const vip = this.#numbers.numberOf(bytes, start + VIP_IN_AS);
    const weight = bytes[start + WEIGHT] ?? 0;
    const buckets = wordAt(bytes, start + BUCKETS);
    const first = wordAt(bytes, at + 1);
    if (family === 0) this.#servers.addIp4(vip, first, weight, buckets);
    else {
      const rest = [wordAt(bytes, at + 5), wordAt(bytes, at + 9), wordAt(bytes, at + 13)] as const;
      this.#servers.addIp6(vip, [first, ...rest], weight, buckets);
    }
    return undefined;
  }

  /** Once everything was taken in. */
  state(conf: ConfRecord): { readonly state: PackedState; readonly unnamed: number } {
    const servers = this.#servers.pack(this.#numbers.count);
    const vips = new Map<VipKey, PackedActual>();
    let unnamed = 0;
    for (const { number, record } of this.#vips) {
      const vip = vipFrom(record);
      const list = servers[number];
      if (vip === undefined || list === undefined) {
        unnamed += 1;
        continue;
      }
      const key = vipKey(vip);
      if (!vips.has(key)) vips.set(key, actualVip(vip, key, record, list));
    }
    return { state: { conf: confFrom(conf), vips }, unnamed };
  }
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

function vipFrom(record: VipRecord): Vip | undefined {
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

function actualVip(
  vip: Vip,
  key: VipKey,
  { encap, dscp, flow_table_length: length }: VipRecord,
  servers: PackedServers,
): PackedActual {
  return {
    key,
    vip,
    encap,
    dscp: encap === 'l3dsr' ? dscp : 0,
    tableLength: length === 0 ? undefined : length,
    servers,
  };
}
