/**
 * The words the chart of a tenant is written in: its guards, changes, effects and delays.
 *
 * Input: memory and event. Output: yes or no, the next memory, effects as data, milliseconds. The
 * chart itself is in tenant.ts.
 */
import { assign, setup } from 'xstate';
import { assert } from './model/assert.js';
import { type Activated, effect, type RecordParams, type Stamped } from './model/effects.js';
import type { Address } from './model/ids.js';
import type { TenantMessage } from './model/messages.js';
import {
  adopted,
  changes,
  condemned,
  emptied,
  entered,
  heardFrontend,
  heardGroup,
  isAnswered,
  isEmpty,
  isHeldBack,
  isNewer,
  isOlder,
  isSettled,
  reordered,
  restored,
  type ShownState,
  succeeded,
  type TenantMemory,
  troubled,
} from './tenant-memory.js';
import {
  type AnswerParams,
  agreed,
  journaled,
  type LettersParams,
  orders,
  published,
  refused,
  type StatusParams,
  statusFor,
  statusWithTrouble,
} from './tenant-messages.js';
import {
  awakeFor,
  dismissed,
  isOrdered,
  orderRefusal,
  orderTaken,
  replanChanges,
  replanned,
} from './tenant-orders.js';

export type TenantEvent = Stamped<TenantMessage> | Stamped<Activated>;

export interface TenantArgs {
  readonly context: TenantMemory;
  readonly event: TenantEvent;
}

/** How long a converged tenant may be out of step before that is told: an instance has been replaced. */
const PATIENCE_MS = 60_000;
/** How often what is still pending is ordered again; spread by a quarter either way. */
const RESYNC_MS = 60_000;

type EventOf<T extends TenantEvent['type']> = Extract<TenantEvent, { readonly type: T }>;

/** The event as a `type`; the chart uses a word only where such an event arrives. */
function as<T extends TenantEvent['type']>(event: TenantEvent, type: T): EventOf<T> {
  assert(event.type === type, `${event.type} is not ${type}`);
  return event as EventOf<T>;
}

function specIn({ event }: TenantArgs) {
  return as(event, 'tenant.desired').spec;
}

function successorOf({ context }: TenantArgs) {
  assert(context.successor !== null, `tenant ${context.id} has no successor`);
  return context.successor;
}

/** What an order changes, before its parts follow. */
function orderIn(context: TenantMemory, event: TenantEvent): Partial<TenantMemory> {
  switch (event.type) {
    case 'operator.orderGroup':
      return orderTaken(context, event, event.meta);
    case 'operator.dismissGroup':
      return dismissed(context, event);
    case 'tenant.replan':
      return replanned(context, event);
    case 'operator.sleep': {
      const { owner, reason, meta } = event;
      return { asleep: { owner, reason, sinceMs: meta.at } };
    }
    default:
      return { asleep: null };
  }
}

