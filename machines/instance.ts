/**
 * Instance: the life of one member of a group, from the intent to create it until nothing is left.
 *
 * Input:  its group's intent, the provider's answers, verdicts of its backend, acknowledgements of its
 *         frontends, an operator's verbs. Output: calls to the provider, levels for backend and
 *         frontends, records, reports to the group.
 *
 *   requested ─► creating ─► alive ─► draining ─► drained ─► deleting ─► ended
 *                   │          └── provider says dead ─► lost ─┘          ▲
 *                   └── refused for good ─────────────────────────────────┘
 *
 *   alive { arriving { booting ─► registered } ─► serving ⇄ suspect } ⇄ quarantined ─► draining
 *
 * Rules: [IN-1] [IN-2] [IN-12] [IN-13] see instance-memory.ts; [IN-3] no create is repeated before
 * its token was looked up, and always with that token; [IN-4] only `unavailable` leaves open what a
 * create did; [IN-5] silence moves no state: only a verdict, the provider's word, an order or a
 * deadline does; [IN-6] the provider deletes only what every frontend let go of, unless a hold ran
 * out, and then on record; [IN-7] a death is told at once; [IN-8] a restart says everything again;
 * [IN-9] a refused delete is tried again for ever; [IN-10] an operator's order is answered once it
 * is durable, or refused; [IN-14] only a frontend that says nothing is ever given up on.
 */
import { and, not } from 'xstate';
import { newInstance } from './instance-memory.js';
import {
  agrees,
  answers,
  asksAgent,
  asksBackend,
  asksBackendAgain,
  backsOff,
  creates,
  deletes,
  drainsByHand,
  ends,
  enters,
  explains,
  finds,
  forcesDrain,
  hastens,
  instanceSetup,
  journals,
  keeps,
  leavesNeighbours,
  publishes,
  refuses,
  releases,
  reports,
  reportsForgotten,
  saysAgain,
  settles,
  showsLevel,
  tellsDeath,
  tellsNotice,
  timesOut,
  watches,
} from './instance-setup.js';

const { createStateConfig } = instanceSetup;

const requested = createStateConfig({
  description: 'An intent in the store; nothing has been asked of the provider.',
  on: { activated: 'creating' },
});

const creating = createStateConfig({
  description: 'Asking the provider until it is known whether the instance exists.',
  initial: 'asked',
  entry: enters('creating'),
  on: {
    'provider.created': { guard: 'isMyToken', target: 'alive', actions: 'adopt' },
    'provider.found': { guard: 'isMyToken', target: 'alive', actions: ['adopt', watches] },
    'provider.createFailed': {
      guard: and(['isMyToken', 'isDefinite']),
      target: 'ended.failed',
      actions: 'noteRefusal',
    },
    'instance.drain': {
      guard: not('isDrainPlanned'),
      actions: ['planDrain', journals('instance.drain_requested', 'IN-4')],
    },
    'operator.drain': [
      { guard: 'isDrainPlanned', actions: answers },
      { actions: ['planDrain', journals('instance.drain_requested', 'operator'), agrees] },
    ],
  },
  states: {
    asked: {
      description: 'One create with our token is out.',
      entry: [journals('instance.creating', 'IN-3'), creates],
      on: {
        activated: 'settling',
        'provider.createFailed': {
          guard: and(['isMyToken', not('isDefinite')]),
          target: 'settling',
          actions: 'noteRefusal',
        },
      },
      after: { answerTimeout: 'settling' },
    },
    settling: {
      description: 'The outcome is unknown; a late create gets time to show.',
      entry: [settles, journals('instance.create_unknown', 'IN-3')],
      // Whoever speaks exists.
      on: { 'agent.verdict': { guard: 'provesLife', target: 'finding', actions: 'noteAgent' } },
      after: { settleWindow: 'finding' },
    },
    finding: {
      description: 'Asking by token whether the instance exists.',
      entry: finds,
      on: {
        activated: 'settling',
        'provider.absent': [
          { guard: and(['isMyToken', 'isDrainPlanned']), target: '#instance.ended.deleted' },
          { guard: 'isMyToken', target: 'asked' },
        ],
        'provider.findFailed': { guard: 'isMyToken', target: 'settling', actions: 'noteRefusal' },
      },
      after: { answerTimeout: 'settling' },
    },
  },
});

const arriving = createStateConfig({
  description: 'Has never served.',
  initial: 'booting',
  after: { bootTimeout: { target: '#instance.draining', actions: 'planDrain' } },
  states: {
    booting: {
      description: 'Created; nobody has been heard of yet.',
      entry: [enters('booting'), publishes('instance.created', 'IN-3'), ...asksBackend, showsLevel],
      always: [
        { guard: 'isDrainPlanned', target: '#instance.draining' },
        { guard: 'isWell', target: '#instance.alive.serving' },
        { guard: 'isHeardOf', target: 'registered' },
      ],
    },
    registered: {
      description: 'Its backend or its agent has been heard of, but it was never well.',
      entry: [enters('registered'), journals('instance.registered', 'IN-5')],
      always: { guard: 'isWell', target: '#instance.alive.serving' },
    },
  },
});

