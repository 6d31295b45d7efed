/**
 * The VIP a frontend wants, in VPP's terms.
 *
 * Input: its memory. Output: `DesiredVip`, whole; `null` while it has no decided spec or no address.
 *
 * Rules: [FE-11] weights are sent on the frontend's scale, ascending by address, each address once;
 * [FE-16] the encapsulation follows the family of the members, and an empty VIP keeps the one it had.
 */
import { compareAddresses } from '../src/lb/address.js';
import { scaleOf, scaleWeight } from '../src/lb/scale.js';
import { addressIn, type FrontendMemory } from './frontend-memory.js';
import { assert } from './model/assert.js';
import type { FrontendSpec } from './model/desired.js';
import type { DesiredAs, DesiredVip, VipAttributes } from './model/lb.js';

/** `null`: no decided spec, or no address yet. */
export function desiredOf(memory: FrontendMemory): DesiredVip | null {
  const { name, decided: spec } = memory;
  const address = addressIn(memory);
  if (spec === null || address === null) return null;
  const { protocol, port, priority } = spec;
  const prefixLength = address.includes(':') ? 128 : 32;
  return {
    frontend: name,
    vip: { address, prefixLength, protocol, port },
    attributes: attributesOf(memory, spec, address),
    servers: serversOf(memory, scaleOf(spec).divisor),
    priority,
  };
}

/** Encapsulation follows the family of the members, whatever the VIP's own. */
function attributesOf(memory: FrontendMemory, spec: FrontendSpec, address: string): VipAttributes {
  const family = memory.family ?? (address.includes(':') ? 6 : 4);
  const automatic = family === 6 ? 'gre6' : 'gre4';
  return {
    encap: spec.encap === 'auto' ? automatic : spec.encap,
    dscp: spec.dscp,
    srcIpSticky: spec.srcIpSticky,
    tableLength: scaleOf(spec).tableLength,
  };
}

function serversOf(memory: FrontendMemory, divisor: number): readonly DesiredAs[] {
  const servers = new Map<string, DesiredAs>();
  for (const { address, given, flushEpisode } of Object.values(memory.members)) {
    if (given === null) continue;
    const { weight } = scaleWeight(given, divisor);
    const flush = flushEpisode === null || weight > 0 ? {} : { flushEpisode };
    // An address that was handed on may be claimed twice for a moment: who serves wins.
    const other = servers.get(address);
    if (other === undefined || other.weight < weight) {
      servers.set(address, { address, weight, ...flush });
    }
  }
  return [...servers.values()].sort((a, b) => compareAddresses(a.address, b.address));
}

export function vipOf(memory: FrontendMemory): DesiredVip {
  const desired = desiredOf(memory);
  assert(desired !== null, `frontend ${memory.name} sends a VIP it does not have`);
  return desired;
}

export function owesDesired(memory: FrontendMemory): boolean {
  const desired = desiredOf(memory);
  return desired !== null && JSON.stringify(desired) !== JSON.stringify(memory.sent);
}

/** VPP reported exactly what it was last told. */
export function isSynced({ report, sent }: FrontendMemory): boolean {
  if (report === null || sent === null || !report.exists || !report.synced) return false;
  if (report.servers.length !== sent.servers.length) return false;
  return sent.servers.every(({ address, weight }) =>
    report.servers.some((actual) => actual.address === address && actual.weight === weight),
  );
}
