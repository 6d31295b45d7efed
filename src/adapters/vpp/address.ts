/**
 * IP addresses between text and bytes. There is one text per address: dotted quad without leading
 * zeros, RFC 5952 for IPv6 (lower case, the longest run of zero groups cut, the first among equals,
 * never a run of one; mapped addresses stay in hexadecimal). Other spellings are not addresses here,
 * because keys are compared as text.
 */
import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

export type Family = 4 | 6;

const GROUPS = 8;

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

export function formatIp4(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

export function formatIp6(bytes: Uint8Array, at: number): string {
  const [start, end] = longestZeroRun(bytes, at);
  let text = '';
  for (let group = 0; group < GROUPS; group += 1) {
    if (group >= start && group < end) {
      if (group === start) text += '::';
      continue;
    }
    const separator = group === 0 || group === end ? '' : ':';
    text += separator + groupAt(bytes, at, group).toString(16);
  }
  return text;
}

function groupAt(bytes: Uint8Array, at: number, group: number): number {
  const high = at + 2 * group;
  return ((bytes[high] ?? 0) << 8) | (bytes[high + 1] ?? 0);
}

/** First group of the run and the one after it; of no run worth cutting, nowhere. */
function longestZeroRun(bytes: Uint8Array, at: number): readonly [number, number] {
  let [bestStart, bestEnd, start] = [-1, -1, 0];
  for (let group = 0; group < GROUPS; group += 1) {
    if (groupAt(bytes, at, group) !== 0) start = group + 1;
    else if (group > start && group + 1 - start > bestEnd - bestStart) {
      [bestStart, bestEnd] = [start, group + 1];
    }
  }
  return [bestStart, bestEnd];
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
