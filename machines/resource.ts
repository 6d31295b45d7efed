/**
 * Resource: the lane of one project or org of the tenant manager. Takes its events in order, tells its
 * tenant what is wanted, and owes the tenant manager its status.
 *
 * Input:  events and settings by way of tenancy, statuses of its tenant, outcomes of its reports.
 * Output: intents for its tenant, its word that an event is accepted, reports, records.
 *
 *   unknown ─► live { lane:   free ⇄ parked
 *                     tenant: watched ↺
 *                     status: telling ⇄ resting } ─► buried ─► gone
 *
 * Rules: [TE-1] an event is accepted when what follows from it is on disk; [TE-2]..[TE-5] [TE-10]
 * src/policy/tenancy.ts; [TE-6]..[TE-9] src/policy/tenancy-resource.ts; [TE-11] a status that is refused
 * delays itself only; [TE-12] what says nothing new records, tells and reports nothing; [TE-15] a tenant
 * that is not where it is wanted is told again; [TE-50] what is parked is tried again after a growing
 * wait, and delays nobody else; [TE-52] an operator may have it tried at once.
 */
import { newResource } from './resource-memory.js';
import {
  accepts,
  acceptsAgain,
  agrees,
  journals,
  owes,
  records,
  refuses,
  repeats,
  resourceSetup,
  tells,
} from './resource-setup.js';

const { createStateConfig } = resourceSetup;

const decides = ['take', records, 'noteTold', tells, accepts] as const;
const hears = ['take', repeats, acceptsAgain] as const;
const listens = [{ guard: 'isDecision', actions: decides }, { actions: hears }] as const;

/** The reporter may have started afresh. */
const gives = [
  { guard: 'owesNothing', target: 'telling', reenter: true },
  { target: 'telling', reenter: true, actions: ['noteGiven', owes] },
] as const;

const unknown = createStateConfig({
  description: 'Addressed, but the tenant manager has said nothing of it.',
  on: {
    'resource.event': [
      { guard: 'isNobody', target: 'gone', actions: acceptsAgain },
      { target: 'live', actions: decides },
    ],
    'resource.unpark': {
      target: 'gone',
      actions: refuses('the tenant manager has no such project or org'),
    },
    'resource.settings': 'gone',
    'resource.missing': 'gone',
    'tenant.status': 'gone',
    'status.told': 'gone',
  },
});

const lane = createStateConfig({
  description: 'Whether it can be said what its tenant should have.',
  initial: 'free',
  states: {
    free: {
      description: 'It can go on at once.',
      always: { guard: 'isParked', target: 'parked' },
      on: { 'resource.unpark': { actions: refuses('it is not parked: nothing holds it up') } },
    },
    parked: {
      description: 'It cannot; it is tried again, less and less often.',
      always: { guard: 'isFree', target: 'free' },
      after: { retryDue: { target: 'parked', reenter: true, actions: ['noteTry', 'askSettings'] } },
      on: {
        activated: { target: 'parked', reenter: true },
        'resource.unpark': { actions: ['askSettings', agrees] },
      },
    },
  },
});

/** How often depends on whether it is where it is wanted: no decision, so no place of its own. */
const tenant = createStateConfig({
  description: 'Its tenant is told again what it should have.',
  initial: 'watched',
  states: {
    watched: {
      description: 'Now and then, and more often until it is where it is wanted.',
      always: { guard: 'hasOtherPace', target: 'watched', reenter: true, actions: 'notePace' },
      after: { resyncDue: { target: 'watched', reenter: true, actions: 'askSettings' } },
      on: { activated: { target: 'watched', reenter: true } },
    },
  },
});

const status = createStateConfig({
  description: 'What the tenant manager has yet to be told.',
  initial: 'telling',
  on: {
    'status.told': [
      {
        guard: 'isAcknowledged',
        actions: ['noteAcknowledged', journals('tenancy.status_acknowledged', 'TE-8')],
      },
      { guard: 'isRefused', target: '.resting', actions: 'noteRefused' },
    ],
  },
  states: {
    telling: {
      description:
        'The reporter has the newest status, if any is owed; it comes back with an outcome.',
      always: [
        { guard: 'isDone', target: 'telling', reenter: true, actions: 'askAfresh' },
        { guard: 'owesNews', target: 'telling', reenter: true, actions: ['noteGiven', owes] },
      ],
      after: { outcomeDue: gives },
      on: { activated: gives },
    },
    resting: {
      description: 'Refused: it waits, alone; another status does not.',
      always: [
        { guard: 'owesNothing', target: 'telling', actions: 'askAfresh' },
        { guard: 'owesNews', target: 'telling', actions: ['noteGiven', owes] },
      ],
      after: { statusDue: { target: 'telling', actions: ['noteGiven', owes] } },
      on: { activated: { target: 'telling', actions: ['noteGiven', owes] } },
    },
  },
});

const live = createStateConfig({
  description: 'The tenant manager has, or had, it.',
  type: 'parallel',
  always: { guard: 'isBuried', target: 'buried' },
  on: {
    'resource.event': listens,
    'resource.missing': listens,
    'resource.settings': listens,
    'tenant.status': [
      {
        guard: 'isUndone',
        actions: ['noteTenant', journals('tenancy.deletion_undone', 'operator')],
      },
      { actions: 'noteTenant' },
    ],
  },
  states: { lane, tenant, status },
});

export const resourceMachine = resourceSetup.createMachine({
  id: 'resource',
  description: 'The lane of one project or org: its events in order, its tenant, its status.',
  context: ({ input }) => newResource(input.address),
  initial: 'unknown',
  states: {
    unknown,
    live,
    buried: {
      description: 'Over, and the tenant manager knows; remembered, lest a late event revives it.',
      after: { graveDue: 'gone' },
      on: {
        'resource.event': [
          { guard: 'isDecision', target: 'live', actions: decides },
          { actions: hears },
        ],
        'resource.missing': 'gone',
        'resource.unpark': { actions: refuses('it is deleted') },
      },
    },
    gone: {
      description: 'Nothing of it is left.',
      entry: 'forget',
      on: { '*': {} },
    },
  },
});
