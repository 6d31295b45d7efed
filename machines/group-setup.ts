/**
 * The words the chart of a group is written in: its guards, changes, effects and delays.
 *
 * Input: memory and event. Output: yes or no, the next memory, effects as data, milliseconds. The
 * chart itself is in group.ts. Guards and delays never look at a clock: time is in the event.
 */
import { assign, setup } from 'xstate';
import {
  as,
  createTurnOf,
  deleteTurnOf,
  drainTurnOf,
  type GroupArgs,
  type GroupEvent,
  summariesOf,
} from './group-events.js';
import { groupGates } from './group-gates.js';
import {
  breakerMoved,
  breakerOf,
  changed,
  changesSpec,
  createFailed,
  forgotten,
  type GroupMemory,
  isOlder,
  isProven,
  isUntried,
  membersOf,
  nextLookMs,
  presentOf,
  recounted,
  specOf,
  tellsOfFailure,
  tellsOfSuccess,
  unheardOf,
  waitChanges,
  waitNoted,
} from './group-memory.js';
import {
  type AnswerParams,
  type DrainParams,
  dismissal,
  everyOrder,
  isNews,
  journaled,
  type MembersParams,
  presentIds,
  published,
  refused,
  type SpecParams,
  type StatusParams,
  sizeDismissed,
  sizeOrdered,
  sizeYields,
  specFor,
  specForOutdated,
  statusFor,
  statusOf,
  unheardOrders,
} from './group-messages.js';
import {
  createRefusal,
  departureFor,
  isAwaited,
  isKnownKey,
  isLeavingAlready,
  isManaged,
  mustBeTold,
  onDemandTurn,
} from './group-on-demand.js';
import { isReached, withReached, withSpec } from './group-reached.js';
import {
  costsNobody,
  departs,
  departureIn,
  guardLevelOf,
  guardTold,
  isGranted,
  isGuardNews,
  isRemovalHeld,
  removalBegun,
  shrinkAfter,
  shrunkTo,
  wishArises,
  wishesRemoval,
} from './group-shrink.js';
import { type CreateTurn, isCutShort, nextTurn } from './group-steps.js';
import { effect, type OneOrMany, type RecordParams, type SpawnParams } from './model/effects.js';
import type { GuardLevel } from './model/guard.js';
import type { Address } from './model/ids.js';
import type { OrderParams } from './overriding.js';

