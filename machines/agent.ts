/**
 * Agent: what the agent on one instance is worth, and what its silence means.
 *
 * Input:  its reports and the end of their stream, its instance's intent, the provider's answers, time.
 * Output: a verdict to the instance whenever it changes, termination notices, polls of the provider, a death.
 *
 *   hearing   unheard ─► registered ─► healthy ⇄ unhealthy        silent: `missedReports` intervals without one
 *   stream    quiet ──it ends──► polling { asking ⇄ pausing } ──a report, a death, or nine polls──► quiet
 *
 * Nothing of this is stored: after a restart an agent is unheard, and its silence counts from then.
 *
 * Rules: [AG-1] reports are ordered by (boot, seq), and what comes late or twice changes nothing; [AG-2] silence is
 * a verdict only after `missedReports` whole intervals, counted from the last report or from the start of this
 * life; [AG-3] when a stream ends the provider is asked at once and then after 3 s, 6 s … 30 s, nine times, until a
 * report comes; [AG-4] only its positive word, terminal or unknown, is a death: a poll that fails or hangs is on
 * record and changes nothing; [AG-5] a notice is passed on at once, once for each report that carries it.
 */
import { and, assign, setup } from 'xstate';
import { backoffMs } from '../src/policy/backoff.js';
import type {
  AgentMessage,
  AgentReport,
  AgentSpec,
  AgentState,
  AgentVerdict,
  TerminationNotice,
} from './model/agent.js';
import { assert } from './model/assert.js';
import type { RetrySpec } from './model/desired.js';
import { type Activated, effect, type RecordParams, type Stamped } from './model/effects.js';
import { type Address, addressOf, type InstanceId, keyOf } from './model/ids.js';

export type AgentEvent = Stamped<AgentMessage> | Stamped<Activated>;

export interface AgentMemory {
  readonly id: InstanceId;
  readonly spec: AgentSpec | null;
  readonly verdict: AgentVerdict;
  /** What its instance was last told. */
  readonly told: AgentState;
  /** Of the newest report. */
  readonly boot: number;
  readonly seq: number;
  /** When silence began to count. */
  readonly heardAtMs: number;
  /** Made since the stream ended. */
  readonly polls: number;
  readonly problem: string | null;
}

interface Args {
  readonly context: AgentMemory;
  readonly event: AgentEvent;
}

/** The provider is asked so often before silence alone has to decide. */
const POLLS: RetrySpec = { baseMs: 3_000, maxMs: 30_000, attempts: 8, jitter: 0.25 };
const POLL_ANSWER_MS = 5_000;
/** Nobody has said yet how often it should report. */
const SILENCE_UNKNOWN_MS = 180_000;

type EventOf<T extends AgentEvent['type']> = Extract<AgentEvent, { readonly type: T }>;

function as<T extends AgentEvent['type']>(event: AgentEvent, type: T): EventOf<T> {
  assert(event.type === type, `${event.type} is not ${type}`);
  return event as EventOf<T>;
}

export function newAgent(address: Address): AgentMemory {
  const verdict: AgentVerdict = { state: 'unheard', sinceMs: 0, detail: '' };
  const id = keyOf(address) as InstanceId;
  const told = verdict.state;
  return { id, spec: null, verdict, told, boot: 0, seq: -1, heardAtMs: 0, polls: 0, problem: null };
}

function judged(
  { verdict }: AgentMemory,
  state: AgentState,
  { at, detail }: { readonly at: number; readonly detail: string },
): Pick<AgentMemory, 'verdict'> {
  const sinceMs = verdict.state === state ? verdict.sinceMs : at;
  return { verdict: { state, sinceMs, detail } };
}

export interface VerdictParams {
  readonly id: InstanceId;
  readonly verdict: AgentVerdict;
  readonly known: boolean;
}

export interface PollParams {
  readonly to: Address;
  readonly providerId: string;
}

