/**
 * The kinds of field a VPP message is made of: size in bytes, how to read it, how to write it.
 *
 * `read` answers `undefined` for bytes that no VPP would send. `write` throws a `Defect` for values
 * that must not leave this process: requests are validated before they are encoded (rules.ts), and
 * what would end VPP (NAT, a table or sticky length of 0) cannot be written even if that failed.
 * All numbers are big endian, except the two that VPP forgets to swap.
 */
import { assert } from '../../../machines/model/assert.js';
import type { Encap } from '../../../machines/model/lb.js';
import { formatIp4, formatIp6 } from '../../lb/address.js';
import { parseAddress } from './address.js';
import { limits } from './limits.js';

export interface Kind<T> {
  /** Bytes; of a message table, bytes before its first entry. */
  readonly size: number;
  read(message: Buffer, at: number): T | undefined;
  write(message: Buffer, at: number, value: T): void;
}

export type WireEncap = Encap | 'nat4' | 'nat6';

export interface TableEntry {
  readonly id: number;
  /** Name and CRC, `lb_conf_56cd3261`. */
  readonly name: string;
}

/** By their number on the wire. */
export const ENCAPS = [
  'gre4',
  'gre6',
  'l3dsr',
  'nat4',
  'nat6',
] as const satisfies readonly WireEncap[];
const ENTRY_BYTES = 66;
const ENTRY_NAME_BYTES = 64;

const u8: Kind<number> = {
  size: 1,
  read: (message, at) => message.readUInt8(at),
  write: (message, at, value) => void message.writeUInt8(value, at),
};

const u16: Kind<number> = {
  size: 2,
  read: (message, at) => message.readUInt16BE(at),
  write: (message, at, value) => void message.writeUInt16BE(value, at),
};

const u32: Kind<number> = {
  size: 4,
  read: (message, at) => message.readUInt32BE(at),
  write: (message, at, value) => void message.writeUInt32BE(value, at),
};

const i32: Kind<number> = {
  size: 4,
  read: (message, at) => message.readInt32BE(at),
  write: (message, at, value) => void message.writeInt32BE(value, at),
};

/** A 16-bit number that VPP swaps once too often. */
const u16Swapped: Kind<number> = {
  size: 2,
  read: (message, at) => message.readUInt16LE(at),
  write: (message, at, value) => void message.writeUInt16LE(value, at),
};

/** A 32-bit number that VPP forgets to swap. */
const u32Unswapped: Kind<number> = {
  size: 4,
  read: (message, at) => message.readUInt32LE(at),
  write: (message, at, value) => void message.writeUInt32LE(value, at),
};

const bool: Kind<boolean> = {
  size: 1,
  read: (message, at) => {
    const byte = message.readUInt8(at);
    return byte > 1 ? undefined : byte === 1;
  },
  write: (message, at, value) => void message.writeUInt8(value ? 1 : 0, at),
};

const ip4: Kind<string> = {
  size: 4,
  read: formatIp4,
  write: (message, at, value) => message.set(addressBytes(value, 4), at),
};

const ip6: Kind<string> = {
  size: 16,
  read: formatIp6,
  write: (message, at, value) => message.set(addressBytes(value, 6), at),
};

/** A family byte and 16 bytes, of which an IPv4 address takes the first four. */
const address: Kind<string> = {
  size: 17,
  read: (message, at) => {
    const family = message.readUInt8(at);
    if (family > 1) return undefined;
    return family === 0 ? formatIp4(message, at + 1) : formatIp6(message, at + 1);
  },
  write: (message, at, value) => {
    const isIp6 = value.includes(':');
    message.writeUInt8(isIp6 ? 1 : 0, at);
    message.set(addressBytes(value, isIp6 ? 6 : 4), at + 1);
  },
};

function addressBytes(text: string, family: 4 | 6): Uint8Array {
  const parsed = parseAddress(text);
  assert(parsed?.family === family, `not an IPv${family} address to encode: ${text}`);
  return parsed.bytes;
}

/** Text padded with NUL. What is not printable ASCII reads as `?`: it may end on a terminal. */
function text(size: number): Kind<string> {
  return {
    size,
    read: (message, at) => {
      const padded = message.toString('latin1', at, at + size);
      const end = padded.indexOf('\0');
      return (end < 0 ? padded : padded.slice(0, end)).replace(/[^ -~]/g, '?');
    },
    write: (message, at, value) => {
      assert(/^[ -~]*$/.test(value) && value.length < size, `not ${size} bytes of text: ${value}`);
      message.write(value, at, size, 'latin1');
    },
  };
}

const encap: Kind<WireEncap> = {
  size: 4,
  read: (message, at) => ENCAPS[message.readUInt32BE(at)],
  write: (message, at, value) => {
    assert(value !== 'nat4' && value !== 'nat6', `${value} is never sent: it can end VPP`);
    message.writeUInt32BE(ENCAPS.indexOf(value), at);
  },
};

/** A length that must not be 0 or larger than `max`: either can end VPP. */
function lengthUpTo(max: number): Kind<number> {
  return {
    ...u32,
    write: (message, at, value) => {
      assert(value >= 1 && value <= max, `a length of ${value} is never sent: it can end VPP`);
      message.writeUInt32BE(value, at);
    },
  };
}

/** A count and as many entries, up to the end of the message. */
const messageTable: Kind<readonly TableEntry[]> = {
  size: 2,
  read: (message, at) => {
    const count = message.readUInt16BE(at);
    const start = at + 2;
    if (count > limits.messageTableMax) return undefined;
    if (message.length !== start + count * ENTRY_BYTES) return undefined;
    return Array.from({ length: count }, (_, index) => {
      const entry = start + index * ENTRY_BYTES;
      return { id: message.readUInt16BE(entry), name: entryName.read(message, entry + 2) ?? '' };
    });
  },
  write: () => assert(false, 'a message table is never sent'),
};
const entryName = text(ENTRY_NAME_BYTES);

export const KINDS = {
  u8,
  u16,
  u32,
  i32,
  u16Swapped,
  u32Unswapped,
  bool,
  ip4,
  ip6,
  address,
  text32: text(32),
  text64: text(64),
  text256: text(256),
  encap,
  tableLength: lengthUpTo(limits.tableLengthMax),
  stickyBuckets: lengthUpTo(limits.stickyBucketsMax),
  messageTable,
} satisfies Record<string, Kind<unknown>>;

export type KindName = keyof typeof KINDS;

/** What a field of this kind is in TypeScript. */
export type ValueOf<K extends KindName> = (typeof KINDS)[K] extends Kind<infer T> ? T : never;
