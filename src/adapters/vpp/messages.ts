/**
 * VPP's messages as data: for each one its CRC and its fields in wire order. The codec, the id
 * resolution and the tests read these tables; nothing else knows a layout.
 *
 * Every message starts with its u16 id, which differs between builds and is looked up by
 * `name_crc` at each connect. Only the handshake has a fixed id.
 *
 * [VP-2] Only `SENDABLE` messages can be encoded. NAT messages are known so that a recorded session
 * can be read, and can never be sent.
 */
import type { KindName, ValueOf } from './kinds.js';

interface MessageSpec {
  readonly crc: string;
  readonly fields: Readonly<Record<string, KindName>>;
}

const REQUEST = { client_index: 'u32', context: 'u32' } as const;
const REPLY = { context: 'u32', retval: 'i32' } as const;
const DETAILS = { context: 'u32' } as const;
const VIP = { pfx_address: 'address', pfx_len: 'u8', protocol: 'u8', port: 'u16' } as const;
const CONF = { ip4_src_address: 'ip4', ip6_src_address: 'ip6' } as const;

const EMPTY_REQUEST = { crc: '51077d14', fields: REQUEST } as const;
const RETVAL_ONLY = { crc: 'e8d4e804', fields: REPLY } as const;
const INTERFACE_NAT = {
  crc: '47d6e753',
  fields: { ...REQUEST, is_add: 'bool', sw_if_index: 'u32' },
} as const;

export const MESSAGES = {
  sockclnt_create: { crc: '455fb9c4', fields: { context: 'u32', name: 'text64' } },
  sockclnt_create_reply: {
    crc: '35166268',
    fields: {
      client_index: 'u32',
      context: 'u32',
      response: 'i32',
      index: 'u32',
      message_table: 'messageTable',
    },
  },
  sockclnt_delete: { crc: '8ac76db6', fields: { ...REQUEST, index: 'u32' } },
  sockclnt_delete_reply: { crc: '8f38b1ee', fields: { context: 'u32', response: 'i32' } },
  show_version: EMPTY_REQUEST,
  show_version_reply: {
    crc: 'c919bde1',
    fields: {
      ...REPLY,
      program: 'text32',
      version: 'text32',
      build_date: 'text32',
      build_directory: 'text256',
    },
  },
  control_ping: EMPTY_REQUEST,
  control_ping_reply: {
    crc: 'f6b0b8ca',
    fields: { ...REPLY, client_index: 'u32', vpe_pid: 'u32' },
  },
  memclnt_keepalive: EMPTY_REQUEST,
  memclnt_keepalive_reply: RETVAL_ONLY,

  lb_conf: {
    crc: '56cd3261',
    fields: {
      ...REQUEST,
      ...CONF,
      sticky_buckets_per_core: 'stickyBuckets',
      flow_timeout: 'u32',
    },
  },
  lb_conf_reply: RETVAL_ONLY,
  lb_conf_get: EMPTY_REQUEST,
  lb_conf_get_reply: {
    crc: '923427ac',
    fields: { ...REPLY, ...CONF, sticky_buckets_per_core: 'u32', flow_timeout: 'u32' },
  },
  lb_add_del_vip_v2: {
    crc: '7c520e0f',
    fields: {
      ...REQUEST,
      ...VIP,
      encap: 'encap',
      dscp: 'u8',
      type: 'u32',
      target_port: 'u16',
      node_port: 'u16',
      new_flows_table_length: 'tableLength',
      src_ip_sticky: 'bool',
      is_del: 'bool',
    },
  },
  lb_add_del_vip_v2_reply: RETVAL_ONLY,
  lb_add_del_vip_reply: RETVAL_ONLY,
  lb_add_del_as_v2: {
    crc: '2f1d3b0e',
    fields: {
      ...REQUEST,
      ...VIP,
      as_address: 'address',
      weight: 'u8',
      is_del: 'bool',
      is_flush: 'bool',
    },
  },
  lb_add_del_as_v2_reply: RETVAL_ONLY,
  lb_add_del_as_reply: RETVAL_ONLY,
  lb_as_set_weight: {
    crc: '2d89bdbd',
    fields: { ...REQUEST, ...VIP, as_address: 'address', weight: 'u8', is_flush: 'bool' },
  },
  lb_as_set_weight_reply: RETVAL_ONLY,
  lb_flush_vip: { crc: '1063f819', fields: { ...REQUEST, ...VIP } },
  lb_flush_vip_reply: RETVAL_ONLY,
  lb_vip_dump: {
    crc: '56110cb7',
    fields: {
      ...REQUEST,
      pfx_address: 'address',
      pfx_len: 'u8',
      pfx_matcher_le: 'u8',
      pfx_matcher_ge: 'u8',
      protocol: 'u8',
      port: 'u16',
    },
  },
  lb_vip_details: {
    crc: '1329ec9b',
    fields: {
      ...DETAILS,
      ...VIP,
      encap: 'encap',
      /** Meaningful for L3DSR only; otherwise whatever the slot held before. */
      dscp: 'u8',
      srv_type: 'u32Unswapped',
      /** Meaningful for NAT only. */
      target_port: 'u16Swapped',
      /** The length modulo 65536. */
      flow_table_length: 'u16',
    },
  },
  lb_as_v2_dump: { crc: '1063f819', fields: { ...REQUEST, ...VIP } },
  lb_as_v2_details: {
    crc: '90064aae',
    fields: {
      ...DETAILS,
      ...VIP,
      app_srv: 'address',
      /** Bit 0: live. Removed ASes stay listed until they are collected. */
      flags: 'u8',
      in_use_since: 'u32',
      weight: 'u8',
      num_buckets: 'u32',
    },
  },
  lb_as_details: {
    crc: '8d24c29e',
    fields: { ...DETAILS, ...VIP, app_srv: 'address', flags: 'u8', in_use_since: 'u32' },
  },

  lb_add_del_intf_nat4: INTERFACE_NAT,
  lb_add_del_intf_nat4_reply: RETVAL_ONLY,
  lb_add_del_intf_nat6: INTERFACE_NAT,
  lb_add_del_intf_nat6_reply: RETVAL_ONLY,
} as const satisfies Record<string, MessageSpec>;

