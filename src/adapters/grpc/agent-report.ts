/**
 * A report as it came from outside → a report of ours, or one sentence about what is wrong with it. What is
 * only too long is cut: it is for people.
 */
import type { AgentReport, TerminationNotice } from '../../../machines/model/agent.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import { AGENT_LIMITS } from './agent-limits.js';

/** As proto-loader gives it. */
export interface ReportIn {
  readonly boot?: unknown;
  readonly seq?: unknown;
  readonly healthy?: unknown;
  readonly detail?: unknown;
  readonly metrics?: Readonly<Record<string, unknown>> | null;
  readonly terminationNotice?: { readonly id?: unknown; readonly deadlineMs?: unknown } | null;
}

export interface ReportRead {
  readonly report: AgentReport;
  readonly metrics: Readonly<Record<string, number>>;
}

export function readReport(message: ReportIn): Result<ReportRead, string> {
  const { boot, seq, healthy, detail } = message;
  if (!isCount(boot) || !isCount(seq)) return fail('boot and seq are whole numbers below 2^53');
  const metrics = readMetrics(message.metrics ?? {});
  if (metrics === undefined) {
    return fail(`at most ${AGENT_LIMITS.metricsMax} metrics, with finite values and short names`);
  }
  const notice = readNotice(message.terminationNotice);
  if (notice === 'bad') return fail('a termination notice has an id, short, and a time or none');
  const text = typeof detail === 'string' ? detail.slice(0, AGENT_LIMITS.detailCharactersMax) : '';
  const report = { boot, seq, healthy: healthy === true, detail: text };
  return ok({ metrics, report: notice === undefined ? report : { ...report, notice } });
}

function readMetrics(given: Readonly<Record<string, unknown>>) {
  const entries = Object.entries(given);
  const good = entries.every(
    ([name, value]) =>
      name.length <= AGENT_LIMITS.metricNameCharactersMax && Number.isFinite(value),
  );
  if (!good || entries.length > AGENT_LIMITS.metricsMax) return undefined;
  return Object.fromEntries(entries) as Readonly<Record<string, number>>;
}

function readNotice(given: ReportIn['terminationNotice']): TerminationNotice | undefined | 'bad' {
  if (given === null || given === undefined) return undefined;
  const { id, deadlineMs } = given;
  const named =
    typeof id === 'string' && id !== '' && id.length <= AGENT_LIMITS.noticeIdCharactersMax;
  if (!named || !isCount(deadlineMs)) return 'bad';
  return deadlineMs === 0 ? { id } : { id, deadlineMs };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