export interface NoticeParams {
  readonly id: InstanceId;
  readonly notice: TerminationNotice;
}

export interface DeathParams {
  readonly id: InstanceId;
  readonly providerId: string;
  readonly detail: string;
}

const tells = {
  type: 'tellVerdict',
  params: ({ context: { id, verdict, spec } }: Args) => ({ id, verdict, known: spec !== null }),
} as const;

const polls = {
  type: 'pollProvider',
  params: ({ context: { spec } }: Args): PollParams => {
    assert(spec !== null, 'a poll needs somebody to ask for');
    return { to: addressOf('provider', spec.provider), providerId: spec.providerId };
  },
} as const;

const tellsNotice = {
  type: 'tellNotice',
  params: ({ context: { id }, event }: Args): NoticeParams => {
    const { notice } = as(event, 'agent.reported').report;
    assert(notice !== undefined, 'a report with a notice');
    return { id, notice };
  },
} as const;

const tellsDeath = {
  type: 'tellDeath',
  params: ({ context: { id }, event }: Args): DeathParams => {
    const { providerId, state } = as(event, 'provider.status');
    const known = state === 'gone' ? 'the provider does not know it' : 'the provider says terminal';
    return { id, providerId, detail: `${known}, asked after its agent went silent` };
  },
} as const;

const records = (event: string, rule: string) =>
  ({
    type: 'record',
    params: ({ context: { polls: count, problem, verdict } }: Args): RecordParams => ({
      event,
      rule,
      numbers: { agent: verdict.state, polls: count, ...(problem === null ? {} : { problem }) },
    }),
  }) as const;

function isNews({ boot, seq }: AgentMemory, report: AgentReport): boolean {
  return report.boot > boot || (report.boot === boot && report.seq > seq);
}

const agentSetup = setup({
  types: {
    context: {} as AgentMemory,
    events: {} as AgentEvent,
    input: {} as { readonly address: Address },
  },
  actions: {
    noteSpec: assign(({ event }) => ({ spec: as(event, 'agent.desired').spec })),
    noteStart: assign(({ event }) => ({ heardAtMs: event.meta.at })),
    noteRegistration: assign(({ context, event }) =>
      judged(context, 'registered', { at: event.meta.at, detail: '' }),
    ),
    noteReport: assign(({ context, event }) => {
      const { boot, seq, healthy, detail } = as(event, 'agent.reported').report;
      const { at } = event.meta;
      const said = judged(context, healthy ? 'healthy' : 'unhealthy', { at, detail });
      return { ...said, boot, seq, heardAtMs: at };
    }),
    noteSilence: assign(({ context, event }) =>
      judged(context, 'silent', { at: event.meta.at, detail: 'its reports stay away' }),
    ),
    notePoll: assign(({ context }) => ({ polls: context.polls + 1, problem: null })),
    noteFailure: assign(({ event }) => {
      if (event.type !== 'provider.statusFailed') return { problem: 'the provider did not answer' };
      const { code, message } = event.failure;
      return { problem: `${code}: ${message}` };
    }),
    noteTold: assign(({ context }) => ({ told: context.verdict.state })),
    forgetPolls: assign({ polls: 0, problem: null }),

    tellVerdict: effect<VerdictParams>(),
    tellNotice: effect<NoticeParams>(),
    tellDeath: effect<DeathParams>(),
    pollProvider: effect<PollParams>(),
    record: effect<RecordParams>(),
    forget: effect<undefined>(),
  },
  guards: {
    isUntold: ({ context }) => context.verdict.state !== context.told,
    isNews: ({ context, event }) => isNews(context, as(event, 'agent.reported').report),
    isNewsWithNotice: ({ context, event }) => {
      const { report } = as(event, 'agent.reported');
      return report.notice !== undefined && isNews(context, report);
    },
    /** Of the stream that is the newest, and not the end of one that was replaced. */
    isNewest: ({ context, event }) =>
      as(event, 'agent.closed').boot >= context.boot && context.spec !== null,
    isUnheard: ({ context }) => ['unheard', 'silent'].includes(context.verdict.state),
    isAlive: ({ event }) => as(event, 'provider.status').state === 'running',
    mayPoll: ({ context }) => context.polls <= POLLS.attempts,
    isMine: ({ context, event }) =>
      'providerId' in event && event.providerId === context.spec?.providerId,
  },
  delays: {
    silence: ({ context, event }) => {
      const { spec, heardAtMs } = context;
      const allowedMs = spec === null ? SILENCE_UNKNOWN_MS : spec.intervalMs * spec.missedReports;
      return Math.max(0, heardAtMs + allowedMs - event.meta.at);
    },
    pollAnswer: POLL_ANSWER_MS,
    pollDue: ({ context, event }) => backoffMs(POLLS, context.polls, event.meta.random),
  },
});

