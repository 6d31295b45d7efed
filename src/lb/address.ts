/**
 * IP addresses as VPP orders them: 16 bytes compared as numbers, IPv4 in the last four. So IPv4 comes
 * before IPv6 and .2 before .10; plans, tables and digests all use this one order.
 *
 * Input: canonical text (what configuration and the VPP client produce). Anything else is a `Defect`:
 * text from outside was parsed long before it gets here. Output: bytes, and canonical text of bytes
 * (dotted quad; RFC 5952: lower case, the longest run of zero groups cut, the first among equals,
 * never a run of one).
 */
import { Defect } from '../../machines/model/assert.js';

const BYTES = 16;
const GROUPS = 8;
const DOT = 46;
const ZERO = 48;

export function isIp4(address: string): boolean {
  return !address.includes(':');
}

/** Negative, zero or positive: ascending numeric order, IPv4 first. */
export function compareAddresses(left: string, right: string): number {
  if (left === right) return 0;
  if (isIp4(left) && isIp4(right)) return ip4Number(left) - ip4Number(right);
  const [a, b] = [addressBytes(left), addressBytes(right)];
  for (let index = 0; index < BYTES; index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The 16 bytes VPP hashes and sorts by. */
export function addressBytes(address: string): Uint8Array {
  const bytes = new Uint8Array(BYTES);
  if (isIp4(address)) bytes.set(ip4Bytes(address), BYTES - 4);
  else bytes.set(ip6Bytes(address));
  return bytes;
}

/** Character by character: whoever packs a million of these notices how it is done. */
export function ip4Number(text: string): number {
  let [number, part, parts] = [0, -1, 0];
  for (let index = 0; index <= text.length; index += 1) {
    const code = index < text.length ? text.charCodeAt(index) : DOT;
    if (code !== DOT) {
      const digit = code - ZERO;
      if (digit < 0 || digit > 9) throw new Defect(`not an IPv4 address: ${text}`);
      part = part < 0 ? digit : part * 10 + digit;
      continue;
    }
    if (part < 0 || part > 255) throw new Defect(`not an IPv4 address: ${text}`);
    number = number * 256 + part;
    parts += 1;
    part = -1;
  }
  if (parts !== 4) throw new Defect(`not an IPv4 address: ${text}`);
  return number;
}

function ip4Bytes(text: string): number[] {
  const number = ip4Number(text);
  return [number >>> 24, (number >>> 16) & 0xff, (number >>> 8) & 0xff, number & 0xff];
}

function ip6Bytes(text: string): number[] {
  const [head = '', tail] = text.split('::');
  const front = groups(head);
  const back = tail === undefined ? [] : groups(tail);
  const missing = BYTES - front.length - back.length;
  const valid = tail === undefined ? missing === 0 : missing >= 0;
  if (!valid) throw new Defect(`not an IPv6 address: ${text}`);
  return [...front, ...new Array<number>(missing).fill(0), ...back];
}

/** Two bytes for each group of hex digits; a dotted quad at the end counts as two groups. */
function groups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return ip4Bytes(group);
    if (!/^[0-9a-f]{1,4}$/i.test(group)) throw new Defect(`not an IPv6 address: ${text}`);
    const value = Number.parseInt(group, 16);
    return [value >>> 8, value & 0xff];
  });
}

export function formatIp4(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

/** Mapped addresses stay in hexadecimal. */
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