const goneSick = ['markOverdue', journals('instance.sick', 'IN-16')] as const;

const alive = createStateConfig({
  description: 'Exists at the provider; frontends give it a weight while its backend is up.',
  initial: 'arriving',
  on: {
    activated: { actions: ['renumber', ...saysAgain, watches] },
    'provider.exited': { guard: 'isMine', target: 'lost', actions: 'markDead' },
    'instance.drain': { target: 'draining', actions: 'planDrain' },
    'operator.drain': { target: 'draining', actions: drainsByHand },
    'instance.notice': { target: 'draining', actions: ['planDrain', tellsNotice] },
    'operator.quarantine': { target: 'quarantined', actions: keeps },
    'operator.replace': [
      { guard: 'isReplaceOrdered', actions: answers },
      {
        actions: ['orderReplacement', journals('instance.replace_requested', 'operator'), agrees],
      },
    ],
  },
  states: {
    arriving,
    serving: {
      description: 'Up; in service once every frontend has it in.',
      entry: [enters('serving'), publishes('instance.ready', 'IN-5')],
      always: { guard: 'isUnwell', target: 'suspect' },
    },
    suspect: {
      description: 'Was up, is down. Frontends act on the verdict itself; its group has patience.',
      entry: [enters('suspect'), publishes('instance.unhealthy', 'IN-5')],
      always: [
        { guard: 'isWell', target: 'serving' },
        { guard: 'isSick', actions: goneSick },
      ],
      after: {
        graceOver: { guard: 'isSick', actions: goneSick },
        replaceAfter: { actions: ['markOverdue', journals('instance.overdue', 'IN-5')] },
      },
    },
  },
});

const quarantined = createStateConfig({
  description:
    'No new flows and no place in the count, but alive and left alone for somebody to look at.',
  initial: 'kept',
  entry: [enters('quarantined'), publishes('instance.quarantined', 'operator'), showsLevel],
  on: {
    activated: { actions: ['renumber', ...saysAgain, watches] },
    'provider.exited': { guard: 'isMine', target: 'lost', actions: 'markDead' },
    'instance.drain': { target: 'draining', actions: 'planDrain' },
    'instance.notice': { target: 'draining', actions: ['planDrain', tellsNotice] },
    'operator.drain': { target: 'draining', actions: drainsByHand },
    'operator.quarantine': { actions: answers },
    'operator.release': [
      {
        guard: 'hasNeverServed',
        target: '#instance.alive.arriving.registered',
        actions: releases('registered'),
      },
      { target: '#instance.alive.serving', actions: releases('serving') },
    ],
  },
  states: {
    kept: {
      description: 'Until it is released.',
      always: { guard: 'isLimited', target: 'limited' },
    },
    limited: {
      description: 'Until it is released, or the time is up.',
      after: { quarantineOver: { target: '#instance.draining', actions: 'planLeaving' } },
    },
  },
});

const draining = createStateConfig({
  description: 'No new flows; old ones run out until somebody or the deadline says so.',
  initial: 'holding',
  entry: [enters('draining'), publishes('instance.draining', 'IN-6'), showsLevel],
  on: {
    activated: { actions: ['renumber', ...saysAgain, watches] },
    'provider.exited': {
      guard: 'isMine',
      target: 'drained',
      actions: ['markDead', ends('died'), ...tellsDeath],
    },
    'instance.drain': {
      guard: 'liftsLastMember',
      actions: ['liftLastMember', journals('instance.drain_requested', 'IN-6'), showsLevel],
    },
    'operator.drain': [
      { guard: 'forces', target: '.holding', actions: forcesDrain },
      { actions: answers },
    ],
    'instance.notice': { guard: 'bringsForward', target: '.holding', actions: hastens },
    'operator.ackDrain': [
      { guard: 'isAcknowledged', actions: answers },
      { actions: ['acknowledgeDrain', journals('instance.drain_done', 'operator'), agrees] },
    ],
  },
  states: {
    holding: {
      description: 'Until every frontend has acknowledged weight 0.',
      always: { guard: not('isHeld'), target: 'waiting' },
      after: {
        drainHold: [
          {
            guard: 'isKept',
            target: 'holding',
            reenter: true,
            actions: [journals('instance.drain_held', 'IN-14'), 'askAgain', showsLevel],
          },
          { target: 'waiting', actions: 'endHold' },
        ],
      },
    },
    waiting: {
      description: 'For the word of whoever drains, or for the deadline.',
      always: [
        { guard: 'hasNeverServed', target: '#instance.drained', actions: ends('never-served') },
        { guard: 'isAcknowledged', target: '#instance.drained', actions: ends('acknowledged') },
      ],
      after: { drainDeadline: { target: '#instance.drained', actions: timesOut } },
    },
  },
});

