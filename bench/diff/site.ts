/**
 * The site that the bench of the diff core works on: so many VIPs of so many servers, IPv4 or IPv6,
 * every server another address. One and the same site for whoever is measured.
 */
import type { FrontendName } from '../../machines/model/ids.js';
import type { DesiredVip, Vip, VipAttributes } from '../../machines/model/lb.js';

export interface SiteSize {
  readonly vips: number;
  readonly servers: number;
  readonly ip6?: boolean;
}

export function vipAt(index: number): Vip {
  const address = `198.${18 + (index >>> 16)}.${(index >>> 8) & 255}.${index & 255}`;
  return { address, prefixLength: 32, protocol: 'tcp', port: 443 };
}

export function serverAt(vip: number, server: number, ip6 = false): string {
  if (ip6) return `2001:db8:${(vip + 1).toString(16)}:1::${(server + 1).toString(16)}`;
  const number = vip * 256 + server;
  return `10.${number >>> 16}.${(number >>> 8) & 255}.${number & 255}`;
}

export function weightAt(server: number): number {
  return 1 + (server % 3);
}

export function attributesOf(ip6 = false): VipAttributes {
  const encap = ip6 ? 'gre6' : 'gre4';
  return { encap, dscp: 0, srcIpSticky: false, tableLength: 4096 };
}

/** How often a server is changed: each so many, or one alone (`Infinity`: none). */
export type Every = number;
export const NONE_CHANGED: Every = Number.POSITIVE_INFINITY;

/** The first change is not at the very beginning, where it would be found before anything else. */
export function isChanged(place: number, every: Every): boolean {
  return place % every === Math.floor(Math.min(every, 2 ** 31) / 2);
}

/** Weights of one VIP as wanted; a changed one is one more than it was. */
export function wantedWeight(size: SiteSize, vip: number, server: number, every: Every): number {
  const place = vip * size.servers + server;
  return weightAt(server) + (isChanged(place, every) ? 1 : 0);
}

export function desiredVip(size: SiteSize, index: number, every: Every): DesiredVip {
  return {
    frontend: `f${index}` as FrontendName,
    vip: vipAt(index),
    attributes: attributesOf(size.ip6),
    servers: Array.from({ length: size.servers }, (_, server) => ({
      address: serverAt(index, server, size.ip6),
      weight: wantedWeight(size, index, server, every),
    })),
    revision: 1,
    priority: 100,
  };
}

/** None; one; one in a hundred; all. */
export function changesOf({ vips, servers }: SiteSize): readonly Every[] {
  return [NONE_CHANGED, vips * servers, 100, 1];
}
