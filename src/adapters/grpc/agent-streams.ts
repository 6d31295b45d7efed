/**
 * The streams of reports that are open: each is read, bounded, put in order against its rivals, and told on.
 *
 * Input:  messages of a stream, its end. Output: `agent.*` words to the actor of its agent, the end of
 *         streams that must not go on. The order of rivals is src/policy/agent-streams.ts.
 *
 * Rules: [ID-13] a stream that says more than its rate, or what is no report, is ended; [ID-14] the end of the
 * stream that is heard is told once, the end of any other never.
 */

import type { AgentMessage, AgentReport } from '../../../machines/model/agent.js';
import { addressOf, type InstanceId } from '../../../machines/model/ids.js';
import { type Heard, judgeReport } from '../../policy/agent-streams.js';
import { type Bucket, fullBucket, takePermit } from '../../policy/rate.js';
import type { Clock } from '../../ports/clock.js';
import type { Log } from '../../ports/log.js';
import type { NodeApi } from '../../ports/node-api.js';
import { AGENT_LIMITS } from './agent-limits.js';
import { type ReportIn, readReport } from './agent-report.js';
import { type CallRefusal, refusedWith } from './refusals.js';

export interface ReportStream {
  /** Undefined: go on. */
  take(message: ReportIn): CallRefusal | undefined;
  readonly summary: { readonly taken: number; readonly ignored: number };
  /** It is over, whoever ended it. */
  close(): void;
}

export interface AgentStreams {
  /** `end` is called when another stream takes this one's place. Undefined: too many are open. */
  open(instance: InstanceId, end: (why: CallRefusal) => void): ReportStream | undefined;
  /** Of the newest report, while its stream is open. */
  metricsOf(instance: string): Readonly<Record<string, number>> | undefined;
}

interface Desk {
  readonly ends: Map<number, (why: CallRefusal) => void>;
  heard: Heard | undefined;
  metrics: Readonly<Record<string, number>>;
}

const SUPERSEDED = refusedWith('ABORTED', 'ID-10: a newer stream of this agent is heard now');
const OLDER = refusedWith(
  'FAILED_PRECONDITION',
  'ID-11: an agent that started later is heard already: is its key elsewhere, or did the clock go back?',
);
const TOO_MUCH = refusedWith(
  'RESOURCE_EXHAUSTED',
  'ID-13: reports come too fast: one each second will do',
);

export function createAgentStreams(options: {
  readonly api: Pick<NodeApi, 'tell'>;
  readonly clock: Clock;
  readonly log: Log;
}): AgentStreams {
  const { api, clock, log } = options;
  const desks = new Map<string, Desk>();
  let streams = 0;

  const judged = (instance: InstanceId, desk: Desk, claim: Heard) => {
    const judgement = judgeReport(desk.heard, claim);
    if (judgement.kind === 'refused') {
      log.warn({ instance, boot: claim.boot, heard: desk.heard?.boot }, 'agent of an older start');
    }
    if (judgement.kind !== 'taken') return judgement.kind;
    desk.heard = judgement.heard;
    if (judgement.replaces !== undefined) desk.ends.get(judgement.replaces)?.(SUPERSEDED);
    return 'taken';
  };

  const tell = (instance: InstanceId, report: AgentReport): void => {
    const message: AgentMessage = { type: 'agent.reported', report };
    api.tell(addressOf('agent', instance), message);
  };

  const closed = (instance: InstanceId, desk: Desk, stream: number): void => {
    if (!desk.ends.delete(stream)) return;
    if (desk.heard?.stream === stream) {
      const message: AgentMessage = { type: 'agent.closed', boot: desk.heard.boot };
      api.tell(addressOf('agent', instance), message);
      desk.heard = undefined;
    }
    if (desk.ends.size === 0) desks.delete(instance);
  };

  return {
    open: (instance, end) => {
      const desk = desks.get(instance) ?? { ends: new Map(), heard: undefined, metrics: {} };
      if (desk.ends.size >= AGENT_LIMITS.streamsPerIdentityMax) return undefined;
      desks.set(instance, desk);
      streams += 1;
      const stream = streams;
      desk.ends.set(stream, end);
      const summary = { taken: 0, ignored: 0 };
      let bucket: Bucket = fullBucket(AGENT_LIMITS.reports, clock.monotonic());
      return {
        summary,
        take: (message) => {
          const permit = takePermit(AGENT_LIMITS.reports, bucket, clock.monotonic());
          bucket = permit.bucket;
          if (!permit.granted) return TOO_MUCH;
          const report = readReport(message);
          if (!report.ok) return refusedWith('INVALID_ARGUMENT', `ID-13: ${report.failure}`);
          const { boot, seq } = report.value.report;
          const kind = judged(instance, desk, { stream, boot, seq });
          if (kind === 'refused') return OLDER;
          summary[kind] += 1;
          if (kind === 'ignored') return undefined;
          desk.metrics = report.value.metrics;
          tell(instance, report.value.report);
          return undefined;
        },
        close: () => closed(instance, desk, stream),
      };
    },
    metricsOf: (instance) => desks.get(instance)?.metrics,
  };
}
