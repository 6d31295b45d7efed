/**
 * Tenant: turns what one project, org or configured tenant should have into orders for its groups and
 * frontends, and says when it has it.
 *
 * Input:  the intent (from config or tenancy), statuses of its parts, removal, an operator's undelete.
 * Output: orders for its parts, records, its status for its resource.
 *
 *   unknown ─► live { accepted ─► converging ─► converged ⇄ degraded } ─► deleting ─► draining ─► removed
 *      └─► parked (a problem, and nothing made)      ▲───── undelete ─────┘
 *
 * Rules: [TN-1] an intent is recorded before its parts hear of it, and the same one again records
 * nothing; [TN-2] converged means every part is as wanted and none is left over; [TN-3] a converged
 * tenant is degraded only when it stays out of step, or cannot be derived any more; [TN-4] a deletion
 * can be undone within its window and not after; [TN-5] groups go before frontends, and a tenant is
 * removed when its last part is gone; [TN-6] an undelete is durable before it is agreed to, and
 * refused where there is nothing to undo; [TN-7] after a restart every part is told again; [TN-8] a
 * tenant wanted again while it is draining is made afresh afterwards; [TN-9] an older intent changes
 * nothing; [TN-10] [TN-11] [TN-12] what programs order of it, tenant-orders.ts.
 */
import { not } from 'xstate';
import { newTenant } from './tenant-memory.js';
import {
  agrees,
  answers,
  enters,
  journals,
  ordersParts,
  publishes,
  publishesOrder,
  refuses,
  refusesOrder,
  refusesSleep,
  repeats,
  tells,
  tellsAgain,
  tellsTrouble,
  tenantSetup,
} from './tenant-setup.js';

const { createStateConfig } = tenantSetup;

const accepts = ['adopt', publishes('tenant.accepted', 'TN-1'), ordersParts, tells] as const;

const recreates = [
  'adoptSuccessor',
  publishes('tenant.accepted', 'TN-8'),
  ordersParts,
  tells,
] as const;

const undeletes = [
  'restore',
  publishes('tenant.undeleted', 'operator'),
  ordersParts,
  tells,
  agrees,
] as const;

/** Nobody has left yet, because the shrink guard has not let them. */
const revives = [
  'revive',
  publishes('tenant.undeleted', 'operator'),
  ordersParts,
  tells,
  agrees,
] as const;

/** Its parts are told what follows from an order. */
const follows = (event: string, rule: string) =>
  ['takeOrder', publishesOrder(event, rule), ordersParts, tells] as const;

const takes = (event: string, rule: string) =>
  ({ target: 'live', reenter: true, actions: [...follows(event, rule), agrees] }) as const;

const takesOrders = {
  'operator.orderGroup': [
    { guard: not('isOrderable'), actions: refusesOrder },
    { guard: 'isOrdered', actions: answers },
    takes('tenant.group_ordered', 'TN-10'),
  ],
  'operator.dismissGroup': [
    { guard: 'isDismissable', ...takes('tenant.group_dismissed', 'TN-10') },
    { actions: answers },
  ],
  'tenant.replan': [
    { guard: 'isReplan', ...takes('tenant.groups_replanned', 'TN-11') },
    { actions: answers },
  ],
  'operator.sleep': [
    { guard: 'isAsleep', actions: answers },
    { guard: 'isNeeded', actions: refusesSleep },
    takes('tenant.asleep', 'TN-12'),
  ],
  'operator.wake': [{ guard: 'isAsleep', ...takes('tenant.awake', 'TN-12') }, { actions: answers }],
} as const;

/** Somebody ordered an instance on demand of a group that slept. */
const wakes = {
  guard: 'isWoken',
  target: 'live',
  reenter: true,
  actions: ['notePart', ...follows('tenant.awake', 'TN-12')],
} as const;

const refusesOrders = (message: string) => {
  const refusal = { actions: refuses(message, 'TN-10') } as const;
  return {
    'operator.orderGroup': refusal,
    'operator.dismissGroup': refusal,
    'operator.sleep': refusal,
    'operator.wake': refusal,
    'tenant.replan': { actions: answers },
  } as const;
};

const isNobody = { target: 'absent', actions: refuses('there is no such tenant') } as const;

const hearsOfEnd = ['notePart', journals('tenant.part_gone', 'TN-5'), ordersParts] as const;

const hearsParts = {
  'group.status': [{ guard: 'tellsOfEnd', actions: hearsOfEnd }, { actions: 'notePart' }],
  'frontend.status': [{ guard: 'tellsOfEnd', actions: hearsOfEnd }, { actions: 'notePart' }],
} as const;

const unknown = createStateConfig({
  description: 'Addressed, but never told what to be.',
  on: {
    'tenant.desired': { target: 'live', actions: accepts },
    'tenant.problem': { target: 'parked', actions: 'noteProblem' },
    'tenant.removed': { target: 'absent', actions: tellsAgain },
    'tenant.undelete': isNobody,
    'operator.orderGroup': isNobody,
    'operator.dismissGroup': isNobody,
    'operator.sleep': isNobody,
    'operator.wake': isNobody,
    'tenant.replan': 'absent',
    'group.status': 'absent',
    'frontend.status': 'absent',
  },
});

const parked = createStateConfig({
  description: 'It has never been possible to say what it should have; nothing was made.',
  entry: [enters('degraded'), publishes('tenant.degraded', 'TN-3'), tells],
  on: {
    activated: { actions: tellsAgain },
    'tenant.desired': { target: 'live', actions: accepts },
    'tenant.problem': [
      { guard: 'isKnownProblem', actions: tellsAgain },
      { target: 'parked', reenter: true, actions: 'noteProblem' },
    ],
    'tenant.removed': 'removed',
    'tenant.undelete': { actions: refuses('this tenant is not being deleted') },
    ...refusesOrders('it is parked: nothing was made for it'),
  },
});

