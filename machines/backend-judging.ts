/**
 * What an event means for a backend: the result that counts, the state that follows, who decided. Pure.
 * The chart is in backend.ts.
 */
import { countProbe } from '../src/policy/health.js';
import { isHeld } from './backend-doubt.js';
import { type Decider, ruleOf } from './backend-memory.js';
import type { Args } from './backend-says.js';
import { assert } from './model/assert.js';
import type { HealthState, ProbeResult } from './model/messages.js';

/** The result that answers the outstanding probe; anything else is stale. */
export function answerIn({ context, event }: Args): ProbeResult | undefined {
  if (event.type !== 'probe.finished') return undefined;
  return context.outstanding && event.probe === context.probe ? event.result : undefined;
}

export function stateAfter(args: Args): HealthState | undefined {
  const result = answerIn(args);
  if (result === undefined) return undefined;
  return countProbe(ruleOf(args.context), args.context.count, result).state;
}

export function isHeldHere(args: Args): boolean {
  const result = answerIn(args);
  return result !== undefined && isHeld(args.context, { result, atMs: args.event.meta.at });
}

export function specIn({ event }: Args) {
  assert(event.type === 'backend.desired', `${event.type} carries no spec`);
  return event;
}

/** What a turn is told to come from: the probe's code, the death's, or our own word for it. */
export function codeBehind({ context, event }: Args, to: HealthState): string {
  if (event.type === 'probe.finished') return event.result.code;
  if (event.type === 'backend.died') return event.code;
  if (event.type === 'suspicion.level') return context.lastProbe?.code ?? to;
  return to === 'up' ? 'unchecked' : to;
}

export function isPositive({ event }: Args): boolean {
  if (event.type === 'backend.died') return true;
  return event.type === 'probe.finished' && !event.result.passed && event.result.positive;
}

export function deciderOf({ event }: Args): Decider {
  switch (event.type) {
    case 'probe.finished':
    case 'suspicion.level':
      return { rule: 'HE-2' };
    case 'backend.died':
      return { rule: 'HE-12' };
    case 'backend.desired':
      return { rule: 'HE-10' };
    case 'override.level': {
      const { pause, enabled } = event.overrides;
      const reason = (enabled ?? pause)?.reason;
      return { rule: 'operator', ...(reason === undefined ? {} : { reason }) };
    }
    default:
      return { rule: 'operator' };
  }
}
