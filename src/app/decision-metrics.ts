/**
 * What committed decisions say in numbers: turns of backends, and how groups came to rest. Counted where they
 * are stored, so that each counts once, whoever decided it.
 */
import type { Metrics } from '../ports/metrics.js';
import type { PackedDecision } from '../ports/packed.js';

interface Numbers {
  readonly from?: unknown;
  readonly to?: unknown;
  readonly tookMs?: unknown;
}

export function countDecisions(metrics: Metrics, decisions: readonly PackedDecision[]): void {
  for (const decision of decisions) {
    for (const [event, , numbers] of decision[10]) {
      if (COUNTED.has(event)) count(metrics, event, JSON.parse(numbers) as Numbers);
    }
  }
}

const COUNTED: ReadonlySet<string> = new Set([
  ...['backend.state_changed', 'group.converged', 'group.stalled'],
]);

function count(metrics: Metrics, event: string, { from, to, tookMs }: Numbers): void {
  if (event === 'backend.state_changed') {
    metrics.count('backend_transitions_total', { from: wordOf(from), to: wordOf(to) });
    return;
  }
  metrics.count('reconcile_total', { result: event.slice('group.'.length) });
  if (typeof tookMs === 'number') metrics.observe('reconcile_duration_seconds', tookMs / 1_000);
}

function wordOf(state: unknown): string {
  return typeof state === 'string' ? state : 'unknown';
}
