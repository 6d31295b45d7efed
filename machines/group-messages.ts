/**
 * What a group says: records for the journal and the feed, its status for the tenant, answers for
 * operators, and the shape operators see.
 *
 * Input: its memory. Output: parameters of effects.
 */

import { budgetOf } from '../src/policy/budget.js';
import { isOnDemand, type Member, standingOf } from '../src/policy/members.js';
import { isThere } from '../src/policy/on-demand.js';
import { oncePer } from '../src/policy/once.js';
import { CREATE_FAILURES_MAX } from '../src/policy/scale.js';
import { breakerConditions, memberConditions, waitConditions } from './group-conditions.js';
import {
  type GroupMemory,
  managedOf,
  membersOf,
  onDemandOf,
  presentOf,
  rulesOf,
  specOf,
  unheardOf,
  upcomingOf,
  wantedOf,
} from './group-memory.js';
import { isRemovalHeld } from './group-shrink.js';
import type { InstanceMemory } from './instance-memory.js';
import { assert } from './model/assert.js';
import type { GroupSpec } from './model/desired.js';
import type { ChildRow, Meta, RecordParams } from './model/effects.js';
import type { Refusal } from './model/failures.js';
import {
  type Address,
  addressOf,
  type InstanceId,
  keyOf,
  kindOf,
  parseTenantId,
  type TenantId,
} from './model/ids.js';
import type { JsonObject } from './model/json.js';
import type { DrainReason, GroupStatus } from './model/messages.js';
import type { OverrideOrder, Terms } from './model/overrides.js';
import { isSameJson, isSameRecord } from './model/same.js';
import { timestamp } from './model/time.js';
import { dismissalOf, type OrderParams, orderFor, termsOf, yieldsOf } from './overriding.js';

// --- records ----------------------------------------------------------------------------------

export interface Decided {
  readonly event: string;
  readonly rule: string;
  readonly numbers?: JsonObject;
}

/** A decision the fleet hears of. */
export function published(memory: GroupMemory, decided: Decided): RecordParams {
  const aggregate = { aggregateKind: 'group', aggregateId: memory.key };
  const tenantId = tenantOf(memory);
  return {
    ...journaled(memory, decided),
    publish: { ...aggregate, tenantId, data: viewOf(memory) },
  };
}

/** A decision only the journal keeps. */
export function journaled(memory: GroupMemory, { event, rule, numbers }: Decided): RecordParams {
  return { event, rule, numbers: { wanted: wantedOf(memory), ...numbers } };
}

// --- overrides --------------------------------------------------------------------------------

/** Written to disk by the book of overrides; the group acts on what comes back from there. */
export function sizeOrdered(
  memory: GroupMemory,
  { size, ...terms }: Terms & { readonly size: number },
  { replyTo }: Meta,
): OrderParams {
  const configured = specOf(memory).size;
  const order: OverrideOrder = { kind: 'size', value: size, configured, ...termsOf(terms) };
  return orderFor(addressOf('group', memory.key), order, replyTo);
}

export function sizeYields({ key, spec, overrides }: GroupMemory): OrderParams | undefined {
  const configuredOf = (kind: string) => (kind === 'size' ? spec?.size : undefined);
  return yieldsOf(addressOf('group', key), overrides, configuredOf);
}

export function sizeDismissed({ key, overrides }: GroupMemory): OrderParams | undefined {
  return dismissalOf(addressOf('group', key), overrides);
}

function tenantOf({ key }: GroupMemory): TenantId {
  const tenant = parseTenantId(key.slice(0, key.indexOf('/')));
  assert(tenant !== undefined, `${key} is no key of a group`);
  return tenant;
}

// --- view and status --------------------------------------------------------------------------

/** The group as operators and the feed see it. */
export function viewOf(memory: GroupMemory): JsonObject {
  const { key, spec } = memory;
  const members = managedOf(memory);
  const onDemand = onDemandOf(memory).filter(isThere).length;
  const { kept, inService, serving, booting, draining, failed } = tallyOf(members);
  const unavailable = Math.max(0, wantedOf(memory) - inService);
  return {
    tenant: tenantOf(memory),
    name: spec?.name ?? key.slice(key.indexOf('/') + 1),
    size: spec?.size ?? 0,
    maxSize: spec?.maxSize ?? 0,
    effectiveSize: wantedOf(memory),
    ...(spec?.asleep === true ? { asleep: true } : {}),
    ...{ serving, booting, draining },
    ...(kept === 0 ? {} : { quarantined: kept }),
    failed,
    ...(onDemand === 0 ? {} : { onDemand }),
    unavailable,
    budget: { ...budgetOf({ rules: rulesOf(memory), wanted: wantedOf(memory), members }) },
    breaker: memory.breaker?.state ?? 'closed',
    conditions: conditionsOf(memory),
    ...nextExpiryOf(memory),
  };
}

/** Everything that is counted, in one look: a node has a thousand groups, and lists them often. */
function tallyOf(members: readonly Member[]) {
  const tally = { kept: 0, inService: 0, serving: 0, booting: 0, draining: 0, failed: 0 };
  for (const member of members) {
    const { state } = member;
    const standing = standingOf(member);
    if (member.inService) tally.inService += 1;
    if (state === 'serving') tally.serving += 1;
    if (state === 'failed') tally.failed += 1;
    if (isKept(member)) tally.kept += 1;
    else if (standing === 'leaving') tally.draining += 1;
    if (standing === 'staying' && isArriving(member)) tally.booting += 1;
  }
  return tally;
}

/** Out of rotation, but not on its way out. */
function isKept({ state }: Member): boolean {
  return state === 'quarantined';
}

function isArriving({ state }: Member): boolean {
  return state !== 'serving' && state !== 'suspect';
}

