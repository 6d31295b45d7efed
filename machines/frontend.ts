/**
 * Frontend: decides what one VIP should look like, and tells lbsync.
 *
 * Input:  its spec, its members' levels, verdicts of their backends, VPP's reports, its address pool.
 * Output: `sendDesired` (protective: the whole VIP, whenever it differs from what was last sent),
 *         acknowledgements for members, a status for its owner, and `record` of what was decided.
 *
 *   idle --desired--> preparing --decision on disk, address known--> serving
 *   any --activated--> warming --all verdicts in, or the longest wait--> serving
 *   any --removed--> withdrawing --vip.gone--> releasing --pool.released--> removed
 *
 * Events only change the memory; `always` then says whatever is owed, so a level is told as often as it
 * changes and no more. Weights come from src/policy/frontend-weights.ts [FE-1]..[FE-9].
 *
 * Rules: [FE-10] a change of spec reaches VPP only when it is on disk, a verdict at once; [FE-12] after a
 * restart nothing is sent until every member has a verdict or the longest wait is over; [FE-14] a
 * removed frontend forgets itself only when VPP and its pool have let go; [FE-15] a member of a
 * frontend nobody wants is let go at once.
 */
import { newFrontend } from './frontend-memory.js';
import { adopts, frontendSetup, says } from './frontend-setup.js';

