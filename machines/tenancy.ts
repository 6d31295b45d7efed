/**
 * Tenancy: the conversation with the tenant manager. Asks for events, carries each to the lane of its
 * resource, and knows up to where all are accepted.
 *
 * Input:  settings, answers of the tenant manager, acceptances of lanes.
 * Output: questions for the tenant manager, events and settings for lanes, records.
 *
 *   idle ─► active { events: replaying ─► following (one page after the other)
 *                    belt:   carrying (a bounded number of events at once)
 *                    resync: waiting ↺ }
 *
 * Rules: [TE-1] the cursor passes an event when what follows from it is on disk; [TE-4] what a replay
 * does not mention is deleted here, through undo window and shrink guard; [TE-12] a replay of an unchanged
 * inventory records nothing; [TE-13] nobody is deleted because the tenant manager is silent, and the
 * fleet hears of its silence once; [TE-14] a full page is followed at once, a failed question after a
 * growing wait; [TE-15] after a restart every lane is told the settings; [TE-50] a lane that does not
 * answer holds up no other; [TE-51] in strict order the first that cannot be accepted holds up all;
 * [TE-53] ids that were passed over are read again; [TE-54] a tenant manager that lost what it told, or
 * was away for longer than events are kept, is asked for a replay.
 */
import { newTenancy } from './tenancy-memory.js';
import {
  answersSettings,
  asksPage,
  asksReplay,
  asksRest,
  journals,
  publishes,
  recordsCarried,
  tellsLine,
  tellsNews,
  tellsSettings,
  tellsUnanswered,
  tenancySetup,
} from './tenancy-setup.js';

const { createStateConfig } = tenancySetup;

const replaying = createStateConfig({
  description: 'Asks for everything there is, until it is told.',
  after: {
    replayDue: [
      { guard: 'isBusy', target: 'replaying', reenter: true },
      { target: 'replaying', reenter: true, actions: asksReplay },
    ],
  },
  on: {
    'answer.read': {
      guard: 'isReplay',
      target: 'following',
      actions: ['noteSuccess', 'noteReplay', 'noteCursor', tellsLine],
    },
    'answer.failed': {
      target: 'replaying',
      reenter: true,
      actions: ['noteFailure', tellsLine],
    },
  },
});

const following = createStateConfig({
  description: 'Asks for what is new, page by page.',
  always: { guard: 'wantsMore', target: 'following', reenter: true, actions: asksPage },
  after: {
    pollDue: [
      { guard: 'isBusy', target: 'following', reenter: true },
      { target: 'following', reenter: true, actions: asksPage },
    ],
  },
  on: {
    'answer.read': [
      {
        guard: 'isDoubtful',
        target: 'replaying',
        actions: [
          'noteSuccess',
          journals('tenancy.replay_needed', 'TE-54'),
          tellsLine,
          ...asksReplay,
        ],
      },
      { guard: 'isAhead', actions: ['noteSuccess', tellsLine] },
      { actions: ['notePage', 'noteSuccess', 'noteCursor', tellsLine] },
    ],
    'answer.failed': {
      target: 'following',
      reenter: true,
      actions: ['noteFailure', tellsLine],
    },
  },
});

const events = createStateConfig({
  description: 'What the tenant manager has to say.',
  initial: 'replaying',
  on: {
    activated: {
      target: '.replaying',
      reenter: true,
      actions: ['wakeUp', tellsSettings, tellsLine, ...asksReplay],
    },
  },
  states: { replaying, following },
});

const belt = createStateConfig({
  description: 'Events on their way to the lanes of their resources.',
  initial: 'carrying',
  states: {
    carrying: {
      description: 'As many at once as there are places.',
      always: [
        { guard: 'wantsRest', actions: asksRest },
        { guard: 'hasRoom', actions: tellsNews },
        { guard: 'owesNoRecord', actions: 'noteCarried' },
        { guard: 'owesRecord', actions: ['noteCarried', recordsCarried] },
      ],
      on: {
        'answer.continued': { guard: 'isNextPart', actions: ['notePart', 'noteCursor'] },
        'resource.accepted': [
          {
            guard: 'isBlocking',
            actions: ['noteBlocked', journals('tenancy.blocked', 'TE-51')],
          },
          { guard: 'isCurrent', actions: ['noteAccepted', 'noteCursor'] },
        ],
      },
    },
  },
});

const resync = createStateConfig({
  description: 'Nothing depends on a message to a lane having arrived.',
  initial: 'waiting',
  states: {
    waiting: {
      description: 'Until lanes that have not answered are told once more.',
      after: {
        resyncDue: { target: 'waiting', reenter: true, actions: ['noteRestLost', tellsUnanswered] },
      },
    },
  },
});

const active = createStateConfig({
  description: 'The configuration names a tenant manager.',
  type: 'parallel',
  always: [
    { guard: 'owesTrouble', actions: ['noteTroubleTold', publishes('tenancy.degraded', 'TE-13')] },
    {
      guard: 'owesRecovery',
      actions: ['noteTroubleTold', publishes('tenancy.recovered', 'TE-13')],
    },
  ],
  on: {
    'tenancy.settings': {
      guard: 'isNews',
      actions: [
        'noteSettings',
        journals('tenancy.settings_changed', 'TE-5'),
        tellsSettings,
        tellsLine,
      ],
    },
    'tenancy.unconfigured': 'idle',
    'resource.waits': { actions: answersSettings },
  },
  states: { events, belt, resync },
});

export const tenancyMachine = tenancySetup.createMachine({
  id: 'tenancy',
  description: 'Follows the tenant manager: every event reaches the lane of its resource.',
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
            tellsSettings,
            tellsLine,
            ...asksReplay,
          ],
        },
      },
    },
    active,
  },
});
