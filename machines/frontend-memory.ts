/**
 * What a frontend remembers, and how one event changes it: the context of `machines/frontend.ts` as
 * plain data, with one pure function for each change.
 *
 * Input: the memory, an event's facts. Output: the next memory.
 *
 * Two specs are kept apart: `spec` is the newest decision, `decided` the newest one known to be on disk.
 * Only `decided` reaches VPP, while verdicts act on it at once, so that no message of an older
 * decision can ever overtake a newer verdict. What was told to others is kept too; a level is told
 * again when it differs, or when it was asked for.
 */
import {
  frontendState,
  isKept,
  type Member,
  type MemberHealth,
  type Reason,
  servingShare,
  type Weighed,
  weigh,
} from '../src/policy/frontend-weights.js';
import { bookIn } from '../src/policy/overrides.js';
import { choosePool, FIRST_POOL, type PoolChoice } from '../src/policy/pool-choice.js';
import { nameOf, orderFor, type Place } from '../src/policy/weight-orders.js';
import type { AnnounceLevel } from './model/announce.js';
import type { FrontendSpec } from './model/desired.js';
import type { ChildRow } from './model/effects.js';
import { type Address, type FrontendName, type GroupKey, keyOf } from './model/ids.js';
import type { DesiredVip } from './model/lb.js';
import type { FrontendStatus, MemberLevel, Verdict, VipReport } from './model/messages.js';
import { NO_OVERRIDES, type Overrides } from './model/overrides.js';

/** One member as remembered; its place and weight come from the spec. */
export interface MemberMemory {
  /** `null`: a static backend. */
  readonly group: GroupKey | null;
  /** Static backend that moved: the AS at its old address stands in until the new one passed. */
  readonly successor: string | null;
  readonly address: string;
  readonly phase: MemberLevel['phase'];
  readonly dead: boolean;
  readonly lastMayGo: boolean;
  readonly health: MemberHealth;
  readonly given: number | null;
  readonly reason: Reason;
  readonly flushEpisode: string | null;
  /** Revision of the newest level it told us; 0: a static backend. */
  readonly level: number;
  /**
   * Since this wish every wish asked for the same of its address: no AS, weight 0, or a weight.
   * `null`: not known to be so before the newest wish.
   */
  readonly askedSince: number | null;
}

export interface FrontendMemory {
  readonly name: FrontendName;
  readonly owner: Address | null;
  readonly spec: FrontendSpec | null;
  readonly decided: FrontendSpec | null;
  /** Counts decisions about the spec; a confirmation of an older one is ignored. */
  readonly revision: number;
  /** The revision `decided` stands for. */
  readonly settledRevision: number;
  readonly allocated: { readonly pool: string; readonly address: string } | null;
  readonly members: Readonly<Record<string, MemberMemory>>;
  readonly choice: PoolChoice;
  readonly state: FrontendStatus['state'];
  /** State and pool as last recorded. */
  readonly recorded: { readonly state: FrontendStatus['state']; readonly active: number };
  /** Address family the members were last seen to have: an empty VIP keeps its encapsulation. */
  readonly family: 4 | 6 | null;
  readonly report: VipReport | null;
  readonly problem: string | null;
  readonly sent: DesiredVip | null;
  /** Revision of the newest wish, sent or withdrawn. */
  readonly wish: number;
  /** Somebody may have lost the wish: it is said again although it is the same. */
  readonly repeat: boolean;
  readonly toldStatus: FrontendStatus | null;
  /** Member → acknowledgement as last told, `phase weight`. */
  readonly toldAcks: Readonly<Record<string, string>>;
  readonly sinceMs: number;
  /** As the book beside the frontend has them. */
  readonly overrides: Overrides;
  /** An operator drained the whole node. */
  readonly nodeDrained: boolean;
  readonly toldAnnounce: AnnounceLevel | null;
  /** What the announce program has done. */
  readonly announced: boolean;
}

const UNKNOWN: MemberHealth = { state: 'unknown', positive: false, episode: '' };

export function newFrontend(address: Address): FrontendMemory {
  return {
    name: keyOf(address) as FrontendName,
    owner: null,
    spec: null,
    decided: null,
    revision: 0,
    settledRevision: 0,
    allocated: null,
    members: {},
    choice: FIRST_POOL,
    state: 'unknown',
    recorded: { state: 'unknown', active: 0 },
    family: null,
    report: null,
    problem: null,
    sent: null,
    wish: 0,
    repeat: false,
    toldStatus: null,
    toldAcks: {},
    sinceMs: 0,
    overrides: NO_OVERRIDES,
    nodeDrained: false,
    toldAnnounce: null,
    announced: false,
  };
}

