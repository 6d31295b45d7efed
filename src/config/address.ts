/**
 * IP addresses and prefixes as written in configuration, in one canonical text.
 *
 * Rules: no leading zeros, no zone, no shorthand; IPv4-mapped IPv6 is IPv4; IPv6 prints as RFC 5952
 * says. VPP's load balancer reads everything inside ::/96 as IPv4, so nothing of ours may lie there.
 */
import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

export type Family = 4 | 6;

export interface Prefix {
  /** Canonical `address/length`. */
  readonly text: string;
  readonly family: Family;
  readonly length: number;
}

/** Canonical text, or `undefined` when this is no address. */
export function canonicalAddress(text: string): string | undefined {
  if (isIPv4(text)) return text;
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const address = ipaddr.IPv6.parse(text);
  return address.isIPv4MappedAddress()
    ? address.toIPv4Address().toString()
    : address.toRFC5952String();
}

/** Of canonical text. */
export function familyOf(address: string): Family {
  return address.includes(':') ? 6 : 4;
}

/** Canonical prefix; host bits must be zero. */
export function parsePrefix(text: string): Prefix | undefined {
  const [addressText = '', lengthText = '', ...rest] = text.split('/');
  if (rest.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(lengthText)) return undefined;
  const address = canonicalAddress(addressText);
  if (address === undefined) return undefined;
  const family = familyOf(address);
  const length = Number(lengthText);
  if (length > (family === 4 ? 32 : 128)) return undefined;
  return { text: `${address}/${length}`, family, length };
}

/** The prefix with its host bits cleared, e.g. for "did you mean". */
export function networkOf(prefix: Prefix): string {
  const network =
    prefix.family === 4
      ? ipaddr.IPv4.networkAddressFromCIDR(prefix.text).toString()
      : ipaddr.IPv6.networkAddressFromCIDR(prefix.text).toRFC5952String();
  return `${network}/${prefix.length}`;
}

export function contains(prefix: Prefix, address: string): boolean {
  if (familyOf(address) !== prefix.family) return false;
  return ipaddr.parse(address).match(ipaddr.parseCIDR(prefix.text));
}

export function overlaps(one: Prefix, two: Prefix): boolean {
  const [wide, narrow] = one.length <= two.length ? [one, two] : [two, one];
  return contains(wide, narrow.text.slice(0, narrow.text.indexOf('/')));
}

/** Inside ::/96, where VPP sees IPv4. */
export function liesInLowest96(address: string): boolean {
  return familyOf(address) === 6 && ipaddr.parse(address).match(ipaddr.parseCIDR('::/96'));
}

export function isUnspecified(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}
