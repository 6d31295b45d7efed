/**
 * Weighing a frontend's members: their places, orders and steps, the pool that carries them, and what each
 * is given. The one place where weights come from; the rules are in src/policy.
 *
 * Input: the memory, the wall clock. Output: the next memory.
 */
import {
  frontendState,
  isKept,
  isPanic,
  type Member,
  servingShare,
  type Weighed,
  weigh,
} from '../src/policy/frontend-weights.js';
import { choosePool } from '../src/policy/pool-choice.js';
import { nextStepMs, stepPercent } from '../src/policy/slow-start.js';
import { nameOf, orderFor, type Place } from '../src/policy/weight-orders.js';
import { type FrontendMemory, type MemberMemory, newMember } from './frontend-memory.js';
import type { Overrides } from './model/overrides.js';

type Seat = Pick<Member, 'pool' | 'weight' | 'flushOrder'>;

const NOWHERE: Seat = { pool: -1, weight: 0 };

/** Members with their place in the decided spec and what was ordered for it, in a fixed order. */
export function membersOf(memory: FrontendMemory): readonly Member[] {
  const places = new Map<string, Place & { readonly index: number }>();
  memory.decided?.pools.forEach(({ name: pool, members }, index) => {
    for (const member of members) {
      const name = nameOf(member);
      places.set(name, { index, pool, member: name, configured: member.weight });
    }
  });
  return Object.entries(memory.members).map(([name, member]) => {
    const known = member.successor ?? name;
    const place = places.get(member.group ?? known);
    const seat = place === undefined ? NOWHERE : seatOf(memory.overrides, place, known);
    return { ...member, ...seat, name, kept: isKept(member.reason) };
  });
}

function seatOf(
  overrides: Overrides,
  place: Place & { readonly index: number },
  name: string,
): Seat {
  const order = orderFor(overrides, place, name);
  const weight = order === undefined ? place.configured : Number(order.value);
  const flush = order?.flush === true ? { flushOrder: `order ${order.sinceMs}` } : {};
  return { pool: place.index, weight, ...flush };
}

function climbing(
  { decided, members: known }: FrontendMemory,
  members: readonly Member[],
  nowMs: number,
): readonly Member[] {
  const rule = decided?.slowStart;
  if (rule === undefined) return members;
  return members.map((member) => {
    const sinceMs = known[member.name]?.climbsSinceMs ?? null;
    return sinceMs === null ? member : { ...member, percent: stepPercent(rule, sinceMs, nowMs) };
  });
}

/** When the next member gets more; `undefined`: nobody climbs. */
export function nextClimbMs(
  { decided, members }: FrontendMemory,
  nowMs: number,
): number | undefined {
  const rule = decided?.slowStart;
  if (rule === undefined) return undefined;
  const next = Object.values(members).flatMap(({ climbsSinceMs }) => {
    return climbsSinceMs === null ? [] : (nextStepMs(rule, climbsSinceMs, nowMs) ?? []);
  });
  return next.length === 0 ? undefined : Math.min(...next);
}

/** A VIP that is built anew has no flows that a new member could be spared. */
export function withoutClimbs(memory: FrontendMemory): FrontendMemory {
  const members = Object.fromEntries(
    Object.entries(memory.members).map(([name, one]) => [name, { ...one, climbsSinceMs: null }]),
  );
  return { ...memory, members };
}

/** Chooses the pool and weighs every member: the one place where weights come from. */
export function reweighed(memory: FrontendMemory, nowMs: number): FrontendMemory {
  const { decided } = memory;
  if (decided === null) return memory;
  const members = climbing(memory, membersOf(memory), nowMs);
  const shares = decided.pools.map((_, pool) => servingShare(decided, members, pool));
  const choice = choosePool(decided, shares, memory.choice, nowMs);
  const weighed = weigh(decided, members, choice.active);
  const panic = isPanic(decided, members, choice.active);
  const state = frontendState(members, weighed);
  const sinceMs = state === memory.state ? memory.sinceMs : nowMs;
  const family = familyOf(members) ?? memory.family;
  const given = Object.fromEntries(
    members.map(({ name }, index) => [name, withWeight(memory.members[name], weighed[index])]),
  );
  return {
    ...memory,
    choice,
    state,
    panic,
    sinceMs,
    family,
    members: { ...memory.members, ...given },
  };
}

function withWeight(member: MemberMemory | undefined, weighed: Weighed | undefined): MemberMemory {
  const base = member ?? newMember(null, '');
  if (weighed === undefined) return base;
  const { weight, installed, reason, flushEpisode } = weighed;
  return { ...base, given: installed ? weight : null, reason, flushEpisode: flushEpisode ?? null };
}

/** Static members are known in advance and come first in the spec, so they decide. */
function familyOf(members: readonly Member[]): 4 | 6 | null {
  const first = members.find(({ phase, pool }) => phase !== 'out' && pool >= 0);
  if (first === undefined) return null;
  return first.address.includes(':') ? 6 : 4;
}
