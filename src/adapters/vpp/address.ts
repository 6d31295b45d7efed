/**
 * IP addresses between text and bytes. There is one text per address: dotted quad without leading
 * zeros, RFC 5952 for IPv6 (lower case, the longest run of zero groups cut, the first among equals,
 * never a run of one; mapped addresses stay in hexadecimal). Other spellings are not addresses here,
 * because keys are compared as text.
 */
import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

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

export function formatIp4(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

export function formatIp6(bytes: Uint8Array, at: number): string {
  const groups = Array.from({ length: 8 }, (_, index) => groupAt(bytes, at + 2 * index));
  const [start, length] = longestZeroRun(groups);
  const text = (from: number, to: number) =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':');
  if (length < 2) return text(0, 8);
  return `${text(0, start)}::${text(start + length, 8)}`;
}

function groupAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function longestZeroRun(groups: readonly number[]): readonly [number, number] {
  let [bestStart, bestLength, start] = [0, 0, 0];
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > bestLength) [bestStart, bestLength] = [start, index + 1 - start];
  }
  return [bestStart, bestLength];
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