// --- the spec ----------------------------------------------------------------------------------

/** Neither generation nor permission is a change: a reload of the same file decides nothing here. */
export function isNews(memory: FrontendMemory, next: FrontendSpec): boolean {
  const settled = (spec: FrontendSpec) => JSON.stringify({ ...forbidden(spec), generation: 0 });
  const same = memory.spec !== null && settled(memory.spec) === settled(next);
  return !same || isAwaitedPermission(memory, next);
}

/** VPP keeps the VIP other than wanted, and the permission to make it again may be what is missing. */
function isAwaitedPermission({ spec, report }: FrontendMemory, next: FrontendSpec): boolean {
  const given = next.mayRecreate === true && spec?.mayRecreate !== true;
  return given && report?.exists === true && report.problem !== undefined;
}

/** The spec without its permission to re-create the VIP. */
export function forbidden({ mayRecreate: _given, ...spec }: FrontendSpec): FrontendSpec {
  return spec;
}

/** Takes the spec over as a decision still on its way to the disk. */
export function adopt(
  memory: FrontendMemory,
  spec: FrontendSpec,
  owner: Address | undefined,
): FrontendMemory {
  return { ...claimed(memory, owner), spec, revision: memory.revision + 1 };
}

/** The owner asks again: it is told the status again, changed or not. */
export function claimed(memory: FrontendMemory, owner: Address | undefined): FrontendMemory {
  return { ...memory, owner: owner ?? memory.owner, toldStatus: null };
}

/** The newest spec is on disk: from here on it is what VPP gets. */
export function settle(memory: FrontendMemory): FrontendMemory {
  const { spec, decided, choice } = memory;
  if (spec === null) return memory;
  const activeName = decided?.pools[choice.active]?.name;
  const active = spec.pools.findIndex(({ name }) => name === activeName);
  const moved =
    active === choice.active ? choice : { active: Math.max(active, 0), contender: null };
  const members = withStaticMembers(memory.members, spec);
  const settledRevision = memory.revision;
  return { ...memory, decided: spec, settledRevision, choice: moved, members };
}

function withStaticMembers(
  before: FrontendMemory['members'],
  spec: FrontendSpec,
): FrontendMemory['members'] {
  const members = Object.fromEntries(
    Object.entries(before).filter(([, { group }]) => group !== null),
  );
  for (const { ref } of spec.pools.flatMap((pool) => pool.members)) {
    if (ref.kind === 'backend') Object.assign(members, staticMember(before, ref));
  }
  return members;
}

/** A static backend and, after it moved, the AS that stands in for it. */
function staticMember(
  before: FrontendMemory['members'],
  { backend, address }: { readonly backend: string; readonly address: string },
): FrontendMemory['members'] {
  const known = before[backend];
  const previous = before[predecessorOf(backend)];
  const standIn = (old: MemberMemory | undefined) =>
    old === undefined || old.given === null
      ? {}
      : { [predecessorOf(backend)]: { ...old, health: UNKNOWN, successor: backend } };
  if (known?.address === address) return { [backend]: known, ...standIn(previous) };
  if (previous?.address === address) {
    return { [backend]: { ...previous, successor: null }, ...standIn(known) };
  }
  const fresh = { [backend]: newMember(null, address) };
  return { ...fresh, ...standIn(known?.given === null ? previous : known) };
}

/** Nobody probes the old address any more: it is unknown, and unknown keeps. */
function predecessorOf(backend: string): string {
  return `${backend} before`;
}

function newMember(group: GroupKey | null, address: string): MemberMemory {
  return {
    group,
    successor: null,
    address,
    phase: 'in',
    dead: false,
    lastMayGo: false,
    health: UNKNOWN,
    given: null,
    reason: 'unknown-new',
    flushEpisode: null,
    level: 0,
    askedSince: null,
  };
}

/** The VIP's address, when it has one by the decided spec. */
export function addressIn(memory: FrontendMemory): string | null {
  const { decided, allocated } = memory;
  if (decided?.address !== undefined) return decided.address;
  return allocated !== null && allocated.pool === decided?.addressFrom ? allocated.address : null;
}

/** A pool address that the decided spec no longer asks for. */
export function surplusIn({ decided, allocated }: FrontendMemory): string | null {
  if (decided === null || allocated === null) return null;
  return allocated.pool === decided.addressFrom ? null : allocated.pool;
}

