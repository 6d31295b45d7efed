/**
 * Records of a decision: one journal row each, and one outbox row for each that publishes. What is only
 * observed, and was published at the same level before, is no news: it goes to the journal alone
 * [ST-15]; an arrival of somebody known, or a departure of nobody, is not even an entry [ST-31]. Also knows
 * the decisions that were applied before, by their id.
 */
import type Database from 'better-sqlite3';
import type { StoreFailure } from '../../../machines/model/failures.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import { ARRIVAL, GONE, type PackedDecision, type PackedPublish } from '../../ports/packed.js';
import type { Committed } from '../../ports/store.js';
import type { Batch } from './batch.js';
import type { EventArtifacts } from './event-artifacts.js';
import { rejected } from './failures.js';
import { feedEventText, orderingKeyOf } from './feed-event.js';
import type { Coalesced, Coalescer, Due, Held, Published } from './held.js';
import type { Recent } from './recent.js';

/** Who the events come from; read at each event, because a lease may raise the epoch. */
export interface Origin {
  readonly node: string;
  epoch(): number;
}

export interface RecordParts {
  readonly batch: Batch;
  readonly recent: Recent;
  readonly origin: Origin;
  readonly coalescer: Coalescer;
  readonly nowMs: () => number;
  readonly artifacts: Pick<EventArtifacts, 'artifactOf' | 'write'>;
}

/** Collects the rows; nothing is written yet. */
export function collectRecords(
  parts: RecordParts,
  decision: PackedDecision,
): Result<Committed, StoreFailure> {
  const [id, at, actor, cause] = decision;
  const records = decision[10];
  if (!Number.isSafeInteger(at) || Math.abs(at) > TIME_MAX_MS) {
    return fail(rejected(`the time of decision ${id} is no time: ${at}`));
  }
  const { batch, recent } = parts;
  if (records.length === 0) {
    batch.silent(id, at);
    return ok({ id, outboxSeq: 0, journalSeq: 0 });
  }
  const root = recent.rootOf(cause) || id;
  let outboxMax = 0;
  let journalSeq = 0;
  for (let part = 0; part < records.length; part += 1) {
    const record = records[part];
    if (record === undefined) break;
    const [event, rule, numbers, publish] = record;
    const key = publish === null ? null : orderingKeyOf(publish);
    if (isKnownPresence(recent, publish, key)) continue;
    journalSeq = recent.nextJournalSeq();
    const outboxSeq =
      publish === null || key === null
        ? 0
        : collectEvent(parts, decision, { publish, key, part, root, entry: journalSeq });
    outboxMax = Math.max(outboxMax, outboxSeq);
    const subject = key === actor ? null : key;
    batch.journal(
      journalSeq,
      id,
      part,
      at,
      actor,
      subject,
      event,
      rule,
      numbers,
      cause,
      root,
      outboxSeq,
    );
  }
  if (journalSeq === 0) batch.silent(id, at);
  else recent.setRoot(id, root);
  return ok({ id, outboxSeq: outboxMax, journalSeq });
}

/** Comings and goings that were told before. */
function isKnownPresence(
  recent: Recent,
  publish: PackedPublish | null,
  key: string | null,
): boolean {
  if (publish === null || key === null || !isPresence(publish)) return false;
  const told = recent.aggregateOf(key).level;
  const isThere = told !== null && told !== GONE;
  return isThere !== (publish[3] === GONE);
}

function isPresence([, , , level]: PackedPublish): boolean {
  return level === GONE || level?.startsWith(ARRIVAL) === true;
}

/** The event's number in the outbox; 0 when it is no news, or has to wait. */
function collectEvent(parts: RecordParts, decision: PackedDecision, published: Published): number {
  const { recent, coalescer } = parts;
  const { key, publish } = published;
  const aggregate = recent.aggregateOf(key);
  const level = publish[3];
  if (level === null || isPresence(publish)) coalescer.supersede(key);
  else if (waits(parts, { decision, published }, aggregate.level)) return 0;
  return appendEvent(parts, decision, published);
}

/** What is back where it was last told stays in the window: it takes the place of what waits there. */
function waits({ coalescer, nowMs }: RecordParts, held: Held, told: string | null): boolean {
  const isNews = held.published.publish[3] !== told;
  if (!isNews && !coalescer.isWaiting(held.published.key)) return true;
  return coalescer.holds(held, { nowMs: nowMs(), level: told });
}

