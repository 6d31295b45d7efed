/**
 * The one mapping from health to weights: which weight each member of a frontend has, and why.
 *
 * Input:  the frontend's switches, its members (place in the pools, phase, health, weight last given)
 *         and the active pool.
 * Output: for each member, in order: the effective weight in configured units, whether it is an AS at
 *         all, the flush wanted, and the reason. Scaling for VPP comes after.
 *
 *   up           configured weight in the active pool, 0 in a standby pool
 *   unknown      what it was last given (`unknown: keep`), never more; 0 when it never was an AS
 *   down         0, flushed once per episode when `flushOnDown`
 *   paused       0, flows stay            disabled  0, flushed
 *   phase drain  0, flows stay            phase out no AS
 *
 *   panic        as configured, for members of the active pool that are down by silence or at layer 7
 *   climbing     a share of its weight, after slow start
 *
 * Rules: [FE-1] unknown keeps; [FE-2] health alone never takes a VIP's last weight; [FE-3] a member
 * proven dead is not the one kept while an AS that is only silent exists; [FE-4] a drain of the last
 * weighted member waits unless the last may go; [FE-5] a flush goes with weight 0 only, for a member
 * that is down or disabled; [FE-9] a member becomes an AS at its first `up`.
 */
import type { FrontendSpec } from '../../machines/model/desired.js';
import type { HealthState, MemberLevel } from '../../machines/model/messages.js';

export interface MemberHealth {
  readonly state: HealthState;
  readonly positive: boolean;
  readonly episode: string;
}

export interface Member {
  readonly name: string;
  readonly address: string;
  /** Index of its pool; -1: no pool has it any more. */
  readonly pool: number;
  /** As configured, 0..100. */
  readonly weight: number;
  readonly phase: MemberLevel['phase'];
  readonly dead: boolean;
  readonly lastMayGo: boolean;
  readonly health: MemberHealth;
  /** Weight it was last given, in configured units; `null`: it is not an AS of this frontend. */
  readonly given: number | null;
  /** It has its weight only because nobody else serves; see `isKept`. */
  readonly kept: boolean;
  /** Ordered with its weight: flows are evicted once, whatever its health. */
  readonly flushOrder?: string;
  /** It climbs after slow start: percent of its weight. */
  readonly percent?: number;
}

export const REASONS = [
  'up',
  'standby',
  'unknown-kept',
  'unknown-new',
  'unknown-zero',
  'down',
  'last-kept',
  'panic',
  'stand-in',
  'paused',
  'disabled',
  'draining',
  'drain-held',
  'out',
] as const;
export type Reason = (typeof REASONS)[number];

export interface Weighed {
  readonly weight: number;
  readonly installed: boolean;
  readonly reason: Reason;
  readonly flushEpisode?: string;
}

export type WeightRule = Pick<FrontendSpec, 'flushOnDown' | 'unknown' | 'allDown' | 'panicBelow'>;

export function weigh(
  rule: WeightRule,
  members: readonly Member[],
  active: number,
): readonly Weighed[] {
  const panic = isPanic(rule, members, active);
  const natural = members.map((member) => naturally(rule, member, { active, panic }));
  const carrying = natural.filter(({ weight }) => weight > 0);
  if (carrying.some(({ reason }) => reason !== 'unknown-kept' && reason !== 'panic'))
    return natural;
  const beside = () => new Map([...stillKept(members), ...(panic ? drainHeld(members) : [])]);
  const kept = carrying.length > 0 ? beside() : keepers(rule, members, active);
  return members.map((member, index) => {
    const weighed = natural[index] ?? OUT;
    const keep = kept.get(member);
    return keep === undefined || weighed.weight > 0 ? weighed : { ...keep, installed: true };
  });
}

/**
 * So few serve that it may be the probes that are wrong: whoever is down for lack of an answer counts as
 * before [FE-45]. Nobody down, no panic: a pool that is drained or still empty is none.
 */