export const groupSetup = setup({
  types: {
    context: {} as GroupMemory,
    events: {} as GroupEvent,
    input: {} as { readonly address: Address },
  },
  actions: {
    noteSpec: assign(({ context, event }) =>
      withSpec(context, as(event, 'group.desired').spec, event.meta.at),
    ),
    noteRemoval: assign(({ context, event }) =>
      removalBegun(context, as(event, 'group.removed').reason),
    ),
    wishRemoval: assign(({ context, event }) => ({
      shrink: wishesRemoval(context, as(event, 'group.removed').reason, event.meta),
    })),
    takeRemovalGrant: assign(({ context }) => removalBegun(context)),
    takeGrant: assign(({ context, event }) => ({
      shrink: shrunkTo(context, as(event, 'guard.granted').to),
    })),
    moveFloor: assign(({ context, event }) => ({ shrink: shrinkAfter(context, event.meta) })),
    noteGuardTold: assign(({ context }) => ({ shrink: guardTold(context) })),
    forgetGuardTold: assign(({ context }) => ({ shrink: { ...context.shrink, told: null } })),
    takeOverrides: assign(({ event }) => ({
      overrides: as(event, 'override.level').overrides,
    })),
    noteMember: assign(({ context, event }) =>
      changed(context, summariesOf(as(event, 'instance.changed'))),
    ),
    noteForgotten: assign(({ context, event }) =>
      forgotten(context, as(event, 'instance.forgotten').id),
    ),
    noteCreateFailure: assign(({ context, event }) =>
      createFailed(context, as(event, 'instance.changed').summary, event.meta),
    ),
    clearTrouble: assign({ trouble: null, reached: null }),
    noteReached: assign(({ context }) => withReached(context)),
    moveBreaker: assign(({ context, event }) => breakerMoved(context, event.meta)),
    noteWait: assign(({ context, event }) => waitNoted(context, event.meta)),
    recount: assign(({ context, event }) => recounted(context, as(event, 'activated').children)),
    noteOnDemand: assign(({ context, event }) => {
      const asked = as(event, 'operator.createInstance');
      return onDemandTurn(context, asked, event.meta).after;
    }),
    noteDeparture: assign(({ context, event }) => {
      const ask = as(event, 'operator.deleteInstance');
      return { shrink: departs(context, departureFor(context, ask, event.meta)) };
    }),
    noteDeletion: assign(({ context, event }) => {
      return deleteTurnOf({ context, event }).after;
    }),
    takeStep: assign(({ context, event }) => nextTurn(context, event.meta)?.after ?? {}),
    noteTold: assign(({ context }) => ({ told: statusOf(context) })),

    drainMembers: effect<DrainParams>(),
    tellSpec: effect<SpecParams>(),
    forwardRequest: effect<MembersParams>(),
    reportToTenant: effect<StatusParams>(),
    reportRemoved: effect<StatusParams>(),
    orderOverride: effect<OrderParams | undefined>(),
    tellGuard: effect<GuardLevel>(),
    agree: effect<AnswerParams>(),
    answer: effect<AnswerParams>(),
    goOn: effect<boolean>(),
    record: effect<OneOrMany<RecordParams>>(),
    spawn: effect<OneOrMany<SpawnParams>>(),
    forget: effect<undefined>(),
  },
  guards: {
    mustDrain: ({ context, event }) => nextTurn(context, event.meta)?.kind === 'drain',
    mustCreate: ({ context, event }) => nextTurn(context, event.meta)?.kind === 'create',
    /** Asked after the steps: what is still to be replaced waits for something. */
    waitChanges: ({ context, event }) => waitChanges(context, event.meta),
    isOlderIntent: ({ context, event }) => isOlder(context, as(event, 'group.desired').spec),
    isUntried: ({ context, event }) => isUntried(context, as(event, 'group.desired').spec),
    /** A removal that waits is given up by it, which has to be on record. */
    isNewIntent: ({ context, event }) =>
      isRemovalHeld(context) || changesSpec(context, as(event, 'group.desired').spec),
    isAllowedSize: ({ context, event }) => {
      const { size } = as(event, 'operator.scale');
      return Number.isInteger(size) && size >= 0 && size <= specOf(context).maxSize;
    },
    isKnownKey: ({ context, event }) => isKnownKey(context, as(event, 'operator.createInstance')),
    mayCreateOnDemand: ({ context, event }) =>
      createRefusal(context, as(event, 'operator.createInstance')) === undefined,
    isManaged: ({ context, event }) => isManaged(context, as(event, 'operator.deleteInstance')),
    mustBeTold: ({ context, event }) => mustBeTold(context, as(event, 'operator.deleteInstance')),
    tellsOfFailure: ({ context, event }) =>
      tellsOfFailure(context, as(event, 'instance.changed').summary),
    tellsOfSuccess: ({ context, event }) =>
      summariesOf(as(event, 'instance.changed')).some((one) => tellsOfSuccess(context, one)),
    /** Nothing is left to create, and nobody left to prove itself. */
    isTroubleOver: ({ context, event }) =>
      context.trouble !== null && isProven(context, event.meta),
    breakerMoves: ({ context, event }) =>
      breakerOf(context, event.meta) !== (context.breaker?.state ?? 'closed'),
    /** A member that was told to leave does not seem to know. */
    isUnheard: ({ context }) => unheardOf(context).length > 0,
    isLastMember: ({ context, event }) => {
      const { id } = as(event, 'instance.forgotten');
      return membersOf(context).every((member) => member.id === id);
    },
    /** Failed and deleted members are kept for operators only. */
    isEmpty: ({ context }) => presentOf(context).length === 0,
    isNews: ({ context }) => isNews(context),
    isReached: ({ context }) => isReached(context),
    wishArises: ({ context, event }) => wishArises(context, event.meta),
    /** Below the floor, or back above it. */
    floorMoves: ({ context, event }) => shrinkAfter(context, event.meta) !== context.shrink,
    costsNobody: ({ context }) => costsNobody(context),
    isRemovalHeld: ({ context }) => isRemovalHeld(context),
    /** It was told already that it leaves; now even the last one may. */
    isForcedAgain: ({ context, event }) =>
      isLeavingAlready(context, as(event, 'operator.deleteInstance')),
    isAwaited: ({ context, event }) => isAwaited(context, as(event, 'operator.deleteInstance')),
    isDeparture: ({ context, event }) =>
      departureIn(context, as(event, 'guard.granted')) !== undefined,
    isGranted: ({ context, event }) => isGranted(context, as(event, 'guard.granted')),
    isGuardNews: ({ context }) => isGuardNews(context),
  },
  delays: {
    resync: ({ context, event }) =>
      context.spec === null ? RESYNC_UNKNOWN_MS : nextLookMs(context, event.meta, LOOK_MS_MIN),
    createBackoff: ({ context, event }) =>
      Math.max(0, (context.trouble?.retryAtMs ?? 0) - event.meta.at),
  },
});

/** Between two looks of a group that is being removed before it was ever told what to be. */
const RESYNC_UNKNOWN_MS = 60_000;
/** No more often than this are all members looked at because of their age. */
const LOOK_MS_MIN = 1_000;

