/**
 * What a tenant remembers, and how one event changes it: the context of `machines/tenant.ts` as plain
 * data, with one pure function for each change.
 *
 * Input: the memory and the facts of an event. Output: what changes in the memory.
 *
 * A part is a group or a frontend that was told of and has not said yet that it is gone. Parts of the
 * newest intent are wanted; the others are on their way out, groups first [TN-5].
 */
import type { TenantSpec } from './model/desired.js';
import type { Meta } from './model/effects.js';
import { type Address, keyOf, type TenantId } from './model/ids.js';
import type { FrontendStatus, GroupStatus, TenantMessage, TenantState } from './model/messages.js';
import { groupsOf, type Ordered, type Sleep } from './tenant-groups.js';

export interface Part {
  readonly wanted: boolean;
  /** It has said how it is since it was last wanted. */
  readonly heard: boolean;
  /** A group at size, a frontend acknowledged. */
  readonly settled: boolean;
  readonly problem: string | null;
  /** A group that the shrink guard has not let go. */
  readonly held?: true;
  /** Instances on demand that a group has. */
  readonly onDemand?: number;
}

export type Parts = Readonly<Record<string, Part>>;

/** Why there is no newer intent: what config or tenancy could not derive. */
export interface Problem {
  readonly message: string;
  readonly sinceMs: number;
  readonly cause: string;
}

/** `unknown` is addressed but never told; `draining` is the second half of being deleted. */
export type ShownState = TenantState | 'unknown' | 'draining';

export interface TenantMemory {
  readonly id: TenantId;
  /** The chart's state in the words of operators. */
  readonly state: ShownState;
  readonly spec: TenantSpec | null;
  /** Who it is, before there is a spec to say so. */
  readonly label: { readonly name: string; readonly kind: TenantSpec['kind'] } | null;
  readonly groups: Parts;
  readonly frontends: Parts;
  readonly problem: Problem | null;
  readonly sinceMs: number;
  readonly undo: { readonly windowMs: number; readonly untilMs: number } | null;
  /** The tenant itself is going away. */
  readonly leaving: boolean;
  /** Wanted again while it was already going: comes back when everything is gone. */
  readonly successor: TenantSpec | null;
  /** Groups that programs ordered. */
  readonly ordered: Ordered;
  readonly asleep: Sleep | null;
}

type Change = Partial<TenantMemory>;

export function entered(state: ShownState, at: number): Change {
  return { state, sinceMs: at };
}

export function newTenant(address: Address): TenantMemory {
  return {
    id: keyOf(address) as TenantId,
    state: 'unknown',
    spec: null,
    label: null,
    groups: {},
    frontends: {},
    problem: null,
    sinceMs: 0,
    undo: null,
    leaving: false,
    successor: null,
    ordered: {},
    asleep: null,
  };
}

// --- intent -----------------------------------------------------------------------------------

export function isOlder({ spec }: TenantMemory, told: TenantSpec): boolean {
  return spec !== null && told.generation < spec.generation;
}

export function isNewer({ spec }: TenantMemory, told: TenantSpec): boolean {
  return spec === null || told.generation > spec.generation;
}

/** Anything but the generation, which every reload moves. */
export function changes({ spec, problem }: TenantMemory, told: TenantSpec): boolean {
  return problem !== null || spec === null || contentOf(told) !== contentOf(spec);
}

function contentOf({ groups, frontends, ...rest }: TenantSpec): string {
  const plain = <T extends object>(parts: readonly T[]) =>
    parts.map((part) => ({ ...part, generation: 0 }));
  return JSON.stringify({
    ...rest,
    groups: plain(groups),
    frontends: plain(frontends),
    generation: 0,
  });
}

export function adopted(memory: TenantMemory, spec: TenantSpec, { at }: Meta): Change {
  return {
    ...entered('accepted', at),
    spec,
    groups: partsFor(
      memory.groups,
      groupsOf(memory, spec).map(({ key }) => key),
    ),
    frontends: partsFor(
      memory.frontends,
      spec.frontends.map(({ name }) => name),
    ),
    problem: null,
    undo: null,
    leaving: false,
    successor: null,
  };
}

/** Made afresh: what was ordered of the one before it went with that. */
export function succeeded(memory: TenantMemory, spec: TenantSpec, meta: Meta): Change {
  const fresh = { ordered: {}, asleep: null };
  return { ...fresh, ...adopted({ ...memory, ...fresh }, spec, meta) };
}