export function isPanic(rule: WeightRule, members: readonly Member[], active: number): boolean {
  if (rule.panicBelow === undefined) return false;
  const down = members.some((member) => member.pool === active && isSuspect(member));
  return down && servingShare(rule, members, active) < rule.panicBelow;
}

/** Down, and not for sure: it was an AS, and nobody refused a connection. */
function isSuspect({ phase, health, given }: Member): boolean {
  return phase === 'in' && health.state === 'down' && !health.positive && given !== null;
}

/** Share of a pool's configured weight that serves; members not seen yet count neither way. */
export function servingShare(rule: WeightRule, members: readonly Member[], pool: number): number {
  const counted = members.filter((member) => {
    const unseen = member.health.state === 'unknown' && member.given === null;
    return member.pool === pool && member.phase === 'in' && !unseen;
  });
  const total = sumOf(counted);
  return total === 0 ? 0 : sumOf(counted.filter((member) => serves(rule, member))) / total;
}

/** Unknown is unseen or all unknown; kept weights of the dead do not make a frontend up. */
export function frontendState(
  members: readonly Member[],
  weighed: readonly Weighed[],
): 'unknown' | 'up' | 'down' {
  const present = members.filter(({ phase, pool }) => phase !== 'out' && pool >= 0);
  if (present.every(({ health }) => health.state === 'unknown')) return 'unknown';
  const serving = weighed.some(({ weight, reason }) => weight > 0 && !isKept(reason));
  return serving ? 'up' : 'down';
}

/** Whether a weight is there only because health may not empty a VIP. */
export function isKept(reason: Reason): boolean {
  return reason === 'last-kept' || reason === 'stand-in' || reason === 'panic';
}

const OUT: Weighed = { weight: 0, installed: false, reason: 'out' };

function sumOf(members: readonly Member[]): number {
  return members.reduce((sum, { weight }) => sum + weight, 0);
}

function serves(rule: WeightRule, { health, given }: Member): boolean {
  if (health.state === 'up') return true;
  return rule.unknown === 'keep' && health.state === 'unknown' && (given ?? 0) > 0;
}

/** A member by itself, the others not considered. */
interface Pools {
  readonly active: number;
  /** The active one is in panic. */
  readonly panic: boolean;
}

function naturally(rule: WeightRule, member: Member, { active, panic }: Pools): Weighed {
  if (member.phase === 'out' || member.pool < 0) return OUT;
  const flush = flushOf(rule, member);
  const installed = isInstalled(rule, member);
  if (member.phase === 'drain') return { weight: 0, installed, reason: 'draining', ...flush };
  if (panic && member.pool === active && isSuspect(member)) {
    return { weight: member.weight, installed, reason: 'panic' };
  }
  const { weight, reason } = byHealth(rule, member, active);
  return { weight, installed, reason, ...flush };
}

function isInstalled(rule: WeightRule, { given, health, phase }: Member): boolean {
  if (given !== null) return true;
  return phase === 'in' && (health.state === 'up' || rule.unknown === 'zero');
}

function flushOf(
  rule: WeightRule,
  { health: { state, episode }, flushOrder }: Member,
): Pick<Weighed, 'flushEpisode'> {
  const wanted = state === 'disabled' || (state === 'down' && rule.flushOnDown);
  if (wanted) return { flushEpisode: episode };
  return flushOrder === undefined ? {} : { flushEpisode: flushOrder };
}

type WeightAndReason = Pick<Weighed, 'weight' | 'reason'>;

function byHealth(rule: WeightRule, member: Member, active: number): WeightAndReason {
  const { state } = member.health;
  switch (state) {
    case 'up':
      return inPool(member, active, { weight: climbing(member), reason: 'up' });
    case 'unknown':
      return inPool(member, active, whenUnknown(rule, member));
    case 'down':
    case 'paused':
    case 'disabled':
      return { weight: 0, reason: state };
  }
}