export const tenantSetup = setup({
  types: {
    context: {} as TenantMemory,
    events: {} as TenantEvent,
    input: {} as { readonly address: Address },
  },
  actions: {
    adopt: assign((args) => adopted(args.context, specIn(args), args.event.meta)),
    adoptSuccessor: assign((args) => succeeded(args.context, successorOf(args), args.event.meta)),
    takeOrder: assign(({ context, event }) =>
      reordered(context, orderIn(context, event), event.meta),
    ),
    noteReplan: assign(({ context, event }) => replanned(context, as(event, 'tenant.replan'))),
    noteGeneration: assign((args) => ({ spec: specIn(args) })),
    noteSuccessor: assign((args) => ({ successor: specIn(args) })),
    dropSuccessor: assign({ successor: null }),
    noteProblem: assign(({ context, event }) =>
      troubled(context, as(event, 'tenant.problem'), event.meta),
    ),
    noteRemoval: assign(({ event }) =>
      condemned(as(event, 'tenant.removed').undoWindowMs, event.meta),
    ),
    restore: assign(({ event }) => restored(event.meta)),
    revive: assign(({ context, event }) => {
      const { spec } = context;
      assert(spec !== null, `tenant ${context.id} was something before it was let go`);
      return adopted(context, spec, event.meta);
    }),
    letAllGo: assign(({ context, event }) => emptied(context, event.meta)),
    notePart: assign(({ context, event }) => {
      if (event.type === 'frontend.status') return heardFrontend(context, event.status);
      return heardGroup(context, as(event, 'group.status').status);
    }),
    enter: assign(({ event }, { state }: { readonly state: ShownState }) =>
      entered(state, event.meta.at),
    ),

    /** After the commit: what is ordered is decided. */
    order: effect<LettersParams>(),
    /** The same orders once more; nothing new is decided. */
    repeat: effect<LettersParams>(),
    /** After the commit: the status speaks of what is on disk. */
    tellStatus: effect<StatusParams>(),
    repeatStatus: effect<StatusParams>(),
    /** After the commit: what was agreed to stands. */
    agree: effect<AnswerParams>(),
    refuse: effect<AnswerParams>(),
    record: effect<RecordParams>(),
    forget: effect<undefined>(),
  },
  guards: {
    isOlder: (args) => isOlder(args.context, specIn(args)),
    isNewer: (args) => isNewer(args.context, specIn(args)),
    isChange: (args) => changes(args.context, specIn(args)),
    isKnownProblem: ({ context, event }) =>
      context.problem?.message === as(event, 'tenant.problem').message,
    isProblematic: ({ context }) => context.problem !== null,
    isSettled: ({ context }) => isSettled(context),
    isUnsettled: ({ context }) => !isSettled(context),
    isAnswered: ({ context }) => isAnswered(context),
    isEmpty: ({ context }) => isEmpty(context),
    isHeldBack: ({ context }) => isHeldBack(context),
    isKept: (args) => isHeldBack(args.context) && !isOlder(args.context, specIn(args)),
    hasSuccessor: ({ context }) => isEmpty(context) && context.successor !== null,
    isOrderable: ({ context, event }) =>
      orderRefusal(context, as(event, 'operator.orderGroup')) === undefined,
    isOrdered: ({ context, event }) => isOrdered(context, as(event, 'operator.orderGroup')),
    isDismissable: ({ context, event }) =>
      Object.hasOwn(context.ordered, as(event, 'operator.dismissGroup').name),
    isReplan: ({ context, event }) => replanChanges(context, as(event, 'tenant.replan')),
    isAsleep: ({ context }) => context.asleep !== null,
    isNeeded: ({ context }) => awakeFor(context).length > 0,
    /** Whoever has an instance on demand is awake. */
    isWoken: ({ context, event }) =>
      context.asleep !== null &&
      event.type === 'group.status' &&
      (event.status.onDemand ?? 0) > 0 &&
      !event.status.removed,
    hasNoWindow: ({ context }) => context.undo?.windowMs === 0,
    tellsOfEnd: ({ event }) =>
      (event.type === 'group.status' || event.type === 'frontend.status') && event.status.removed,
  },
  delays: {
    patience: PATIENCE_MS,
    undoWindow: ({ context }) => context.undo?.windowMs ?? 0,
    resyncDue: ({ event }) => RESYNC_MS * (0.75 + event.meta.random / 2),
  },
});

// --- effects with the parameters the memory gives them ------------------------------------------

export const ordersParts = {
  type: 'order',
  params: ({ context }: TenantArgs) => orders(context),
} as const;

export const repeats = {
  type: 'repeat',
  params: ({ context }: TenantArgs) => orders(context),
} as const;

export const agrees = {
  type: 'agree',
  params: ({ context, event }: TenantArgs) => agreed(context, event.meta),
} as const;

export function refuses(message: string, rule = 'TN-6') {
  const params = ({ event }: TenantArgs) => refused(event.meta, message, rule);
  return { type: 'refuse', params } as const;
}

export const refusesOrder = {
  type: 'refuse',
  params: ({ context, event }: TenantArgs) => {
    const why = orderRefusal(context, as(event, 'operator.orderGroup')) ?? '';
    return refused(event.meta, why, 'TN-10');
  },
} as const;

export const refusesSleep = {
  type: 'refuse',
  params: ({ context, event }: TenantArgs) => {
    const message = `instances on demand are there (${awakeFor(context).join(', ')}): delete them first`;
    return refused(event.meta, message, 'TN-12');
  },
} as const;

export const answers = {
  type: 'refuse',
  params: ({ context, event }: TenantArgs) => agreed(context, event.meta),
} as const;

/** In whose name, and why. */
export function publishesOrder(event: string, rule: string) {
  const params = ({ context, event: order }: TenantArgs) => {
    const {
      owner = '',
      reason = '',
      name = '',
    } = order as { owner?: string; reason?: string; name?: string };
    const group = name === '' ? {} : { group: `${context.id}/${name}` };
    return published(context, { event, rule, numbers: { owner, reason, ...group } });
  };
  return { type: 'record', params } as const;
}

export function publishes(event: string, rule: string) {
  const params = ({ context }: TenantArgs) => published(context, { event, rule });
  return { type: 'record', params } as const;
}

export function journals(event: string, rule: string) {
  const params = ({ context }: TenantArgs) => journaled(context, { event, rule });
  return { type: 'record', params } as const;
}

export const tells = {
  type: 'tellStatus',
  params: ({ context }: TenantArgs) => statusFor(context),
} as const;

/** What keeps it from going on is told only when it lasts: a hiccup is nobody's business beyond us. */
export const tellsTrouble = {
  type: 'repeatStatus',
  params: ({ context }: TenantArgs) => statusWithTrouble(context),
} as const;

export const tellsAgain = {
  type: 'repeatStatus',
  params: ({ context }: TenantArgs) => statusFor(context),
} as const;

export function enters(state: ShownState) {
  return { type: 'enter', params: { state } } as const;
}