export type MessageName = keyof typeof MESSAGES;
export const MESSAGE_NAMES = Object.keys(MESSAGES) as readonly MessageName[];

/** The fields of a message as values. */
export type FieldsOf<N extends MessageName> = {
  readonly [F in keyof (typeof MESSAGES)[N]['fields']]: (typeof MESSAGES)[N]['fields'][F] extends KindName
    ? ValueOf<(typeof MESSAGES)[N]['fields'][F]>
    : never;
};

/** What the caller fills in; the connection adds who asks and the context of the answer. */
export type BodyOf<N extends MessageName> = Omit<FieldsOf<N>, 'client_index' | 'context'>;

/** How VPP lists a message in its table. */
export function keyOf(name: MessageName): string {
  return `${name}_${MESSAGES[name].crc}`;
}

/** Requests answered by one message. */
export const REPLY_OF = {
  sockclnt_create: 'sockclnt_create_reply',
  show_version: 'show_version_reply',
  control_ping: 'control_ping_reply',
  lb_conf_get: 'lb_conf_get_reply',
  lb_conf: 'lb_conf_reply',
  lb_add_del_vip_v2: 'lb_add_del_vip_v2_reply',
  lb_add_del_as_v2: 'lb_add_del_as_v2_reply',
  lb_as_set_weight: 'lb_as_set_weight_reply',
  lb_flush_vip: 'lb_flush_vip_reply',
} as const satisfies Partial<Record<MessageName, MessageName>>;

/** Requests answered by any number of messages and no end: a ping sent after them marks it. */
export const DETAILS_OF = {
  lb_vip_dump: 'lb_vip_details',
  lb_as_v2_dump: 'lb_as_v2_details',
} as const satisfies Partial<Record<MessageName, MessageName>>;

export type CallName = keyof typeof REPLY_OF;
export type DumpName = keyof typeof DETAILS_OF;
export type SendableName = CallName | DumpName;

export const SENDABLE: ReadonlySet<MessageName> = new Set<MessageName>([
  ...(Object.keys(REPLY_OF) as CallName[]),
  ...(Object.keys(DETAILS_OF) as DumpName[]),
]);

export const HANDSHAKE_IDS = { sockclnt_create: 15, sockclnt_create_reply: 16 } as const;

/** Without these there is nothing to talk about. */
export const READ_MESSAGES: readonly MessageName[] = [
  'show_version',
  'show_version_reply',
  'control_ping',
  'control_ping_reply',
  'lb_conf_get',
  'lb_conf_get_reply',
  'lb_vip_dump',
  'lb_vip_details',
  'lb_as_v2_dump',
  'lb_as_v2_details',
];

/** Without one of these the dataplane is read-only. */
export const WRITE_MESSAGES: readonly MessageName[] = [
  'lb_conf',
  'lb_conf_reply',
  'lb_add_del_vip_v2',
  'lb_add_del_vip_v2_reply',
  'lb_add_del_as_v2',
  'lb_add_del_as_v2_reply',
  'lb_as_set_weight',
  'lb_as_set_weight_reply',
  'lb_flush_vip',
  'lb_flush_vip_reply',
];