// --- phrases: a word with its parameters --------------------------------------------------------

/** A decision the fleet hears of. */
export function publishes(event: string, rule: string) {
  const params = ({ context }: GroupArgs) =>
    published(context, { event, rule, numbers: troubleOf(context) });
  return { type: 'record', params } as const;
}

function troubleOf({ trouble, breaker }: GroupMemory) {
  const tripped = breaker === null ? {} : { breaker: breaker.state };
  if (trouble === null) return tripped;
  return { ...tripped, failures: trouble.failures, retryAtMs: trouble.retryAtMs };
}

/** A decision only the journal keeps. */
export function journals(event: string, rule: string) {
  const params = ({ context }: GroupArgs) =>
    journaled(context, {
      event,
      rule,
      numbers: {
        ...(unheardOf(context).length === 0
          ? {}
          : { unheard: unheardOf(context).map(({ id }) => id) }),
        waiting: context.waiting?.why ?? null,
        ...(context.shrink.wish === null ? {} : { shrink: { ...context.shrink.wish } }),
      },
    });
  return { type: 'record', params } as const;
}

export const knowsNothing = {
  type: 'answer',
  params: ({ context, event }: GroupArgs) => {
    const message = `no group is called ${context.key}: see "switchyard get groups"`;
    return refused({ code: 'not-found', rule: 'GR-14', message }, event.meta);
  },
} as const;

/** Changes nothing, records nothing. */
export const explains = {
  type: 'answer',
  params: ({ context, event }: GroupArgs): AnswerParams => {
    const { replyTo } = event.meta;
    return { replyTo, body: { ok: true, ...groupGates(context, event.meta) } };
  },
} as const;

export function refuses(rule: string, message: string) {
  const params = ({ event }: GroupArgs) => refused({ code: 'refused', rule, message }, event.meta);
  return { type: 'answer', params } as const;
}

/** A turn's own record, or those of all it makes. */
export const recordOf = (of: (args: GroupArgs) => { readonly record: RecordParams }) =>
  ({ type: 'record', params: (args: GroupArgs) => of(args).record }) as const;
export const recordsOf = (of: (args: GroupArgs) => CreateTurn) =>
  ({ type: 'record', params: (args: GroupArgs) => of(args).records }) as const;
export const spawnsOf = (of: (args: GroupArgs) => CreateTurn) =>
  ({ type: 'spawn', params: (args: GroupArgs) => of(args).spawns }) as const;

export const recordsRequest = recordsOf(createTurnOf);
export const recordsDrain = recordOf(drainTurnOf);

/** At the bound of one event's steps: to itself, behind whatever else waits. */
export const goesOn = {
  type: 'goOn',
  params: ({ context }: GroupArgs) => isCutShort(context),
} as const;

export const ordersSize = {
  type: 'orderOverride',
  params: ({ context, event }: GroupArgs) =>
    sizeOrdered(context, as(event, 'operator.scale'), event.meta),
} as const;

export const yields = {
  type: 'orderOverride',
  params: ({ context }: GroupArgs) => sizeYields(context),
} as const;

export const dismissesOverrides = {
  type: 'orderOverride',
  params: ({ context }: GroupArgs) => sizeDismissed(context),
} as const;

export const creates = spawnsOf(createTurnOf);

export const drains = {
  type: 'drainMembers',
  params: (args: GroupArgs) => drainTurnOf(args).drain,
} as const;

export const drainsAgain = {
  type: 'drainMembers',
  params: ({ context }: GroupArgs) => unheardOrders(context),
} as const;

export const drainsAll = {
  type: 'drainMembers',
  params: ({ context }: GroupArgs) => everyOrder(context),
} as const;

export const dismissesAll = {
  type: 'drainMembers',
  params: ({ context }: GroupArgs) => dismissal(context),
} as const;

export const asksMembers = {
  type: 'tellSpec',
  params: ({ context }: GroupArgs) => specFor(context),
} as const;

/** When it starts: what its members know is before its eyes. */
export const asksOutdated = {
  type: 'tellSpec',
  params: ({ context, event }: GroupArgs) =>
    specForOutdated(context, as(event, 'activated').children),
} as const;

export const forwardsRequest = {
  type: 'forwardRequest',
  params: ({ context }: GroupArgs): MembersParams => ({ members: presentIds(context) }),
} as const;

export const tellsGuard = {
  type: 'tellGuard',
  params: ({ context }: GroupArgs) => guardLevelOf(context),
} as const;

export const reports = {
  type: 'reportToTenant',
  params: ({ context }: GroupArgs) => statusFor(context),
} as const;

export const reportsRemoved = {
  type: 'reportRemoved',
  params: ({ context }: GroupArgs) => statusFor(context, true),
} as const;
