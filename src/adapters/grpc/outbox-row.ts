/** A row of the outbox as operators see it. */
import type { JsonObject } from '../../../machines/model/json.js';
import type { NodeApi } from '../../ports/node-api.js';

export function outboxRow(row: Awaited<ReturnType<NodeApi['outbox']>>[number]): JsonObject {
  const { seq, event, state, attempts, lastError, createdAt } = row;
  return {
    id: seq,
    eventId: event.eventId,
    type: event.type,
    orderingKey: event.orderingKey,
    state,
    attempts,
    lastError,
    controlVersion: event.controlVersion > 0 ? event.controlVersion : undefined,
    createdAt: new Date(createdAt).toISOString(),
  };
}
