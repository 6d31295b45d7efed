/**
 * VPP's dumps as the state the diff works on, taken in message by message as they arrive.
 *
 * Input: VIP records and AS records, in any order, and the conf reply. Output: a `PackedState`, and how
 * many VIPs it had to leave out because our words cannot name them (another protocol, a prefix length
 * that VPP should not have taken): those can only be somebody else's.
 *
 * There is one AS record per server, up to a million of them: records are read where they lie, and
 * servers become text only when somebody asks for it.
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
import { formatIp4, formatIp6 } from '../../lb/address.js';
import { ServerDump } from '../../lb/packed/dump.js';
import { offsetOf } from './codec.js';
import { ENCAPS, type WireEncap } from './kinds.js';
import type { FieldsOf } from './messages.js';
import { PROTOCOL_NUMBERS } from './requests.js';
import { UNSET_SOURCE } from './rules.js';
import { VipNumbers, wordAt } from './vip-numbers.js';

const LIVE = 1;

type ConfRecord = FieldsOf<'lb_conf_get_reply'>;

/** What a VIP record tells that means anything. */
interface VipRecord {
  readonly number: number;
  readonly address: string;
  readonly prefixLength: number;
  readonly protocol: number;
  readonly port: number;
  readonly encap: WireEncap;
  readonly dscp: number;
  /** Modulo 65536. */
  readonly tableLength: number;
}

const VIP_IN_VIP = offsetOf('lb_vip_details', 'pfx_address');
const PREFIX_LENGTH = offsetOf('lb_vip_details', 'pfx_len');
const PROTOCOL = offsetOf('lb_vip_details', 'protocol');
const PORT = offsetOf('lb_vip_details', 'port');
const ENCAP = offsetOf('lb_vip_details', 'encap');
const DSCP = offsetOf('lb_vip_details', 'dscp');
const TABLE_LENGTH = offsetOf('lb_vip_details', 'flow_table_length');
const VIP_IN_AS = offsetOf('lb_as_v2_details', 'pfx_address');
const ADDRESS = offsetOf('lb_as_v2_details', 'app_srv');
const FLAGS = offsetOf('lb_as_v2_details', 'flags');
const WEIGHT = offsetOf('lb_as_v2_details', 'weight');
const BUCKETS = offsetOf('lb_as_v2_details', 'num_buckets');

export class StateReader {
  readonly #numbers = new VipNumbers();
  readonly #vips: VipRecord[] = [];
  readonly #servers: ServerDump;

  /** `expected`: servers of the read before. */
  constructor(expected = 0) {
    this.#servers = new ServerDump(expected);
  }

  get servers(): number {
    return this.#servers.count;
  }

  /** An `lb_vip_details` of the right size; a sentence when no VPP would send it. */
  takeVip(bytes: Buffer, start: number): string | undefined {
    const at = start + VIP_IN_VIP;
    const family = bytes[at] ?? 0;
    if (family > 1) return 'lb_vip_details has an impossible pfx_address';
    const encap = ENCAPS[bytes.readUInt32BE(start + ENCAP)];
    if (encap === undefined) return 'lb_vip_details has an impossible encap';
    this.#vips.push({
      number: this.#numbers.numberOf(bytes, at),
      address: family === 0 ? formatIp4(bytes, at + 1) : formatIp6(bytes, at + 1),
      prefixLength: bytes[start + PREFIX_LENGTH] ?? 0,
      protocol: bytes[start + PROTOCOL] ?? 0,
      port: bytes.readUInt16BE(start + PORT),
      encap,
      dscp: encap === 'l3dsr' ? (bytes[start + DSCP] ?? 0) : 0,
      tableLength: bytes.readUInt16BE(start + TABLE_LENGTH),
    });
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
    for (const record of this.#vips) {
      const vip = vipFrom(record);
      const list = servers[record.number];
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
  const { address, prefixLength, protocol: number, port } = record;
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
  { encap, dscp, tableLength }: VipRecord,
  servers: PackedServers,
): PackedActual {
  return {
    key,
    vip,
    encap,
    dscp,
    tableLength: tableLength === 0 ? undefined : tableLength,
    servers,
  };
}
