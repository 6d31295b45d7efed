/** What an operator should know of the outbox: the sink is away, or the feed has lost something. */
import type { JsonObject } from '../machines/model/json.js';
import type { OutboxMemory } from '../machines/outbox.js';

export function outboxConditions(memory: OutboxMemory): readonly JsonObject[] {
  const { circuitOpen, lastError, lost, troubleSinceMs } = memory;
  const since = new Date(troubleSinceMs ?? 0).toISOString();
  const base = { object: 'outbox/main', since };
  const away = {
    ...{ type: 'sink-away', ...base, severity: 'warning', cause: 'OB-3' },
    message: `nothing is published: ${lastError ?? 'the sink does not answer'}`,
    next: 'decisions are stored and wait in order; it is tried again by itself',
  };
  const gap = {
    ...{ type: 'feed-lost-events', ...base, severity: 'critical', cause: 'OB-13' },
    message: `the feed ends at ${lost?.head}, it had ${lost?.expected}`,
    next: "find out since when, then 'switchyard outbox republish --since TIME'",
  };
  return [...(circuitOpen ? [away] : []), ...(lost === null ? [] : [gap])];
}