const converged = createStateConfig({
  description: 'Every part is as wanted.',
  entry: [enters('converged'), publishes('tenant.converged', 'TN-2'), tells],
  initial: 'steady',
  states: {
    steady: {
      description: 'Has what it should have, and nothing is on its way.',
      always: { guard: 'isUnsettled', target: 'wavering' },
    },
    wavering: {
      description: 'Out of step, as after a restart or a replacement; usually not for long.',
      always: { guard: 'isSettled', target: 'steady' },
      after: { patience: '#tenant.live.progress.degraded' },
      // The time in which nobody was there to answer does not count.
      on: { activated: { target: 'wavering', reenter: true } },
    },
  },
});

const progress = createStateConfig({
  description: 'How far its parts are.',
  initial: 'accepted',
  states: {
    accepted: {
      description: 'On disk and ordered; no part has answered yet.',
      always: [
        { guard: 'isSettled', target: 'converged' },
        { guard: 'isAnswered', target: 'converging' },
      ],
    },
    converging: {
      description: 'Parts are on their way.',
      entry: enters('converging'),
      always: { guard: 'isSettled', target: 'converged' },
    },
    converged,
    degraded: {
      description: 'Was as wanted and is not any more, or cannot be told what to be.',
      entry: [enters('degraded'), publishes('tenant.degraded', 'TN-3'), tells],
      always: { guard: 'isSettled', target: 'converged' },
    },
  },
});

/** What a part has not answered for is ordered again; after a restart, everything is. */
const resync = createStateConfig({
  description: 'Nothing depends on a message to a part having arrived.',
  initial: 'waiting',
  states: {
    waiting: {
      description: 'Until unsettled parts are told once more.',
      on: {
        activated: { target: 'waiting', reenter: true, actions: [repeats, tellsAgain] },
      },
      after: {
        resyncDue: [
          {
            guard: 'isUnsettled',
            target: 'waiting',
            reenter: true,
            actions: [repeats, tellsTrouble],
          },
          { target: 'waiting', reenter: true },
        ],
      },
    },
  },
});

const live = createStateConfig({
  description: 'Wanted by the configuration or by the tenant manager.',
  type: 'parallel',
  on: {
    'tenant.desired': [
      { guard: 'isOlder' },
      { guard: 'isChange', target: 'live', reenter: true, actions: accepts },
      { guard: 'isNewer', actions: ['noteGeneration', repeats, tellsAgain] },
      { actions: tellsAgain },
    ],
    'tenant.problem': [
      { guard: 'isKnownProblem', actions: tellsAgain },
      { target: '.progress.degraded', actions: 'noteProblem' },
    ],
    'tenant.removed': { target: 'deleting', actions: 'noteRemoval' },
    'tenant.undelete': { actions: refuses('this tenant is not being deleted') },
    ...takesOrders,
    'group.status': [wakes, ...hearsParts['group.status']],
    'frontend.status': hearsParts['frontend.status'],
  },
  states: { progress, resync },
});

const deleting = createStateConfig({
  description: 'Condemned; everything still runs, and may be kept after all.',
  entry: [publishes('tenant.deletion_accepted', 'TN-4'), tells],
  always: { guard: 'hasNoWindow', target: 'draining' },
  after: { undoWindow: 'draining' },
  on: {
    activated: { actions: [repeats, tellsAgain] },
    'tenant.desired': [{ guard: 'isOlder' }, { target: 'live', actions: accepts }],
    'tenant.removed': { actions: tellsAgain },
    'tenant.undelete': { target: 'live', actions: undeletes },
    ...refusesOrders('it is being deleted: undelete it first'),
    'tenant.replan': [
      {
        guard: 'isReplan',
        actions: ['noteReplan', journals('tenant.groups_replanned', 'TN-11'), agrees],
      },
      { actions: answers },
    ],
    ...hearsParts,
  },
});

const draining = createStateConfig({
  description: 'Its groups go, then its frontends.',
  entry: ['letAllGo', publishes('tenant.draining', 'TN-5'), ordersParts],
  initial: 'waiting',
  always: [
    { guard: 'hasSuccessor', target: 'live', actions: recreates },
    { guard: 'isEmpty', target: 'removed' },
  ],
  on: {
    activated: { target: '.waiting', actions: [repeats, tellsAgain] },
    'tenant.desired': [
      { guard: 'isKept', target: 'live', actions: accepts },
      { actions: 'noteSuccessor' },
    ],
    'tenant.removed': { actions: ['dropSuccessor', tellsAgain] },
    'tenant.undelete': [
      { guard: 'isHeldBack', target: 'live', actions: revives },
      { actions: refuses('its deletion has begun; create it again') },
    ],
    ...refusesOrders('its deletion has begun'),
    ...hearsParts,
  },
  states: {
    waiting: {
      description: 'For its parts to say that they are gone; they are told again meanwhile.',
      after: {
        resyncDue: { target: 'waiting', reenter: true, actions: [repeats, tellsTrouble] },
      },
    },
  },
});

export const tenantMachine = tenantSetup.createMachine({
  id: 'tenant',
  description: 'Turns what one tenant should have into orders for its groups and frontends.',
  context: ({ input }) => newTenant(input.address),
  initial: 'unknown',
  states: {
    unknown,
    parked,
    live,
    deleting,
    draining,
    absent: {
      description: 'It never was anything: nothing to record, and nobody to keep in memory.',
      entry: 'forget',
      on: { '*': {} },
    },
    removed: {
      description: 'Nothing of it is left.',
      entry: [enters('removed'), publishes('tenant.removed', 'TN-5'), tells, 'forget'],
      on: { '*': {} },
    },
  },
});