/** Appends what waited long enough; the highest number given, 0: none. */
export function appendDue(parts: RecordParts, due: readonly Due[]): number {
  let last = 0;
  for (const { decision, published, changes, from } of due) {
    const { publish, key } = published;
    if (parts.recent.aggregateOf(key).level === publish[3]) continue;
    const told = withChanges(publish, { changes, from });
    parts.artifacts.write(told);
    last = appendEvent(parts, decision, { ...published, publish: told, isWhole: true });
  }
  return last;
}

/** One change that waited is told as it was; of more it is said how many there were. */
function withChanges(publish: PackedPublish, { changes, from }: Coalesced): PackedPublish {
  const [kind, id, tenant, level, data] = publish;
  if (changes < 2) return publish;
  const said = `{"coalesced":${JSON.stringify({ changes, from })}`;
  return [kind, id, tenant, level, data === '{}' ? `${said}}` : `${said},${data.slice(1)}`];
}

function appendEvent(
  { batch, recent, origin, artifacts }: RecordParts,
  decision: PackedDecision,
  published: Published,
): number {
  const { publish, key } = published;
  const aggregate = recent.aggregateOf(key);
  aggregate.version += 1;
  const level = publish[3];
  aggregate.level = level?.startsWith(ARRIVAL) === true ? level.slice(ARRIVAL.length) : level;
  batch.aggregate(key, aggregate);
  const seq = recent.nextOutboxSeq();
  const [, at, , , , , generation] = decision;
  const { version } = aggregate;
  const artifact = artifacts.artifactOf(publish);
  const data = artifact === null ? publish[4] : '{}';
  if (published.isWhole !== true && isToldByEntry(decision, publish)) {
    const from = recent.originOf(origin.node, origin.epoch(), generation);
    batch.outbox(seq, at, published.entry, version, from, publish[2], data, artifact);
  } else {
    const [kind, id, tenant] = publish;
    const told = { ...published, publish: [kind, id, tenant, level, data] as const };
    const event = wholeEvent(decision, told, { origin, version, artifact });
    batch.wholeEvent(seq, at, event, artifact);
  }
  return seq;
}

/** The view puts the event together from its entry: that holds for all but the very odd. */
function isToldByEntry(decision: PackedDecision, [kind]: PackedPublish): boolean {
  const [, at, , , , , generation] = decision;
  const dated = at >= 0 && at <= SQL_TIME_MAX_MS;
  return dated && Number.isSafeInteger(generation) && !kind.includes('/');
}

function wholeEvent(
  decision: PackedDecision,
  { publish, part, root }: Published,
  {
    origin,
    version,
    artifact,
  }: { readonly origin: Origin; readonly version: number; readonly artifact: string | null },
): string {
  const event = decision[10][part]?.[0] ?? '';
  return feedEventText(
    decision,
    { index: part, event, publish },
    {
      ...{ node: origin.node, epoch: origin.epoch(), artifact },
      ...{ aggregateVersion: version, correlationId: root },
    },
  );
}

/** The last millisecond that SQLite's dates know. */
const SQL_TIME_MAX_MS = 253_402_300_799_999;

/** The last moment a date can name. */
const TIME_MAX_MS = 8_640_000_000_000_000;

/** What was acknowledged for a decision, if it was applied before. */
export function createFindApplied(
  db: Database.Database,
): (decision: PackedDecision) => Committed | undefined {
  const recorded = db.prepare<[string], Committed>(
    `SELECT id, max(seq) AS journalSeq, max(outbox_seq) AS outboxSeq
     FROM journal WHERE id = ? GROUP BY id`,
  );
  const silent = db.prepare<[string], { id: string }>('SELECT id FROM unrecorded WHERE id = ?');
  return (decision) => {
    const [id] = decision;
    const mayBeSilent = decision[10].every(([, , , publish]) => publish && isPresence(publish));
    const found = decision[10].length > 0 ? recorded.get(id) : undefined;
    if (found !== undefined || !mayBeSilent) return found;
    return silent.get(id) && { id, outboxSeq: 0, journalSeq: 0 };
  };
}
