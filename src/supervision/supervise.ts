/**
 * A supervisor's decision about a child that ended: a value that leaves no choices to whoever
 * performs it. Nothing here waits; the back-off before the start is the performer's.
 */
import { assert, unreachable } from '../../machines/model/assert.js';
import { type Exit, judgeRestart, wantsRestart } from './restart.js';
import type { ChildSpec, SupervisorSpec } from './spec.js';

export interface RestartSet {
  /** Siblings to stop, last started first; the child itself has ended already. */
  readonly stop: readonly string[];
  /** What to start again, in order. */
  readonly start: readonly string[];
}

/** Whom the strategy takes along. A temporary sibling that is stopped for another stays away. */
export function restartSet<Start>(spec: SupervisorSpec<Start>, childId: string): RestartSet {
  const at = spec.children.findIndex(({ id }) => id === childId);
  assert(at >= 0, `no child ${childId}`);
  const affected = affectedBy(spec, at);
  return {
    stop: affected
      .map(({ id }) => id)
      .filter((id) => id !== childId)
      .reverse(),
    start: affected
      .filter(({ id, restart }) => id === childId || restart !== 'temporary')
      .map(({ id }) => id),
  };
}

function affectedBy<Start>(
  { strategy, children }: SupervisorSpec<Start>,
  at: number,
): readonly ChildSpec<Start>[] {
  switch (strategy) {
    case 'one-for-one':
      return children.slice(at, at + 1);
    case 'rest-for-one':
      return children.slice(at);
    case 'one-for-all':
      return children;
    default:
      return unreachable(strategy);
  }
}

export interface ChildEnd {
  readonly childId: string;
  readonly exit: Exit;
  readonly at: number;
  /** As the last decision gave it; counted over all children of the supervisor, as in OTP. */
  readonly history: readonly number[];
}

export type SupervisorAction =
  /** It ended and stays ended. */
  | { readonly type: 'leave' }
  | { readonly type: 'restart'; readonly set: RestartSet }
  /** Too often: it stays down with its state kept, visible, until an operator resumes it. */
  | { readonly type: 'quarantine' }
  /** Too often, and nothing works without it: the supervisor itself has failed. */
  | { readonly type: 'escalate' };

export interface SupervisorDecision {
  readonly action: SupervisorAction;
  readonly history: readonly number[];
}

export function decide<Start>(spec: SupervisorSpec<Start>, end: ChildEnd): SupervisorDecision {
  const child = spec.children.find(({ id }) => id === end.childId);
  assert(child !== undefined, `no child ${end.childId}`);
  if (!wantsRestart(child.restart, end.exit)) {
    return { action: { type: 'leave' }, history: end.history };
  }
  const { verdict, history } = judgeRestart(spec, end.history, end.at);
  if (verdict === 'restart') {
    return { action: { type: 'restart', set: restartSet(spec, end.childId) }, history };
  }
  return { action: { type: child.essential ? 'escalate' : 'quarantine' }, history };
}