/** Never 0: it serves. */
function climbing({ weight, percent = 100 }: Member): number {
  return weight === 0 ? 0 : Math.max(1, Math.round((weight * percent) / 100));
}

function inPool(member: Member, active: number, whenActive: WeightAndReason): WeightAndReason {
  return member.pool === active ? whenActive : { weight: 0, reason: 'standby' };
}

function whenUnknown(rule: WeightRule, { given, weight }: Member): WeightAndReason {
  if (rule.unknown === 'zero') return { weight: 0, reason: 'unknown-zero' };
  if (given === null) return { weight: 0, reason: 'unknown-new' };
  return { weight: Math.min(given, weight), reason: 'unknown-kept' };
}

/**
 * Who keeps a weight when nobody has one by itself: members that carried traffic until now and lose it
 * for a reason that may not empty the VIP. Healthy ones first, then silent ones, then the proven dead.
 */
function keepers(
  rule: WeightRule,
  members: readonly Member[],
  active: number,
): ReadonlyMap<Member, WeightAndReason> {
  const healthy = drainHeld(members);
  if (healthy.size > 0) return healthy;
  const carriers = carriersOf(members);
  const down = carriers.filter(({ health }) => health.state === 'down');
  if (rule.allDown === 'zero' || down.length === 0) return NOBODY;
  const silent = down.filter(({ health }) => !health.positive);
  if (silent.length > 0) return keep(silent, 'last-kept');
  const substitutes = standIns(members, active);
  if (substitutes.length === 0) return keep(down, 'last-kept');
  return new Map(
    substitutes.map((member) => [member, { weight: member.weight, reason: 'stand-in' } as const]),
  );
}

function carriersOf(members: readonly Member[]): readonly Member[] {
  return members.filter((member) => keptWeight(member) > 0 && mayBeHeld(member));
}

/** Who serves and should drain, while nobody else is known to serve [FE-4]. */
function drainHeld(members: readonly Member[]): ReadonlyMap<Member, WeightAndReason> {
  const healthy = carriersOf(members).filter(
    ({ phase, health }) => phase === 'drain' && isWell(health),
  );
  return keep(healthy, 'drain-held');
}

/** Beside others that are merely unknown: ignorance about them takes nothing from the kept. */
function stillKept(members: readonly Member[]): ReadonlyMap<Member, WeightAndReason> {
  const kept = members.filter((member) => {
    const silent = member.health.state === 'down' && !member.health.positive;
    return member.kept && silent && keptWeight(member) > 0 && mayBeHeld(member);
  });
  return keep(kept, 'last-kept');
}

const NOBODY: ReadonlyMap<Member, WeightAndReason> = new Map();

function keep(members: readonly Member[], reason: Reason): ReadonlyMap<Member, WeightAndReason> {
  return new Map(members.map((member) => [member, { weight: keptWeight(member), reason }]));
}

function keptWeight({ given, weight, pool }: Member): number {
  return pool < 0 ? 0 : Math.min(given ?? 0, weight);
}

function mayBeHeld({ phase, dead, lastMayGo }: Member): boolean {
  return phase === 'in' || (phase === 'drain' && !dead && !lastMayGo);
}

function isWell({ state }: MemberHealth): boolean {
  return state === 'up' || state === 'unknown';
}

/** ASes of one pool that are merely silent: a better bet than one known to be dead. */
function standIns(members: readonly Member[], active: number): readonly Member[] {
  const silent = members.filter(({ phase, pool, given, health, weight }) => {
    const isSilent = health.state === 'down' && !health.positive;
    return phase === 'in' && pool >= 0 && given !== null && isSilent && weight > 0;
  });
  const pools = silent.map(({ pool }) => pool);
  const pool = pools.includes(active) ? active : Math.min(...pools);
  return silent.filter((member) => member.pool === pool);
}
