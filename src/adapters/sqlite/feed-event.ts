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
  const [decisionId, at] = decision;
  const [aggregateKind, aggregateId, tenant, , data] = publish;
  return eventTextOf({
    ...{ decisionId, part: index, type: event, at, generation: decision[6] },
    ...{ node: origin.node, epoch: origin.epoch, artifact: origin.artifact, tenant },
    ...{ aggregateKind, aggregateId, version: origin.aggregateVersion },
    ...{ orderingKey: orderingKeyOf(publish), root: origin.correlationId, data },
  });
}

/** What an event's text is made of. */
export interface EventPieces {
  readonly decisionId: string;
  readonly part: number;
  readonly type: string;
  readonly node: string;
  readonly epoch: number;
  readonly tenant: string | null;
  readonly aggregateKind: string;
  readonly aggregateId: string;
  readonly version: number;
  readonly orderingKey: string;
  readonly root: string;
  readonly generation: number;
  readonly at: number;
  /** As JSON. */
  readonly data: string;
  readonly artifact: string | null;
}

export function eventTextOf(of: EventPieces): string {
  const tenant = of.tenant === null ? '' : `"tenantId":${quoted(of.tenant)},`;
  return (
    `{"eventId":${quoted(eventIdOf(of.decisionId, of.part))},"type":${quoted(of.type)},` +
    `"schema":${FEED_SCHEMA},"node":${quoted(of.node)},"epoch":${of.epoch},${tenant}` +
    `"aggregateKind":${quoted(of.aggregateKind)},"aggregateId":${quoted(of.aggregateId)},` +
    `"aggregateVersion":${of.version},` +
    `"orderingKey":${quoted(of.orderingKey)},"causationId":${quoted(of.decisionId)},` +
    `"correlationId":${quoted(of.root)},"configGeneration":${of.generation},` +
    `"occurredAt":"${dateOf(of.at)}","controlVersion":0,"data":${of.data}${artifactFields(of)}}`
  );
}

function artifactFields({ artifact }: Pick<EventPieces, 'artifact'>): string {
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
