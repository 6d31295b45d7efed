/**
 * From a record to the text of its feed event. The id is derived from the decision, so that a decision
 * sent twice is the same event twice; the aggregate's version and the root cause come from the database.
 *
 * The text is put together from pieces, because `data` is text already. The order of the fields is that
 * of the port's `FeedEvent`.
 */
import type { PackedDecision, PackedPublish } from '../../ports/packed.js';

/** Version of the event's `data` shapes. */
export const FEED_SCHEMA = 1;

export interface EventOrigin {
  readonly node: string;
  readonly epoch: number;
  readonly aggregateVersion: number;
  readonly correlationId: string;
  /** Digest of the data, when it lies in an artifact. */
  readonly artifact: string | null;
}

export function eventIdOf(decisionId: string, index: number): string {
  return `${decisionId}.${index}`;
}

/** Events with the same key keep their order on the way to the sink. */
export function orderingKeyOf([aggregateKind, aggregateId]: PackedPublish): string {
  return `${aggregateKind}/${aggregateId}`;
}

export interface PublishedRecord {
  readonly index: number;
  readonly event: string;
  readonly publish: PackedPublish;
}

export function feedEventText(
  decision: PackedDecision,
  { index, event, publish }: PublishedRecord,
  origin: EventOrigin,
): string {
  const [id, at] = decision;
  const [aggregateKind, aggregateId, tenantId, , data] = publish;
  const tenant = tenantId === null ? '' : `"tenantId":${quoted(tenantId)},`;
  return (
    `{"eventId":${quoted(eventIdOf(id, index))},"type":${quoted(event)},"schema":${FEED_SCHEMA},` +
    `"node":${quoted(origin.node)},"epoch":${origin.epoch},${tenant}` +
    `"aggregateKind":${quoted(aggregateKind)},"aggregateId":${quoted(aggregateId)},` +
    `"aggregateVersion":${origin.aggregateVersion},` +
    `"orderingKey":${quoted(orderingKeyOf(publish))},"causationId":${quoted(id)},` +
    `"correlationId":${quoted(origin.correlationId)},"configGeneration":${decision[6]},` +
    `"occurredAt":"${dateOf(at)}","controlVersion":0,"data":${data}${artifactFields(origin)}}`
  );
}

function artifactFields({ artifact }: EventOrigin): string {
  if (artifact === null) return '';
  return `,"artifactRef":"sha256/${artifact}","checksum":"sha256:${artifact}"`;
}

/** Only what JSON writes as it is. */
const PLAIN = /^[ !#-[\]-\ud7ff\ue000-\uffff]*$/;

/** Names are plain as a rule, and asking costs less than quoting. */
function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** Neighbours were mostly decided in the same millisecond. */
let lastAt = Number.NaN;
let lastDate = '';

function dateOf(at: number): string {
  if (at !== lastAt) {
    lastAt = at;
    lastDate = new Date(at).toISOString();
  }
  return lastDate;
}