// --- members -----------------------------------------------------------------------------------

/** The decision part of a level differs from what is stored. */
export function isMemberNews({ members }: FrontendMemory, level: MemberLevel): boolean {
  const known = members[level.member];
  if (known === undefined) return level.phase !== 'out';
  if (isOlder(known, level)) return false;
  const { address, phase, dead, lastMayGo } = level;
  const same = known.address === address && known.phase === phase;
  return !same || known.dead !== dead || known.lastMayGo !== lastMayGo;
}

/** Overtaken on its way by a newer one. */
function isOlder(known: MemberMemory, level: MemberLevel): boolean {
  return level.revision < known.level;
}

/** A level is always answered, so what was told of the member is forgotten. */
export function withLevel(memory: FrontendMemory, level: MemberLevel): FrontendMemory {
  const { member, group, address, phase, dead, lastMayGo, revision } = level;
  const known = memory.members[member];
  const { [member]: _told, ...toldAcks } = memory.toldAcks;
  if (known !== undefined && isOlder(known, level)) return { ...memory, toldAcks };
  const kept = known?.address === address ? known : newMember(group, address);
  const next = { ...kept, phase, dead, lastMayGo, level: revision };
  return { ...memory, members: { ...memory.members, [member]: next }, toldAcks };
}

export function withVerdict(memory: FrontendMemory, verdict: Verdict): FrontendMemory {
  const known = memory.members[verdict.backend];
  if (known === undefined || known.address !== verdict.address) return memory;
  const { state, positive, episode } = verdict;
  const next = { ...known, health: { state, positive, episode } };
  const members = { ...memory.members, [verdict.backend]: next };
  const before = predecessorOf(verdict.backend);
  if (state !== 'up' || members[before] === undefined) return { ...memory, members };
  const { [before]: _left, ...rest } = members;
  return { ...memory, members: rest };
}

/** Members that left for good, once that was acknowledged and told. */
export function withoutGone(memory: FrontendMemory, gone: readonly string[]): FrontendMemory {
  if (gone.length === 0) return memory;
  const stays = <T>(record: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(record).filter(([name]) => !gone.includes(name)));
  return { ...memory, members: stays(memory.members), toldAcks: stays(memory.toldAcks) };
}

/** After a restart nobody's health is known, nor what others were told. */
export function awakened(before: FrontendMemory, children: readonly ChildRow[]): FrontendMemory {
  const memory = { ...before, overrides: bookIn(children) ?? before.overrides };
  const members = Object.fromEntries(
    Object.entries(memory.members).map(([name, member]) => [name, { ...member, health: UNKNOWN }]),
  );
  const world = { nodeDrained: false, toldAnnounce: null };
  const told = { report: null, toldStatus: null, toldAcks: {}, ...world };
  return { ...settle(unasked({ ...memory, members })), ...told };
}

/** Nothing that was asked of VPP before counts for us any more. */
export function unasked(memory: FrontendMemory): FrontendMemory {
  const members = Object.fromEntries(
    Object.entries(memory.members).map(([name, one]) => [name, { ...one, askedSince: null }]),
  );
  return { ...memory, sent: null, members };
}

/** Names of present members without a verdict. */
export function unknownMembers(memory: FrontendMemory): readonly string[] {
  return Object.entries(memory.members)
    .filter(([, member]) => member.phase === 'in' && member.successor === null)
    .filter(([, member]) => member.health.state === 'unknown')
    .map(([name]) => name);
}

// --- weights -----------------------------------------------------------------------------------

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

/** Chooses the pool and weighs every member: the one place where weights come from. */
export function reweighed(memory: FrontendMemory, nowMs: number): FrontendMemory {
  const { decided } = memory;
  if (decided === null) return memory;
  const members = membersOf(memory);
  const shares = decided.pools.map((_, pool) => servingShare(decided, members, pool));
  const choice = choosePool(decided, shares, memory.choice, nowMs);
  const weighed = weigh(decided, members, choice.active);
  const state = frontendState(members, weighed);
  const sinceMs = state === memory.state ? memory.sinceMs : nowMs;
  const family = familyOf(members) ?? memory.family;
  const given = Object.fromEntries(
    members.map(({ name }, index) => [name, withWeight(memory.members[name], weighed[index])]),
  );
  return { ...memory, choice, state, sinceMs, family, members: { ...memory.members, ...given } };
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
