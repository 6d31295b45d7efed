/**
 * The VIP a frontend wants, in VPP's terms, and the number it is asked for by.
 *
 * Input: its memory. Output: the VIP, whole; `null` while it has no decided spec or no address.
 *
 * Rules: [FE-26] a wish that differs from the one before has a higher revision than every earlier
 * one, a restart notwithstanding; said again it keeps its own; [FE-11] weights are sent on the frontend's scale, ascending by address, each address once;
 * [FE-16] the encapsulation follows the family of the members, and an empty VIP keeps the one it had.
 */
import { compareAddresses } from '../src/lb/address.js';
import { scaleOf, scaleWeight } from '../src/lb/scale.js';
import { addressIn, type FrontendMemory, type MemberMemory } from './frontend-memory.js';
import { assert } from './model/assert.js';
import type { FrontendSpec } from './model/desired.js';
import type { DesiredAs, DesiredVip, VipAttributes } from './model/lb.js';
import { nextRevision } from './model/time.js';

/** What is wanted, whatever its number. */
export type WantedVip = Omit<DesiredVip, 'revision'>;

/** `null`: no decided spec, or no address yet. */
export function desiredOf(memory: FrontendMemory): WantedVip | null {
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
    ...(spec.mayRecreate === true ? { mayRecreate: true } : {}),
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
    const flush = flushEpisode === null ? {} : { flushEpisode };
    // An address that was handed on may be claimed twice for a moment: who serves wins.
    const other = servers.get(address);
    if (other === undefined || other.weight < weight) {
      servers.set(address, { address, weight, ...flush });
    }
  }
  return [...servers.values()].sort((a, b) => compareAddresses(a.address, b.address));
}

/** The VIP as it is asked for at this moment. */
export function wishOf(memory: FrontendMemory, atMs: number): DesiredVip {
  const wanted = desiredOf(memory);
  assert(wanted !== null, `frontend ${memory.name} sends a VIP it does not have`);
  const { sent, wish } = memory;
  const revision = sent !== null && isSame(wanted, sent) ? sent.revision : nextRevision(wish, atMs);
  return { ...wanted, revision };
}

export function owesDesired(memory: FrontendMemory): boolean {
  const { sent, repeat } = memory;
  const wanted = desiredOf(memory);
  return wanted !== null && (repeat || sent === null || !isSame(wanted, sent));
}

function isSame(wanted: WantedVip, { revision, ...sent }: DesiredVip): boolean {
  return JSON.stringify(wanted) === JSON.stringify(sent);
}

/** After sending it: since when each member's address has been asked for in the same way. */
export function withWish(memory: FrontendMemory, wish: DesiredVip): FrontendMemory {
  const { sent } = memory;
  const since = (member: MemberMemory): number => {
    const same = sent !== null && askedOf(sent, member) === askedOf(wish, member);
    return same ? (member.askedSince ?? sent.revision) : wish.revision;
  };
  const members = Object.fromEntries(
    Object.entries(memory.members).map(([name, one]) => [name, { ...one, askedSince: since(one) }]),
  );
  return { ...memory, members, sent: wish, wish: wish.revision, repeat: false };
}

/** What a wish asks for at a member's address; all weights above 0 are one kind of thing. */
export function askedOf(
  { servers }: DesiredVip,
  { address }: Pick<MemberMemory, 'address'>,
): 'weight' | 'zero' | 'none' {
  const server = servers.find((one) => one.address === address);
  if (server === undefined) return 'none';
  return server.weight > 0 ? 'weight' : 'zero';
}
