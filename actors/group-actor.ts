/**
 * The group actor: carries a group's orders to its members and its status to its tenant.
 *
 * Drains and answers wait for the commit, as does the word that the group is gone; the intent and the
 * status are levels that are said again.
 */
import { groupMachine } from '../machines/group.js';
import type { GroupMemory } from '../machines/group-memory.js';
import {
  type AnswerParams,
  type DrainParams,
  type MembersParams,
  type SpecParams,
  type StatusParams,
  viewOf,
} from '../machines/group-messages.js';
import { type GuardLevel, SHRINK_GUARD, UNSHRUNK } from '../machines/model/guard.js';
import { addressOf } from '../machines/model/ids.js';
import type { JsonObject } from '../machines/model/json.js';
import type {
  GroupMessage,
  InstanceMessage,
  InstanceSummary,
  Message,
  TenantMessage,
} from '../machines/model/messages.js';
import { standingOfState } from '../src/policy/members.js';
import {
  type ActorType,
  durable,
  observed,
  type StoredState,
  type World,
} from '../src/runtime/actor-type.js';
import { ordersOverride } from './override-orders.js';

type AnyWorld = World<unknown, unknown>;

function tellTenant({ to, status }: StatusParams, { scope }: AnyWorld): void {
  const message: TenantMessage = { type: 'group.status', status };
  scope.tell(to, message);
}

function answer({ replyTo, body }: AnswerParams, { scope }: AnyWorld): void {
  scope.reply(replyTo, body);
}

export const groupActor: ActorType = {
  kind: 'group',
  machine: groupMachine,
  version: 4,
  stored: true,
  implicit: true,
  effects: {
    drainMembers: durable<DrainParams>(({ orders, lastMayGo }, { scope }) => {
      for (const { id, reason } of orders) {
        const message: InstanceMessage = {
          type: 'instance.drain',
          reason,
          lastMayGo,
          force: false,
        };
        scope.tell(addressOf('instance', id), message);
      }
    }),
    tellSpec: observed<SpecParams>(({ members, spec }, { scope }) => {
      if (spec === null) return;
      const message: InstanceMessage = { type: 'instance.desired', spec };
      for (const id of members) scope.tell(addressOf('instance', id), message);
    }),
    forwardRequest: observed<MembersParams>(({ members }, { scope }) => {
      const message: InstanceMessage = { type: 'publish.request' };
      for (const id of members) scope.tell(addressOf('instance', id), message);
    }),
    reportToTenant: observed<StatusParams>(tellTenant),
    reportRemoved: durable<StatusParams>(tellTenant),
    orderOverride: ordersOverride(),
    goOn: observed<boolean>((cutShort, { scope }) => {
      const message: GroupMessage = { type: 'group.goOn' };
      if (cutShort) scope.tell(scope.self, message);
    }),
    tellGuard: observed<GuardLevel>((level, { scope }) => scope.tell(SHRINK_GUARD, level)),
    agree: durable<AnswerParams>(answer),
    answer: observed<AnswerParams>(answer),
  },
  isShown: ({ context }) => context['spec'] !== null,
  view: ({ context }) => viewOf(context as unknown as GroupMemory),
  migrate,
  coalesce,
  joint: { takes: tellsOfStaying, join: joinReports },
};

/**
 * Version 1 knew neither breaker nor budget: nothing is tripped, nobody waits. An ordered size was part of it
 * before there were books of overrides; it is not taken over. Version 2 knew no shrink guard: the floor is what
 * is wanted when it wakes. Version 3 did not record where it has come.
 */
function migrate({ value, context, timers }: StoredState): StoredState {
  const { override: _, ...known } = context;
  const added = {
    overrides: {},
    breaker: null,
    waiting: null,
    shrink: UNSHRUNK,
    reached: null,
    movingSinceMs: null,
  };
  return { value, timers, context: { ...added, ...known } as unknown as JsonObject };
}

/** Levels: a newer one says everything an older one did. */
function coalesce(message: Message): string | undefined {
  const told = message as GroupMessage;
  switch (told.type) {
    case 'group.desired':
    case 'group.goOn':
      return told.type;
    case 'instance.changed':
      return `${told.type}:${told.summary.id}`;
    case 'publish.request':
      return `${told.type}:${told.frontend}`;
    default:
      return undefined;
  }
}

/** Reports that wait as one: a group of a hundred that starts is told of ten at a time, and not of each. */
const REPORTS_MAX = 256;

/** Of an end, or a drain, the group may have to decide something: such a report stays its own. */
function tellsOfStaying(message: Message): boolean {
  const told = message as GroupMessage;
  return told.type === 'instance.changed' && standingOfState(told.summary.state) === 'staying';
}

type Report = Extract<GroupMessage, { readonly type: 'instance.changed' }>;

/** The list is the waiting message's own, and grows with it. */
function joinReports(waiting: Message, next: Message): GroupMessage | undefined {
  const { summary, others = [] } = waiting as Report;
  if (others.length >= REPORTS_MAX) return undefined;
  (others as InstanceSummary[]).push((next as Report).summary);
  return { type: 'instance.changed', summary, others };
}
