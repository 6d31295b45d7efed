/**
 * Requests for the simulator's tests: VPP's message layouts once more, in the tests' own hand, with
 * every field open to abuse.
 */
import { isIPv6 } from 'node:net';
import type { RawClient } from './lab.js';

export interface VipFields {
  readonly address: string;
  readonly length?: number;
  readonly protocol?: number;
  readonly port?: number;
  readonly family?: number;
}

export interface VipAddFields extends VipFields {
  readonly encap?: number;
  readonly dscp?: number;
  /** As it goes onto the wire, big endian. */
  readonly type?: number;
  readonly targetPort?: number;
  readonly tableLength?: number;
  readonly sticky?: boolean;
}

export interface AsFields extends VipFields {
  readonly as: string;
  readonly weight?: number;
  readonly flush?: boolean;
}

export const encaps = { gre4: 0, gre6: 1, l3dsr: 2, nat4: 3, nat6: 4 } as const;

/** Sixteen bytes as the wire has them: IPv4 first, the rest zero. */
export function unionOf(address: string): Buffer {
  const union = Buffer.alloc(16);
  if (!isIPv6(address)) {
    Buffer.from(address.split('.').map(Number)).copy(union);
    return union;
  }
  const [left = '', right = ''] = address.split('::');
  const words = (text: string) => text.split(':').filter((word) => word !== '');
  for (const [index, word] of words(left).entries()) {
    union.writeUInt16BE(Number.parseInt(word, 16), 2 * index);
  }
  for (const [index, word] of words(right).reverse().entries()) {
    union.writeUInt16BE(Number.parseInt(word, 16), 14 - 2 * index);
  }
  return union;
}

function writeVip(message: Buffer, vip: VipFields): Buffer {
  const ip6 = isIPv6(vip.address);
  message.writeUInt8(vip.family ?? (ip6 ? 1 : 0), 10);
  unionOf(vip.address).copy(message, 11);
  message.writeUInt8(vip.length ?? (ip6 ? 128 : 32), 27);
  message.writeUInt8(vip.protocol ?? 6, 28);
  message.writeUInt16BE(vip.port ?? 80, 29);
  return message;
}

function writeAs(message: Buffer, fields: AsFields): Buffer {
  writeVip(message, fields);
  message.writeUInt8(isIPv6(fields.as) ? 1 : 0, 31);
  unionOf(fields.as).copy(message, 32);
  message.writeUInt8(fields.weight ?? 100, 48);
  return message;
}

export function vipAdd(client: RawClient, vip: VipAddFields): Buffer {
  const message = writeVip(client.head('lb_add_del_vip_v2', 50), vip);
  message.writeUInt32BE(vip.encap ?? encaps.gre4, 31);
  message.writeUInt8(vip.dscp ?? 0, 35);
  message.writeUInt32BE(vip.type ?? 0, 36);
  message.writeUInt16BE(vip.targetPort ?? 0, 40);
  message.writeUInt32BE(vip.tableLength ?? 1024, 44);
  message.writeUInt8(vip.sticky === true ? 1 : 0, 48);
  return message;
}

export function vipDelete(client: RawClient, vip: VipFields): Buffer {
  const message = writeVip(client.head('lb_add_del_vip_v2', 50), vip);
  message.writeUInt8(1, 49);
  return message;
}

export function asAdd(client: RawClient, fields: AsFields): Buffer {
  const message = writeAs(client.head('lb_add_del_as_v2', 51), fields);
  message.writeUInt8(fields.flush === true ? 1 : 0, 50);
  return message;
}

export function asDelete(client: RawClient, fields: AsFields): Buffer {
  const message = asAdd(client, fields);
  message.writeUInt8(1, 49);
  return message;
}

export function asWeight(client: RawClient, fields: AsFields): Buffer {
  const message = writeAs(client.head('lb_as_set_weight', 50), fields);
  message.writeUInt8(fields.flush === true ? 1 : 0, 49);
  return message;
}

export function vipFlush(client: RawClient, vip: VipFields): Buffer {
  return writeVip(client.head('lb_flush_vip', 31), vip);
}

export function conf(client: RawClient, stickyBuckets: number, timeoutS: number): Buffer {
  const message = client.head('lb_conf', 38);
  unionOf('192.0.2.1').copy(message, 10, 0, 4);
  unionOf('2001:db8::1').copy(message, 14);
  message.writeUInt32BE(stickyBuckets, 30);
  message.writeUInt32BE(timeoutS, 34);
  return message;
}

export function natInterface(
  client: RawClient,
  family: 'nat4' | 'nat6',
  index: number,
  enable: boolean,
): Buffer {
  const message = client.head(`lb_add_del_intf_${family}`, 15);
  message.writeUInt8(enable ? 1 : 0, 10);
  message.writeUInt32BE(index, 11);
  return message;
}

/** `filter` sixteen raw bytes; zeros ask for everything. */
export function asDump(client: RawClient, filter: Buffer, protocol = 6, port = 80): Buffer {
  const message = client.head('lb_as_v2_dump', 31);
  filter.copy(message, 11);
  message.writeUInt8(protocol, 28);
  message.writeUInt16BE(port, 29);
  return message;
}

export function vipDump(client: RawClient): Buffer {
  return client.head('lb_vip_dump', 33);
}

/** `address/length protocol port encap dscp srvType targetPort length`, raw as dumped. */
export interface VipRow {
  readonly family: number;
  readonly address: string;
  readonly length: number;
  readonly protocol: number;
  readonly port: number;
}

export interface VipDetailsRow extends VipRow {
  readonly encap: number;
  readonly dscp: number;
  readonly srvType: number;
  readonly targetPort: number;
  readonly tableLength: number;
}

export interface AsDetailsRow extends VipRow {
  readonly as: string;
  readonly flags: number;
  readonly removedAtS: number;
  readonly weight: number;
  readonly buckets: number;
}

function vipRow(details: Buffer): VipRow {
  const family = details.readUInt8(6);
  return {
    family,
    address: addressAt(details, 6),
    length: details.readUInt8(23),
    protocol: details.readUInt8(24),
    port: details.readUInt16BE(25),
  };
}

/** Dotted quad, or 32 hexadecimal digits. */
function addressAt(details: Buffer, at: number): string {
  const ip6 = details.readUInt8(at) === 1;
  const bytes = details.subarray(at + 1, at + (ip6 ? 17 : 5));
  return ip6 ? bytes.toString('hex') : [...bytes].join('.');
}

export async function vips(client: RawClient): Promise<readonly VipDetailsRow[]> {
  const details = await client.until(vipDump(client));
  return details.map((row) => ({
    ...vipRow(row),
    encap: row.readUInt32BE(27),
    dscp: row.readUInt8(31),
    srvType: row.readUInt32BE(32),
    targetPort: row.readUInt16BE(36),
    tableLength: row.readUInt16BE(38),
  }));
}

export async function ases(
  client: RawClient,
  filter: Buffer = Buffer.alloc(16),
  protocol = 6,
  port = 80,
): Promise<readonly AsDetailsRow[]> {
  const details = await client.until(asDump(client, filter, protocol, port));
  return details.map((row) => ({
    ...vipRow(row),
    as: addressAt(row, 27),
    flags: row.readUInt8(44),
    removedAtS: row.readUInt32BE(45),
    weight: row.readUInt8(49),
    buckets: row.readUInt32BE(50),
  }));
}
