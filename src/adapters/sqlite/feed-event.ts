/**
 * From a record to its feed event. The id is derived from the decision, so that a decision sent
 * twice is the same event twice; the aggregate's version and the root cause come from the database.
 */
import type { PublishParams } from '../../../machines/model/effects.js';
import type { Decision, FeedEvent } from '../../ports/store.js';

/** Version of the event's `data` shapes. */
export const FEED_SCHEMA = 1;

export interface EventOrigin {
  readonly node: string;
  readonly epoch: number;
  readonly aggregateVersion: number;
  readonly correlationId: string;
}

export function eventIdOf(decisionId: string, index: number): string {
  return `${decisionId}.${index}`;
}

/** Events with the same key keep their order on the way to the sink. */
export function orderingKeyOf(publish: PublishParams): string {
  return `${publish.aggregateKind}/${publish.aggregateId}`;
}

export interface PublishedRecord {
  readonly index: number;
  readonly event: string;
  readonly publish: PublishParams;
}

export function feedEventOf(
  decision: Decision,
  { index, event, publish }: PublishedRecord,
  origin: EventOrigin,
): FeedEvent {
  return {
    eventId: eventIdOf(decision.id, index),
    type: event,
    schema: FEED_SCHEMA,
    node: origin.node,
    epoch: origin.epoch,
    ...(publish.tenantId === undefined ? {} : { tenantId: publish.tenantId }),
    aggregateKind: publish.aggregateKind,
    aggregateId: publish.aggregateId,
    aggregateVersion: origin.aggregateVersion,
    orderingKey: orderingKeyOf(publish),
    causationId: decision.id,
    correlationId: origin.correlationId,
    configGeneration: decision.configGeneration,
    occurredAt: new Date(decision.at).toISOString(),
    controlVersion: 0,
    data: publish.data,
  };
}