function conditionsOf(memory: GroupMemory): JsonObject[] {
  if (memory.spec === null) return [];
  return [
    ...createConditions(memory),
    ...breakerConditions(memory),
    ...waitConditions(memory),
    ...memberConditions(memory),
  ];
}

function nextExpiryOf(memory: GroupMemory): JsonObject {
  const upcoming = upcomingOf(memory);
  return upcoming.length === 0 ? {} : { nextExpiryAt: timestamp(Math.min(...upcoming)) };
}

function createConditions({ key, trouble }: GroupMemory): JsonObject[] {
  if (trouble === null) return [];
  const stopped = trouble.failures >= CREATE_FAILURES_MAX;
  const condition = {
    type: stopped ? 'creates-stopped' : 'creates-failing',
    object: `group/${key}`,
    severity: stopped ? 'critical' : 'warning',
    since: timestamp(trouble.sinceMs),
    cause: trouble.cause,
    message: problemOf(trouble.failures, trouble.message),
    next: `one more is tried after ${timestamp(trouble.retryAtMs)}`,
  };
  return [condition];
}

function problemOf(failures: number, message: string): string {
  return `${failures} in a row never served, the last because ${message}`;
}

/** What its tenant waits for. */
export function statusOf(memory: GroupMemory, removed = false): GroupStatus {
  const { key, trouble } = memory;
  const { onDemand, present, serving, inService } = standIn(presentOf(memory));
  const size = wantedOf(memory);
  const settled = inService === present && present === size;
  return {
    group: key,
    size,
    serving,
    converged: settled && memory.spec !== null && memory.leaving === null,
    removed,
    ...(onDemand === 0 ? {} : { onDemand }),
    ...(isRemovalHeld(memory) ? { held: true as const } : {}),
    ...(trouble === null ? {} : { problem: problemOf(trouble.failures, trouble.message) }),
  };
}

/** Asked several times about the same members, and of every group at every resync. */
const standIn = oncePer((there: readonly Member[]) => {
  const stand = { onDemand: 0, present: 0, serving: 0, inService: 0 };
  for (const member of there) {
    if (isOnDemand(member)) stand.onDemand += 1;
    else if (!isKept(member)) {
      stand.present += 1;
      if (member.state === 'serving') stand.serving += 1;
      if (member.inService) stand.inService += 1;
    }
  }
  return stand;
});

export function isNews(memory: GroupMemory): boolean {
  const { spec, told } = memory;
  return spec !== null && (told === null || !isSameRecord(statusOf(memory), told));
}

export interface StatusParams {
  readonly to: Address;
  readonly status: GroupStatus;
}

export function statusFor(memory: GroupMemory, removed = false): StatusParams {
  return { to: addressOf('tenant', tenantOf(memory)), status: statusOf(memory, removed) };
}

// --- to members ---------------------------------------------------------------------------------

export interface DrainOrder {
  readonly id: InstanceId;
  readonly reason: DrainReason;
}

export interface DrainParams {
  readonly orders: readonly DrainOrder[];
  /** The group wants no member at all: the last one of a frontend may go. */
  readonly lastMayGo: boolean;
}

export interface MembersParams {
  readonly members: readonly InstanceId[];
}

/** Orders are levels: those nobody reacted to are given again, as they were. */
export function unheardOrders(memory: GroupMemory): DrainParams {
  return ordersTo(memory, unheardOf(memory));
}

/** In a removal everybody is told again, so that no drain is held for the last member. */
export function everyOrder(memory: GroupMemory): DrainParams {
  return ordersTo(memory, presentOf(memory));
}

/** The last word of a group: those kept for operators need not be kept any longer. */
export function dismissal(memory: GroupMemory): DrainParams {
  const reason = memory.leaving === 'tenant-removed' ? memory.leaving : 'group-removed';
  return { orders: membersOf(memory).map(({ id }) => ({ id, reason })), lastMayGo: true };
}

function ordersTo(memory: GroupMemory, members: readonly Member[]): DrainParams {
  const orders = members.map(({ id, leaving }) => ({ id, reason: leaving ?? 'scale-down' }));
  return { orders, lastMayGo: wantedOf(memory) === 0 };
}

export interface SpecParams {
  readonly members: readonly InstanceId[];
  readonly spec: GroupSpec | null;
}

/** The newest intent; every member answers with a report, so this also asks how they are. */
export function specFor(memory: GroupMemory): SpecParams {
  return { members: membersOf(memory).map(({ id }) => id), spec: memory.spec };
}

/** The same, to those alone that may not have heard of it: all others have said how they are [GR-10]. */
export function specForOutdated(memory: GroupMemory, children: readonly ChildRow[]): SpecParams {
  const { spec } = memory;
  const outdated = children.filter(
    ({ address, context, unreadable }) =>
      spec !== null &&
      kindOf(address) === 'instance' &&
      unreadable !== true &&
      knowsAnother(context, spec),
  );
  return { members: outdated.map(({ address }) => keyOf(address) as InstanceId), spec };
}

/** An instance keeps the template it was made from, and minds no generation. */
function knowsAnother(context: JsonObject, spec: GroupSpec): boolean {
  const { spec: known } = context as unknown as InstanceMemory;
  const { template, generation } = known;
  return !isSameJson({ ...spec, template, generation }, known);
}

export function presentIds(memory: GroupMemory): readonly InstanceId[] {
  return presentOf(memory).map(({ id }) => id);
}

// --- operators --------------------------------------------------------------------------------

export interface AnswerParams {
  readonly replyTo: string | undefined;
  readonly body: JsonObject;
}

export function refused(refusal: Refusal, { replyTo }: Meta): AnswerParams {
  return { replyTo, body: { ok: false, refusal: { ...refusal } } };
}