export const frontendMachine = frontendSetup.createMachine({
  id: 'frontend',
  description: 'Turns pools, levels and verdicts into the weights of one VIP.',
  context: ({ input }) => newFrontend(input.address),
  initial: 'idle',
  on: {
    'frontend.desired': [{ guard: 'isNews', actions: adopts }, { actions: 'claim' }],
    'frontend.removed': {
      target: '.withdrawing',
      actions: ['numberWithdrawal', says.removed, says.withdraw],
    },
    'backend.verdict': { actions: 'takeVerdict' },
    'member.level': [
      { guard: 'isMemberNews', actions: ['takeLevel', says.member, says.askMember] },
      { actions: 'takeLevel' },
    ],
    'vip.applied': { actions: 'takeReport' },
    activated: { actions: 'takeOverrides' },
    'override.level': { actions: 'takeOverrides' },
    'announce.status': { actions: 'takeWorld' },
    'announce.asked': { actions: says.announceStanding },
    'node.level': { actions: 'takeWorld' },
    'operator.weight': [{ guard: 'mayOrder', actions: says.weight }, { actions: says.noWeight }],
    'frontend.outlook': { actions: says.outlook },
  },
  states: {
    idle: {
      description: 'Addressed, but nobody has wanted it yet.',
      on: {
        'frontend.desired': { target: 'preparing', actions: adopts },
        'frontend.removed': 'removed',
        'member.level': { actions: says.letGo },
        'backend.verdict': {},
        'vip.applied': {},
        'lbsync.hello': {},
        'announce.asked': {},
      },
    },
    preparing: {
      description: 'Until the decision is on disk and the VIP has an address.',
      initial: 'committing',
      on: {
        activated: { target: 'preparing', reenter: true, actions: ['awaken', says.askAll] },
        'frontend.decided': {
          guard: 'isLatest',
          target: '.committing',
          actions: ['settle', says.askAll, says.yields],
        },
        'lbsync.hello': { actions: says.awaited },
      },
      always: { guard: 'owesStatus', actions: [says.status, 'noteStatus'] },
      states: {
        committing: {
          description: 'Until `frontend.decided` comes back from the store.',
          always: [
            { guard: 'hasSurplus', actions: [says.release, 'dropAddress'] },
            { guard: 'isReady', target: '#frontend.serving' },
            { guard: 'lacksAddress', target: 'allocating' },
          ],
        },
        allocating: {
          description: 'Asking its pool for an address; asked again until it has one.',
          entry: says.allocate,
          after: { retryDue: { target: 'allocating', reenter: true } },
          on: {
            'pool.allocated': {
              guard: 'isWantedPool',
              target: 'committing',
              actions: ['takeAddress', says.desired, says.confirm],
            },
            'pool.exhausted': { actions: 'noteProblem' },
          },
        },
      },
    },
    warming: {
      description: 'Restored: members keep what they have until their verdicts are in.',
      entry: [says.awaited, says.askAll],
      after: { startupMaxDelay: 'serving' },
      always: [
        { guard: 'allKnown', target: 'serving' },
        { guard: 'owesDrain', actions: [says.announce, 'noteAnnounce'] },
      ],
      on: {
        activated: { target: 'warming', reenter: true, actions: 'awaken' },
        'frontend.decided': { guard: 'isLatest', actions: ['settle', says.askAll, says.yields] },
        'lbsync.hello': { actions: says.awaited },
      },
    },
    serving: {
      description: 'Says what is owed after every event.',
      entry: 'weigh',
      after: {
        resyncDue: {
          target: 'serving',
          reenter: true,
          actions: ['sayAgain', says.askUnknown, says.announceAgain],
        },
      },
      always: [
        { guard: 'hasSurplus', actions: [says.release, 'dropAddress'] },
        { guard: 'lacksAddress', target: 'preparing' },
        { guard: 'owesDesired', actions: [says.vip, 'noteSent'] },
        { guard: 'owesAnnounce', actions: [says.announce, 'noteAnnounce'] },
        { guard: 'owesRecord', actions: [says.turn, 'noteRecorded'] },
        { guard: 'owesSync', actions: [says.sync, 'noteSync'] },
        { guard: 'owesAcks', actions: [says.acks, 'noteAcks'] },
        { guard: 'hasGone', actions: 'dropGone' },
        { guard: 'owesStatus', actions: [says.status, 'noteStatus'] },
      ],
      on: {
        activated: { target: 'warming', actions: 'awaken' },
        'frontend.decided': {
          guard: 'isLatest',
          actions: ['settle', 'weigh', says.askAll, says.yields],
        },
        'backend.verdict': { actions: ['takeVerdict', 'weigh'] },
        'member.level': [
          {
            guard: 'isMemberNews',
            actions: ['takeLevel', 'weigh', says.member, says.askMember],
          },
          { actions: ['takeLevel', 'weigh'] },
        ],
        'vip.applied': { actions: ['takeReport', 'weigh'] },
        'override.level': { actions: ['takeOverrides', 'weigh'] },
        'lbsync.hello': { actions: 'sayAgain' },
      },
      type: 'parallel',
      states: {
        pool: {
          description: 'Which pool carries the traffic.',
          initial: 'settled',
          states: {
            settled: {
              description: 'The active pool is the one that should be.',
              always: { guard: 'hasContender', target: 'contending' },
            },
            contending: {
              description: 'A higher pool is back, and has to stand for a while.',
              always: { guard: 'hasNoContender', target: 'settled' },
              after: { failBackDue: { target: 'contending', reenter: true, actions: 'weigh' } },
            },
          },
        },
        start: {
          description: 'Whether members climb to their weight.',
          initial: 'level',
          states: {
            level: {
              description: 'Everybody has what they should.',
              always: { guard: 'climbs', target: 'climbing' },
            },
            climbing: {
              description: 'Somebody came up, and gets more from time to time.',
              always: { guard: 'climbsNoMore', target: 'level' },
              after: { climbDue: { target: 'climbing', reenter: true, actions: 'weigh' } },
            },
          },
        },
      },
    },
    withdrawing: {
      description: 'The VIP is on its way out of VPP.',
      entry: [says.farewell, 'noteFarewell'],
      after: {
        retryDue: { target: 'withdrawing', reenter: true, actions: says.withdrawAgain },
      },
      always: [
        { guard: 'owesAcks', actions: [says.acks, 'noteAcks'] },
        { guard: 'hasGone', actions: 'dropGone' },
      ],
      on: {
        activated: {
          target: 'withdrawing',
          reenter: true,
          actions: ['awaken', says.withdrawAgain],
        },
        'frontend.removed': {},
        'frontend.desired': { target: 'preparing', actions: adopts },
        'vip.gone': { guard: 'isOwnWithdrawal', target: 'releasing', actions: 'noteGone' },
        'lbsync.hello': { actions: says.withdrawAgain },
      },
    },
    releasing: {
      description: 'Gives its address back, if it had one of a pool.',
      always: [
        { guard: 'owesAcks', actions: [says.acks, 'noteAcks'] },
        { guard: 'hasGone', actions: 'dropGone' },
      ],
      initial: 'choosing',
      states: {
        choosing: {
          description: 'Passed through: is there an address to give back?',
          always: [{ guard: 'holdsAddress', target: 'asking' }, { target: '#frontend.removed' }],
        },
        asking: {
          description: 'Until the pool has taken it back.',
          entry: says.release,
          after: { retryDue: { target: 'asking', reenter: true } },
        },
      },
      on: {
        activated: { target: 'releasing', reenter: true, actions: ['awaken', 'noteGone'] },
        'frontend.removed': {},
        'frontend.desired': { target: 'preparing', actions: ['dropAddress', ...adopts] },
        'pool.released': { guard: 'isOwnPool', target: 'removed' },
      },
    },
    removed: {
      description: 'Nothing of it is left.',
      entry: [says.gone, says.dismissal, 'forget'],
      on: { '*': {} },
    },
  },
});
