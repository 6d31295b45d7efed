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
import { isKept, type MemberHealth, type Reason } from '../src/policy/frontend-weights.js';
import { bookIn } from '../src/policy/overrides.js';
import { FIRST_POOL, type PoolChoice } from '../src/policy/pool-choice.js';
import { climbsAt } from '../src/policy/slow-start.js';
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
  /** Since when it climbs after slow start; `null`: it does not. */
  readonly climbsSinceMs: number | null;
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
  readonly recorded: {
    readonly state: FrontendStatus['state'];
    readonly active: number;
    readonly panic: boolean;
  };
  /** The active pool keeps members that are only silent. */
  readonly panic: boolean;
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
  /** What was last recorded of VPP: of which decision, and how it went. */
  readonly toldSync: { readonly revision: number; readonly outcome: string } | null;
  /** Member → acknowledgement as last told, `phase weight`. */
  readonly toldAcks: Readonly<Record<string, string>>;
  readonly sinceMs: number;
  /** As the book beside the frontend has them. */
  readonly overrides: Overrides;
  /** An operator drained the whole node. */
  readonly nodeDrained: boolean | null;
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
    recorded: { state: 'unknown', active: 0, panic: false },
    panic: false,
    family: null,
    report: null,
    problem: null,
    sent: null,
    wish: 0,
    repeat: false,
    toldStatus: null,
    toldSync: null,
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

export function newMember(group: GroupKey | null, address: string): MemberMemory {
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
    climbsSinceMs: null,
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

export function withVerdict(
  memory: FrontendMemory,
  verdict: Verdict,
  nowMs: number,
): FrontendMemory {
  const known = memory.members[verdict.backend];
  if (known === undefined || known.address !== verdict.address) return memory;
  const { state, positive, episode } = verdict;
  const next = { ...known, health: { state, positive, episode }, ...climbOf(known, state, nowMs) };
  const members = { ...memory.members, [verdict.backend]: next };
  const before = predecessorOf(verdict.backend);
  if (state !== 'up' || members[before] === undefined) return { ...memory, members };
  const { [before]: _left, ...rest } = members;
  return { ...memory, members: rest };
}

/** It begins to climb, goes on, or has lost what it climbed. */
function climbOf(
  { health, given, reason, climbsSinceMs }: MemberMemory,
  state: MemberHealth['state'],
  nowMs: number,
): Pick<MemberMemory, 'climbsSinceMs'> {
  if (state !== 'up') return { climbsSinceMs: null };
  if (health.state === 'up') return { climbsSinceMs };
  const keptItsWeight = isKept(reason) && (given ?? 0) > 0;
  return { climbsSinceMs: !keptItsWeight && climbsAt(health.state, given) ? nowMs : null };
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
