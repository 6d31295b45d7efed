/**
 * Group: keeps as many members as its tenant or an operator wants, and replaces those that should go.
 *
 * Input:  the intent, members' reports, an operator's size, time. Output: new instances, drains,
 *         records, its status.
 *
 *   unknown ─► active ⇄ removing ─► removed
 *
 *   active { creates: open ⇄ backingOff,  resync: waiting ↺ }
 *
 * Every event is followed by the same question, "what is the next step from these members to the wanted
 * ones?", until there is none: which event it was does not matter, and a lost one is made good by the
 * next or by the resync.
 *
 * Rules: [GR-2]..[GR-9] [GR-20]..[GR-25] the steps, src/policy; [GR-26]..[GR-28] instances on demand,
 * src/policy/on-demand.ts; [GR-29] while its tenant sleeps a group wants nobody, and its size stands; [GR-10] [GR-11] the books, group-memory.ts; [GR-12]
 * [GR-13] group-steps.ts; [GR-32] group-reached.ts; [GR-14] nothing is created before the intent is known; [GR-15] an older intent
 * changes nothing; [GR-16] a failed create is tried again only after its back-off, which survives
 * restarts; [SG-4] [SG-5] group-shrink.ts; [GR-17] an operator's size is durable before it is answered, and refused beyond
 * `maxSize`; [GR-18] a removed group is forgotten when its last member is gone, and not before.
 */
import { and, not, stateIn } from 'xstate';
import { newGroup } from './group-memory.js';
import {
  answersCreated,
  answersDeleted,
  asksToDelete,
  createsOnDemand,
  deletesOnDemand,
  lets,
  refusesOnDemand,
} from './group-on-demand-words.js';
import { recordsReached } from './group-reached.js';
import {
  asksMembers,
  asksOutdated,
  creates,
  dismissesAll,
  dismissesOverrides,
  drains,
  drainsAgain,
  drainsAll,
  explains,
  forwardsRequest,
  goesOn,
  groupSetup,
  journals,
  knowsNothing,
  ordersSize,
  publishes,
  recordsDrain,
  recordsRequest,
  refuses,
  reports,
  reportsRemoved,
  tellsGuard,
  yields,
} from './group-setup.js';

const { createStateConfig } = groupSetup;

/** At every interval: repeat drains nobody reacted to, tell the intent again, hear how all are. */
const resync = createStateConfig({
  description: 'Nothing depends on a message having arrived.',
  initial: 'waiting',
  states: {
    waiting: {
      description: 'Until everybody is told once more.',
      after: {
        resync: [
          {
            guard: 'isUnheard',
            target: 'waiting',
            reenter: true,
            actions: [
              journals('group.drain_repeated', 'GR-10'),
              drainsAgain,
              asksMembers,
              'forgetGuardTold',
            ],
          },
          { target: 'waiting', reenter: true, actions: [asksMembers, 'forgetGuardTold'] },
        ],
      },
    },
  },
});

const unknown = createStateConfig({
  description: 'Addressed, but not yet told what to be.',
  on: {
    'group.desired': {
      target: 'active',
      actions: ['noteSpec', publishes('group.desired_changed', 'GR-14')],
    },
    'group.removed': { target: 'removing', actions: 'noteRemoval' },
    'instance.forgotten': [
      { guard: 'isLastMember', target: 'removed', actions: 'noteForgotten' },
      { actions: 'noteForgotten' },
    ],
    'operator.scale': { actions: knowsNothing },
    'operator.createInstance': { actions: knowsNothing },
    'operator.deleteInstance': { actions: knowsNothing },
    'operator.whyNot': { actions: knowsNothing },
  },
});

/** While nobody has to be asked: the group goes, or it was let go before. */
const deletion = [
  {
    guard: 'isManaged',
    actions: refuses('GR-27', 'not an instance on demand: drain it, or scale'),
  },
  { guard: 'mustBeTold', actions: deletesOnDemand },
  { actions: answersDeleted },
] as const;

const guardedDeletion = [
  deletion[0],
  { guard: and(['mustBeTold', 'isForcedAgain']), actions: deletesOnDemand },
  { guard: and(['mustBeTold', not('isAwaited')]), actions: asksToDelete },
  { actions: answersDeleted },
] as const;

