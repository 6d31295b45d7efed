/**
 * IP addresses between text and bytes. There is one text per address: dotted quad without leading
 * zeros, RFC 5952 for IPv6 (lower case, the longest run of zero groups cut, the first among equals,
 * never a run of one; mapped addresses stay in hexadecimal). Other spellings are not addresses here,
 * because keys are compared as text.
 */
import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { formatIp4, formatIp6 } from '../../lb/address.js';

export type Family = 4 | 6;

export interface IpAddress {
  readonly family: Family;
  /** 4 or 16 bytes, network order. */
  readonly bytes: Uint8Array;
}

/** Parses canonical text; anything else is `undefined`. */
export function parseAddress(text: string): IpAddress | undefined {
  if (isIPv4(text)) {
    const bytes = Uint8Array.from(ipaddr.IPv4.parse(text).toByteArray());
    return formatIp4(bytes, 0) === text ? { family: 4, bytes } : undefined;
  }
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const bytes = Uint8Array.from(ipaddr.IPv6.parse(text).toByteArray());
  return formatIp6(bytes, 0) === text ? { family: 6, bytes } : undefined;
}

/** Whether no bit after the first `prefixLength` is set. */
export function hostBitsClear(address: IpAddress, prefixLength: number): boolean {
  return address.bytes.every((byte, index) => {
    const kept = Math.min(8, Math.max(0, prefixLength - 8 * index));
    return (byte & (0xff >> kept)) === 0;
  });
}

/** VPP's lb plugin takes an IPv6 address with 96 leading zero bits for IPv4. */
export function looksLikeIp4(address: IpAddress): boolean {
  return address.family === 6 && address.bytes.subarray(0, 12).every((byte) => byte === 0);
}
