/**
 * IP addresses as VPP orders them: 16 bytes compared as numbers, IPv4 in the last four. So IPv4 comes
 * before IPv6 and .2 before .10; plans, tables and digests all use this one order.
 *
 * Input: canonical text (what configuration and the VPP client produce). Anything else is a `Defect`:
 * text from outside was parsed long before it gets here.
 */
import { Defect } from '../../machines/model/assert.js';

const BYTES = 16;

export function isIp4(address: string): boolean {
  return !address.includes(':');
}

/** Negative, zero or positive: ascending numeric order, IPv4 first. */
export function compareAddresses(left: string, right: string): number {
  if (left === right) return 0;
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

function ip4Bytes(text: string): number[] {
  const parts = text.split('.').map(Number);
  const valid = parts.length === 4 && parts.every((part) => part >= 0 && part <= 255);
  if (!valid) throw new Defect(`not an IPv4 address: ${text}`);
  return parts;
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