/** Something was ordered: its parts are what the configuration says, and what the order says. */
export function reordered(memory: TenantMemory, change: Change, meta: Meta): Change {
  const { spec } = memory;
  if (spec === null) return change;
  const { problem } = memory;
  return { ...change, ...adopted({ ...memory, ...change }, spec, meta), problem };
}

/** New intent, new answer: what a part said of the old one does not count. */
function partsFor(known: Parts, names: readonly string[]): Parts {
  const wanted = names.map((name): [string, Part] => [
    name,
    { wanted: true, heard: false, settled: false, problem: null },
  ]);
  return { ...unwanted(known), ...Object.fromEntries(wanted) };
}

function unwanted(parts: Parts): Parts {
  const entries = Object.entries(parts).map(([name, part]): [string, Part] => [
    name,
    { ...part, wanted: false },
  ]);
  return Object.fromEntries(entries);
}

export function troubled(
  memory: TenantMemory,
  { message, name, kind }: Extract<TenantMessage, { readonly type: 'tenant.problem' }>,
  { at, cause }: Meta,
): Change {
  const label = name === undefined ? memory.label : { name, kind: kind ?? 'project' };
  return { label, problem: { message, sinceMs: at, cause } };
}

// --- leaving ----------------------------------------------------------------------------------

export function condemned(windowMs: number, { at }: Meta): Change {
  return { ...entered('deleting', at), undo: { windowMs, untilMs: at + windowMs } };
}

export function restored({ at }: Meta): Change {
  return { ...entered('accepted', at), undo: null };
}

export function emptied({ groups, frontends }: TenantMemory, { at }: Meta): Change {
  return {
    ...entered('draining', at),
    groups: unwanted(groups),
    frontends: unwanted(frontends),
    undo: null,
    leaving: true,
    successor: null,
  };
}

// --- parts ------------------------------------------------------------------------------------

export function heardGroup({ groups }: TenantMemory, status: GroupStatus): Change {
  const settled = status.converged;
  return { groups: heard(groups, status.group, settled, status) };
}

export function heardFrontend({ frontends }: TenantMemory, status: FrontendStatus): Change {
  const settled = status.synced && status.problem === undefined;
  return { frontends: heard(frontends, status.frontend, settled, status) };
}

interface Word {
  readonly removed: boolean;
  readonly problem?: string;
  readonly held?: true;
  readonly onDemand?: number;
}

/** A part nobody knows is nobody's; one that is gone although it is wanted has to start again. */
function heard(parts: Parts, name: string, settled: boolean, word: Word): Parts {
  const part = parts[name];
  if (part === undefined) return parts;
  const { problem = null, removed } = word;
  if (!removed) {
    const { held: _before, onDemand: _had, ...known } = part;
    const held = word.held === true ? { held: true as const } : {};
    const { onDemand = 0 } = word;
    const extra = { ...held, ...(onDemand === 0 ? {} : { onDemand }) };
    return { ...parts, [name]: { ...known, heard: true, settled, problem, ...extra } };
  }
  if (part.wanted) return { ...parts, [name]: { ...part, heard: false, settled: false } };
  const { [name]: _gone, ...rest } = parts;
  return rest;
}

export function everyPart({ groups, frontends }: TenantMemory): readonly [string, Part][] {
  return [
    ...Object.entries(groups).map(([name, part]): [string, Part] => [`group/${name}`, part]),
    ...Object.entries(frontends).map(([name, part]): [string, Part] => [`frontend/${name}`, part]),
  ];
}

/** Addresses of the parts that keep the tenant from being what was asked for. */
export function pendingOf(memory: TenantMemory): readonly string[] {
  return everyPart(memory)
    .filter(([, { wanted, settled }]) => !wanted || !settled)
    .map(([address]) => address);
}

/** As wanted: nothing is missing, nothing is left over, and nothing is known to be wrong with it. */
export function isSettled(memory: TenantMemory): boolean {
  return memory.problem === null && pendingOf(memory).length === 0;
}

/** Its end has begun, but the shrink guard has not let all of it go: it can still be kept. */
export function isHeldBack({ groups, spec }: TenantMemory): boolean {
  return spec !== null && Object.values(groups).some(({ held }) => held === true);
}

export function isAnswered(memory: TenantMemory): boolean {
  return everyPart(memory).some(([, part]) => part.heard);
}

export function isEmpty(memory: TenantMemory): boolean {
  return everyPart(memory).length === 0;
}