const drained = createStateConfig({
  description: 'Nothing left to wait for; leaves once every frontend has removed it.',
  entry: [enters('drained'), publishes('instance.drained', 'IN-6'), showsLevel],
  always: { guard: not('isHeld'), target: 'deleting' },
  on: {
    activated: { actions: ['renumber', ...saysAgain, watches] },
    'provider.exited': { guard: 'isMine', actions: ['markDead', ...tellsDeath] },
    'operator.drain': [
      { guard: 'forces', target: 'drained', reenter: true, actions: forcesDrain },
      { actions: answers },
    ],
  },
  after: {
    outHold: [
      { guard: 'isKept', target: 'drained', reenter: true, actions: 'askAgain' },
      { target: 'deleting', actions: 'endHold' },
    ],
  },
});

const lost = createStateConfig({
  description: 'The provider says it is dead. What is left of it is cleaned up.',
  entry: [enters('lost'), ...tellsDeath, publishes('instance.lost', 'IN-7')],
  always: { guard: not('isHeld'), target: 'deleting' },
  on: { activated: { actions: ['renumber', ...tellsDeath, reports] } },
  after: { outHold: 'deleting' },
});

const deleting = createStateConfig({
  description: 'Asking the provider until it says that nothing is left.',
  initial: 'asked',
  entry: enters('deleting'),
  on: {
    'provider.deleted': { guard: 'isMine', target: 'ended.deleted' },
    'provider.deleteFailed': { guard: and(['isMine', 'isAbsent']), target: 'ended.deleted' },
  },
  states: {
    asked: {
      description: 'One delete is out.',
      entry: [journals('instance.deleting', 'IN-6'), deletes],
      on: {
        activated: { target: 'asked', reenter: true, actions: ['renumber', ...saysAgain] },
        'provider.deleteFailed': {
          guard: and(['isMine', not('isAbsent')]),
          target: 'backingOff',
          actions: 'noteRefusal',
        },
      },
      after: { answerTimeout: 'backingOff' },
    },
    backingOff: {
      description: 'The provider refused or did not answer; asked again in a while.',
      entry: [backsOff, journals('instance.delete_failed', 'IN-9')],
      after: { retryDue: 'asked' },
    },
  },
});

const ended = createStateConfig({
  description: 'Over; kept for a while so that an operator can look at it.',
  initial: 'deleted',
  on: {
    'provider.created': { guard: 'surfacesLate', target: 'deleting', actions: 'adopt' },
    'provider.found': { guard: 'surfacesLate', target: 'deleting', actions: 'adopt' },
    'instance.drain': { guard: 'losesItsGroup', actions: 'forget' },
    'instance.desired': { actions: reports },
  },
  after: { retention: { actions: [reportsForgotten, 'forget'] } },
  states: {
    deleted: {
      description: 'Nothing is left of it.',
      entry: [enters('deleted'), publishes('instance.deleted', 'IN-6'), ...leavesNeighbours],
    },
    failed: {
      description: 'The provider refused to create it.',
      entry: [enters('failed'), publishes('instance.failed', 'IN-4')],
    },
  },
});

export const instanceMachine = instanceSetup.createMachine({
  id: 'instance',
  description: 'One member of a group, from the intent to create it until nothing is left.',
  context: ({ input }) => newInstance(input),
  initial: 'requested',
  always: { guard: 'isNews', actions: ['noteTold', reports] },
  on: {
    activated: { actions: reports },
    'publish.request': { actions: saysAgain },
    'instance.desired': [
      {
        guard: 'isNewIntent',
        actions: [
          'noteSpec',
          journals('instance.desired_changed', 'IN-8'),
          ...asksBackend,
          showsLevel,
          reports,
        ],
      },
      { guard: 'isInService', actions: [...asksBackendAgain, reports] },
      { actions: saysAgain },
    ],
    'backend.verdict': { actions: 'noteVerdict' },
    'agent.verdict': [
      { guard: 'isStranger', actions: ['noteAgent', asksAgent] },
      { actions: 'noteAgent' },
    ],
    'member.acknowledged': { guard: 'isAnswer', actions: 'noteAck' },
    'operator.drain': {
      actions: refuses('IN-10', ({ id, state }) => `${id} is ${state}: it is on its way out`),
    },
    'operator.ackDrain': [
      { guard: 'isDrainPlanned', actions: answers },
      { actions: refuses('IN-10', ({ id, state }) => `${id} is ${state}, not draining`) },
    ],
    'operator.replace': {
      actions: refuses('IN-10', ({ id, state }) => `${id} is ${state}: nothing to replace`),
    },
    'operator.whyNot': { actions: explains },
    'operator.quarantine': {
      actions: refuses('IN-10', ({ id, state }) => `${id} is ${state}: nothing to keep`),
    },
    'operator.release': {
      actions: refuses('IN-10', ({ id, state }) => `${id} is ${state}, not quarantined`),
    },
  },
  states: { requested, creating, alive, quarantined, draining, drained, lost, deleting, ended },
});
