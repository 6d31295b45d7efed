/**
 * The events of a group as its words take them: by type, with what they are about.
 *
 * Input: an event, or the memory it is judged in. Output: its facts, the step that follows from it.
 */

import type { GroupMemory } from './group-memory.js';
import { deleteTurn } from './group-on-demand.js';
import { departureIn } from './group-shrink.js';
import { type CreateTurn, type DrainTurn, nextTurn } from './group-steps.js';
import { assert } from './model/assert.js';
import type { Activated, Stamped } from './model/effects.js';
import type { GroupMessage, InstanceSummary } from './model/messages.js';

export type GroupEvent = Stamped<GroupMessage> | Stamped<Activated>;

export interface GroupArgs {
  readonly context: GroupMemory;
  readonly event: GroupEvent;
}

export type EventOf<T extends GroupEvent['type']> = Extract<GroupEvent, { readonly type: T }>;

/** The event as a `type`; the chart uses a word only where such an event arrives. */
export function as<T extends GroupEvent['type']>(event: GroupEvent, type: T): EventOf<T> {
  assert(event.type === type, `${event.type} is not ${type}`);
  return event as EventOf<T>;
}

export function summariesOf({
  summary,
  others,
}: EventOf<'instance.changed'>): readonly InstanceSummary[] {
  return others === undefined ? [summary] : [summary, ...others];
}

export function createTurnOf({ context, event }: GroupArgs): CreateTurn {
  const turn = nextTurn(context, event.meta);
  assert(turn?.kind === 'create', 'the next step is no create');
  return turn;
}

export function drainTurnOf({ context, event }: GroupArgs): DrainTurn {
  const turn = nextTurn(context, event.meta);
  assert(turn?.kind === 'drain', 'the next step is no drain');
  return turn;
}

/** As it is asked for now, or was when the guard had to be asked. */
export function deleteTurnOf({ context, event }: GroupArgs): DrainTurn {
  if (event.type !== 'guard.granted') {
    return deleteTurn(context, as(event, 'operator.deleteInstance'));
  }
  const departure = departureIn(context, event);
  assert(departure !== undefined, 'nobody is to be let go');
  const { id: instance, reason, force } = departure;
  return deleteTurn(context, { instance, reason, force });
}