const active = createStateConfig({
  description: 'Its members are on their way to what is wanted.',
  type: 'parallel',
  always: [
    {
      guard: 'wishArises',
      actions: ['moveFloor', journals('group.shrink_wished', 'SG-4')],
    },
    { guard: 'floorMoves', actions: 'moveFloor' },
    {
      guard: 'breakerMoves',
      actions: ['moveBreaker', publishes('group.breaker_changed', 'GR-23')],
    },
    { guard: 'mustDrain', actions: [recordsDrain, drains, 'takeStep', goesOn] },
    {
      guard: and(['mustCreate', stateIn('#group.active.creates.open')]),
      actions: [recordsRequest, creates, 'takeStep', goesOn],
    },
    {
      guard: 'waitChanges',
      actions: ['noteWait', journals('group.replacement_waits', 'GR-20')],
    },
    { guard: 'isReached', actions: [recordsReached, 'noteReached'] },
  ],
  on: {
    activated: { actions: ['recount', 'forgetGuardTold', reports, asksOutdated] },
    'group.desired': [
      { guard: 'isOlderIntent' },
      {
        guard: 'isUntried',
        target: '.creates.open',
        actions: [
          'clearTrouble',
          'noteSpec',
          publishes('group.desired_changed', 'GR-31'),
          asksMembers,
          reports,
          yields,
        ],
      },
      {
        guard: 'isNewIntent',
        actions: [
          'noteSpec',
          publishes('group.desired_changed', 'GR-15'),
          asksMembers,
          reports,
          yields,
        ],
      },
      { actions: ['noteSpec', reports, yields] },
    ],
    'override.level': { actions: ['takeOverrides', reports] },
    'group.removed': [
      { guard: 'costsNobody', target: 'removing', actions: 'noteRemoval' },
      { guard: 'isRemovalHeld' },
      { actions: ['wishRemoval', journals('group.shrink_wished', 'SG-4')] },
    ],
    'guard.granted': [
      {
        guard: and(['isGranted', 'isRemovalHeld']),
        target: 'removing',
        actions: 'takeRemovalGrant',
      },
      { guard: 'isGranted', actions: 'takeGrant' },
      { guard: 'isDeparture', actions: lets },
    ],
    'operator.scale': [
      { guard: 'isAllowedSize', actions: ordersSize },
      { actions: refuses('GR-17', 'the size must be a whole number from 0 to maxSize') },
    ],
    'operator.createInstance': [
      { guard: 'isKnownKey', actions: answersCreated },
      { guard: 'mayCreateOnDemand', actions: createsOnDemand },
      { actions: refusesOnDemand },
    ],
    'operator.deleteInstance': guardedDeletion,
    'operator.whyNot': { actions: explains },
  },
  states: {
    creates: {
      description: 'Whether missing members may be created now.',
      initial: 'open',
      always: {
        guard: 'isTroubleOver',
        target: '.open',
        actions: ['clearTrouble', publishes('group.create_recovered', 'GR-9')],
      },
      on: {
        'instance.changed': [
          {
            guard: 'tellsOfFailure',
            target: '.backingOff',
            reenter: true,
            actions: ['noteCreateFailure', 'noteMember', publishes('group.create_failed', 'GR-11')],
          },
          {
            guard: 'tellsOfSuccess',
            target: '.open',
            actions: ['clearTrouble', 'noteMember', publishes('group.create_recovered', 'GR-9')],
          },
        ],
      },
      states: {
        open: { description: 'Missing members are created.' },
        backingOff: {
          description: 'A create failed; the next one waits.',
          after: { createBackoff: 'open' },
        },
      },
    },
    resync,
  },
});

const removing = createStateConfig({
  description: 'Every member is told to leave; stays until the last one is gone.',
  initial: 'waiting',
  entry: [publishes('group.removing', 'GR-18'), drainsAll, reports],
  always: {
    guard: 'isEmpty',
    target: 'removed',
    actions: [
      publishes('group.removed', 'GR-18'),
      dismissesAll,
      dismissesOverrides,
      reportsRemoved,
    ],
  },
  on: {
    activated: { actions: ['recount', reports, asksOutdated] },
    'group.desired': [
      { guard: 'isOlderIntent' },
      {
        target: 'active',
        actions: ['noteSpec', publishes('group.desired_changed', 'GR-15'), asksMembers],
      },
    ],
    'operator.scale': { actions: refuses('GR-18', 'this group is being removed') },
    'operator.createInstance': { actions: refuses('GR-18', 'this group is being removed') },
    'operator.deleteInstance': deletion,
    'operator.whyNot': { actions: explains },
  },
  states: {
    waiting: {
      description: 'For the last member; all are told again meanwhile.',
      after: {
        resync: {
          target: 'waiting',
          reenter: true,
          actions: [journals('group.drain_repeated', 'GR-18'), drainsAll, asksMembers],
        },
      },
    },
  },
});

export const groupMachine = groupSetup.createMachine({
  id: 'group',
  description: 'Keeps a group of instances at its wanted size.',
  context: ({ input }) => newGroup(input.address),
  initial: 'unknown',
  always: [
    { guard: 'isNews', actions: ['noteTold', reports] },
    { guard: 'isGuardNews', actions: [tellsGuard, 'noteGuardTold'] },
  ],
  on: {
    activated: { actions: ['recount', 'forgetGuardTold'] },
    'instance.changed': { actions: 'noteMember' },
    'instance.forgotten': { actions: 'noteForgotten' },
    'override.level': { actions: 'takeOverrides' },
    'publish.request': { actions: forwardsRequest },
    'group.goOn': {},
  },
  states: {
    unknown,
    active,
    removing,
    removed: { description: 'Gone; nobody is left to talk to.', entry: 'forget', on: { '*': {} } },
  },
});
