/**
 * Reply encoders: whole messages without their frame.
 *
 * Details carry no return value. Fields that the plugin mangles are mangled here: service type and
 * target port show their bytes in memory order, the table length only its low sixteen bits.
 */
import { shownLength, writeAddress } from './addresses.js';
import { encodedTable, idOf, messageTable } from './message-table.js';
import type { AsRow } from './plugin/dump.js';
import type { Conf, Vip, VipType } from './plugin/state.js';

const CREATE_REPLY_BYTES = 20;
const VERSION_REPLY_BYTES = 362;
const LIVE = 1;

const ENCAP_NUMBERS: Readonly<Record<VipType, number>> = {
  'ip4-gre4': 0,
  'ip6-gre4': 0,
  'ip4-gre6': 1,
  'ip6-gre6': 1,
  'ip4-l3dsr': 2,
  'ip4-nat4': 3,
  'ip6-nat6': 4,
};

/** The build that was recorded; only the version is of interest to anybody. */
export const build = {
  program: 'vpe',
  version: '26.10-rc0~374-gb575ec2c56d',
  date: '2026-11-20T22:12:07',
  directory: '/build/vpp',
} as const;

function message(key: string, bytes: number, context: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUInt16BE(idOf(key), 0);
  buffer.writeUInt32BE(context, 2);
  return buffer;
}

export function retvalReply(key: string, context: number, retval: number): Buffer {
  const reply = message(key, 10, context);
  reply.writeInt32BE(retval, 6);
  return reply;
}

/** The one reply whose context comes after a (useless) client index. */
export function createReply(context: number, handle: number): Buffer {
  const head = Buffer.alloc(CREATE_REPLY_BYTES);
  head.writeUInt16BE(idOf('sockclnt_create_reply_35166268'), 0);
  head.writeUInt32BE(context, 6);
  head.writeUInt32BE(handle, 14);
  head.writeUInt16BE(messageTable.length, 18);
  return Buffer.concat([head, encodedTable]);
}

export function pingReply(context: number, client: number, pid: number): Buffer {
  const reply = message('control_ping_reply_f6b0b8ca', 18, context);
  reply.writeUInt32BE(client, 10);
  reply.writeUInt32BE(pid, 14);
  return reply;
}

export function versionReply(context: number): Buffer {
  const reply = message('show_version_reply_c919bde1', VERSION_REPLY_BYTES, context);
  reply.write(build.program, 10, 'latin1');
  reply.write(build.version, 42, 'latin1');
  reply.write(build.date, 74, 'latin1');
  reply.write(build.directory, 106, 'latin1');
  return reply;
}

/** Seconds since the epoch, as an unswapped little-endian double. */
export function systemTimeReply(context: number, epochS: number): Buffer {
  const reply = message('show_vpe_system_time_reply_7ffd8193', 18, context);
  reply.writeDoubleLE(epochS, 10);
  return reply;
}

export function confReply(context: number, conf: Conf): Buffer {
  const reply = message('lb_conf_get_reply_923427ac', 38, context);
  reply.write(conf.ip4Source, 10, 'hex');
  reply.write(conf.ip6Source, 14, 'hex');
  reply.writeUInt32BE(conf.stickyBucketsPerCore, 30);
  reply.writeUInt32BE(conf.flowTimeoutS, 34);
  return reply;
}

function writeVipKey(details: Buffer, vip: Vip): void {
  writeAddress(details, 6, vip.prefix);
  details.writeUInt8(shownLength(vip.prefix, vip.prefixLength), 23);
  details.writeUInt8(vip.protocol, 24);
  details.writeUInt16BE(vip.port, 25);
}

export function vipDetails(context: number, vip: Vip): Buffer {
  const details = message('lb_vip_details_1329ec9b', 40, context);
  writeVipKey(details, vip);
  details.writeUInt32BE(ENCAP_NUMBERS[vip.type], 27);
  details.writeUInt8(vip.args.srvType & 0xff, 31);
  details.writeUInt32LE(vip.args.srvType, 32);
  details.writeUInt16LE(vip.args.targetPort, 36);
  details.writeUInt16BE(vip.tableLength & 0xffff, 38);
  return details;
}

function writeAs(details: Buffer, { vip, as }: AsRow): void {
  writeVipKey(details, vip);
  writeAddress(details, 27, as.address);
  details.writeUInt8(as.used ? LIVE : 0, 44);
  details.writeUInt32BE(as.removedAtS, 45);
}

export function asDetails(context: number, row: AsRow): Buffer {
  const details = message('lb_as_details_8d24c29e', 49, context);
  writeAs(details, row);
  return details;
}

export function asV2Details(context: number, row: AsRow): Buffer {
  const details = message('lb_as_v2_details_90064aae', 54, context);
  writeAs(details, row);
  details.writeUInt8(row.as.weight, 49);
  details.writeUInt32BE(row.buckets, 50);
  return details;
}
