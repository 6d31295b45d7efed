/**
 * Tenancy: follows the tenant manager's events, makes a tenant of each project and org, and reports how
 * far each one is.
 *
 * Input:  settings, answers of the tenant manager, statuses of tenants.
 * Output: questions and statuses for the tenant manager, intents for tenants, records.
 *
 *   idle ─► active { events:   replaying ─► following (one page after the other)
 *                    statuses: quiet ─► pushing ─► resting
 *                    resync:   waiting ↺ }
 *
 * Rules: [TE-1] the cursor and what follows from the events up to it are one decision: nothing is skipped
 * by a crash; [TE-2]..[TE-5] [TE-10] src/policy/tenancy.ts; [TE-6]..[TE-9] src/policy/tenancy-resource.ts;
 * [TE-11] a status that fails delays itself only; [TE-12] a replay of an unchanged inventory records
 * and tells nothing; [TE-13] nobody is deleted because the tenant manager is silent, and the fleet
 * hears of its silence once; [TE-14] a full page is followed at once, a failed question after a growing
 * wait; [TE-15] after a restart every tenant is told again what is wanted of it.
 */
import { newTenancy } from './tenancy-memory.js';
import {
  asksPage,
  asksReplay,
  journals,
  publishes,
  pushes,
  repeatsAll,
  repeatsUnsettled,
  tellsChanged,
  tenancySetup,
} from './tenancy-setup.js';

const { createStateConfig } = tenancySetup;

const replaying = createStateConfig({
  description: 'Asks for everything there is, until it is told.',
  after: {
    replayDue: [
      { guard: 'isAsking', target: 'replaying', reenter: true },
      { target: 'replaying', reenter: true, actions: asksReplay },
    ],
  },
  on: {
    'answer.read': [
      {
        guard: 'isChanging',
        target: 'following',
        actions: ['noteSuccess', 'noteAnswer', publishes('tenancy.replayed', 'TE-1'), tellsChanged],
      },
      { target: 'following', actions: ['noteSuccess', 'noteAnswer'] },
    ],
    'answer.failed': { target: 'replaying', reenter: true, actions: 'noteFailure' },
  },
});

const takesPage = [
  'noteSuccess',
  'noteAnswer',
  journals('tenancy.page_accepted', 'TE-1'),
  tellsChanged,
] as const;

const following = createStateConfig({
  description: 'Asks for what is new, page by page.',
  after: {
    pollDue: [
      { guard: 'isAsking', target: 'following', reenter: true },
      { target: 'following', reenter: true, actions: asksPage },
    ],
  },
  on: {
    'answer.read': [
      { guard: 'isBackwards', target: 'replaying', actions: ['noteSuccess', ...asksReplay] },
      { guard: 'isEmptyPage', actions: 'noteSuccess' },
      {
        guard: 'isFull',
        target: 'following',
        reenter: true,
        actions: [...takesPage, ...asksPage],
      },
      { actions: takesPage },
    ],
    'answer.failed': { target: 'following', reenter: true, actions: 'noteFailure' },
  },
});

const events = createStateConfig({
  description: 'What the tenant manager has to say.',
  initial: 'replaying',
  on: {
    activated: {
      target: '.replaying',
      reenter: true,
      actions: ['wakeUp', repeatsAll, ...asksReplay],
    },
  },
  states: { replaying, following },
});

const statuses = createStateConfig({
  description: 'What the tenant manager has yet to be told.',
  initial: 'quiet',
  states: {
    quiet: {
      description: 'The tenant manager knows all there is to know.',
      always: { guard: 'owesReport', target: 'pushing' },
    },
    pushing: {
      description: 'One batch of statuses is out; an outcome always comes.',
      entry: pushes,
      on: {
        activated: { target: 'pushing', reenter: true },
        'statuses.pushed': [
          {
            guard: 'isAllAcknowledged',
            target: 'quiet',
            actions: ['noteResults', journals('tenancy.statuses_acknowledged', 'TE-8')],
          },
          {
            target: 'resting',
            actions: ['noteResults', journals('tenancy.statuses_failed', 'TE-11')],
          },
        ],
      },
    },
    resting: {
      description: 'What failed waits; what has not been tried does not.',
      always: { guard: 'owesFresh', target: 'pushing' },
      after: { statusDue: 'quiet' },
      on: { activated: 'quiet' },
    },
  },
});

const resync = createStateConfig({
  description: 'Nothing depends on a message to a tenant having arrived.',
  initial: 'waiting',
  states: {
    waiting: {
      description: 'Until unsettled tenants are told once more.',
      after: {
        resyncDue: { target: 'waiting', reenter: true, actions: repeatsUnsettled },
      },
    },
  },
});

const active = createStateConfig({
  description: 'The configuration names a tenant manager.',
  type: 'parallel',
  always: [
    {
      guard: 'owesParked',
      actions: ['noteParked', publishes('tenancy.event_parked', 'TE-5')],
    },
    {
      guard: 'owesUnparked',
      actions: ['noteParked', publishes('tenancy.event_unparked', 'TE-5')],
    },
    { guard: 'owesTrouble', actions: ['noteTroubleTold', publishes('tenancy.degraded', 'TE-13')] },
    {
      guard: 'owesRecovery',
      actions: ['noteTroubleTold', publishes('tenancy.recovered', 'TE-13')],
    },
  ],
  on: {
    'tenancy.settings': {
      guard: 'isNews',
      actions: ['noteSettings', journals('tenancy.settings_changed', 'TE-5'), tellsChanged],
    },
    'tenancy.unconfigured': 'idle',
    'tenant.status': { actions: 'noteTenant' },
  },
  states: { events, statuses, resync },
});

export const tenancyMachine = tenancySetup.createMachine({
  id: 'tenancy',
  description: 'Makes tenants of projects and orgs, and reports how far they are.',
  context: () => newTenancy(),
  initial: 'idle',
  states: {
    idle: {
      description: 'No tenant manager is configured; tenants stay as they are.',
      on: {
        'tenancy.settings': {
          target: 'active',
          actions: [
            'wakeUp',
            'noteSettings',
            journals('tenancy.settings_changed', 'TE-5'),
            tellsChanged,
            ...asksReplay,
          ],
        },
        'tenant.status': { actions: 'noteTenant' },
      },
    },
    active,
  },
});