const { createStateConfig } = agentSetup;

const fails = ['noteFailure', records('agent.status_unknown', 'AG-4')] as const;

const hearing = createStateConfig({
  description: 'What it says, and how long it has said nothing.',
  initial: 'fresh',
  on: {
    activated: { target: '.listening', actions: 'noteStart' },
    'agent.registered': { guard: 'isUnheard', target: '.listening', actions: 'noteRegistration' },
    'agent.reported': [
      {
        guard: 'isNewsWithNotice',
        target: '.listening',
        actions: ['noteReport', tellsNotice],
      },
      { guard: 'isNews', target: '.listening', actions: 'noteReport' },
    ],
  },
  states: {
    fresh: { description: 'Nobody has begun to listen.' },
    listening: {
      description: 'The next report is not overdue.',
      after: {
        silence: {
          target: 'silent',
          actions: ['noteSilence', records('agent.silent', 'AG-2')],
        },
      },
    },
    silent: { description: 'It has missed as many reports as it may.' },
  },
});

const stream = createStateConfig({
  description: 'Whether its stream of reports has ended, and what the provider says then.',
  initial: 'quiet',
  states: {
    quiet: {
      description: 'No reason to ask anybody.',
      on: { 'agent.closed': { guard: 'isNewest', target: 'polling' } },
    },
    polling: {
      description: 'Its stream ended: the provider is asked until it comes back.',
      initial: 'asking',
      exit: 'forgetPolls',
      on: { 'agent.reported': { guard: 'isNews', target: 'quiet' } },
      states: {
        asking: {
          description: 'One poll is out.',
          entry: ['notePoll', polls],
          on: {
            'provider.status': [
              { guard: and(['isMine', 'isAlive']), target: 'pausing' },
              {
                guard: 'isMine',
                target: '#agent.live.stream.quiet',
                actions: [records('agent.found_dead', 'AG-4'), tellsDeath],
              },
            ],
            'provider.statusFailed': { guard: 'isMine', target: 'pausing', actions: fails },
          },
          after: { pollAnswer: { target: 'pausing', actions: fails } },
        },
        pausing: {
          description: 'Until the provider is asked once more, or often enough.',
          after: {
            pollDue: [
              { guard: 'mayPoll', target: 'asking' },
              { target: '#agent.live.stream.quiet' },
            ],
          },
        },
      },
    },
  },
});

export const agentMachine = agentSetup.createMachine({
  id: 'agent',
  description: 'What the agent on one instance is worth, and what its silence means.',
  context: ({ input }) => newAgent(input.address),
  initial: 'live',
  states: {
    live: {
      description: 'Its instance may still hear of it.',
      type: 'parallel',
      always: { guard: 'isUntold', actions: ['noteTold', tells] },
      on: {
        'agent.desired': { actions: ['noteSpec', 'noteTold', tells] },
        'agent.removed': 'removed',
      },
      states: { hearing, stream },
    },
    removed: {
      description: 'Its instance is gone.',
      entry: 'forget',
      on: { '*': {} },
    },
  },
});
