/**
 * Records of a decision: one journal row each, and one outbox row for each that publishes. Also
 * knows the decisions that were applied before, by their id. What is only observed, and was published at
 * the same level before, is no news: it goes to the journal alone [ST-15].
 */
import type Database from 'better-sqlite3';
import type { RecordParams } from '../../../machines/model/effects.js';
import type { StoreFailure } from '../../../machines/model/failures.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { Committed, Decision } from '../../ports/store.js';
import { rejected } from './failures.js';
import { eventIdOf, feedEventOf, orderingKeyOf } from './feed-event.js';
import { encode } from './rows.js';

/** Who the events come from; read at each event, because a lease may raise the epoch. */
export interface Origin {
  readonly node: string;
  epoch(): number;
}

export interface Records {
  /** What was acknowledged for this decision, if it was applied before. */
  findApplied(decision: Decision): Committed | undefined;
  append(decision: Decision): Result<Committed, StoreFailure>;
}

const JOURNAL_INSERT = `
  INSERT INTO journal (id, at, actor, subject, event, rule, numbers, cause, root, outbox_seq)
  VALUES (@id, @at, @actor, @subject, @event, @rule, @numbers, @cause, @root, @outboxSeq)`;

const OUTBOX_INSERT =
  'INSERT INTO outbox (event_id, ordering_key, event, created_at) VALUES (?, ?, ?, ?)';

const NEXT_VERSION = `
  INSERT INTO aggregates (ordering_key, version, level) VALUES (?, 1, ?)
  ON CONFLICT (ordering_key) DO UPDATE SET version = version + 1, level = excluded.level
  RETURNING version`;

interface JournalInsert {
  readonly id: string;
  readonly at: number;
  readonly actor: string;
  readonly subject: string | null;
  readonly event: string;
  readonly rule: string;
  readonly numbers: string;
  readonly cause: string;
  readonly root: string;
  readonly outboxSeq: number;
}

function prepare(db: Database.Database) {
  return {
    applied: db.prepare<[string], Committed>(
      `SELECT id, max(seq) AS journalSeq, max(outbox_seq) AS outboxSeq
       FROM journal WHERE id = ? GROUP BY id`,
    ),
    silent: db.prepare<[string], { id: string }>('SELECT id FROM unrecorded WHERE id = ?'),
    remember: db.prepare<[string, number]>('INSERT INTO unrecorded (id, at) VALUES (?, ?)'),
    root: db.prepare<[string], { root: string }>('SELECT root FROM journal WHERE id = ? LIMIT 1'),
    journal: db.prepare<JournalInsert>(JOURNAL_INSERT),
    outbox: db.prepare<[string, string, string, number]>(OUTBOX_INSERT),
    nextVersion: db.prepare<[string, string | null], { version: number }>(NEXT_VERSION),
    level: db.prepare<[string], { level: string | null }>(
      'SELECT level FROM aggregates WHERE ordering_key = ?',
    ),
  };
}

export function createRecords(db: Database.Database, origin: Origin): Records {
  const statements = prepare(db);

  const publish = (
    decision: Decision,
    index: number,
    root: string,
  ): Result<number, StoreFailure> => {
    const record = decision.records[index];
    if (record?.publish === undefined) return ok(0);
    const orderingKey = orderingKeyOf(record.publish);
    const { level = null } = record.publish;
    if (level !== null && statements.level.get(orderingKey)?.level === level) return ok(0);
    const event = feedEventOf(
      decision,
      { index, event: record.event, publish: record.publish },
      {
        node: origin.node,
        epoch: origin.epoch(),
        aggregateVersion: statements.nextVersion.get(orderingKey, level)?.version ?? 0,
        correlationId: root,
      },
    );
    const text = encode(event, 'feed event');
    if (!text.ok) return text;
    const { id, at } = decision;
    const row = statements.outbox.run(eventIdOf(id, index), orderingKey, text.value, at);
    return ok(Number(row.lastInsertRowid));
  };

  const append = (decision: Decision): Result<Committed, StoreFailure> => {
    if (!Number.isSafeInteger(decision.at) || Math.abs(decision.at) > TIME_MAX_MS) {
      return fail(rejected(`the time of decision ${decision.id} is no time: ${decision.at}`));
    }
    if (decision.records.length === 0) statements.remember.run(decision.id, decision.at);
    const root = statements.root.get(decision.cause)?.root ?? (decision.cause || decision.id);
    let committed: Committed = { id: decision.id, outboxSeq: 0, journalSeq: 0 };
    for (const [index, record] of decision.records.entries()) {
      const numbers = encode(record.numbers, 'numbers');
      if (!numbers.ok) return numbers;
      const outboxSeq = publish(decision, index, root);
      if (!outboxSeq.ok) return outboxSeq;
      const entry = { ...recordColumns(decision, record), root, numbers: numbers.value };
      const row = statements.journal.run({ ...entry, outboxSeq: outboxSeq.value });
      committed = {
        id: decision.id,
        journalSeq: Number(row.lastInsertRowid),
        outboxSeq: Math.max(committed.outboxSeq, outboxSeq.value),
      };
    }
    return ok(committed);
  };

  return {
    findApplied: ({ id, records }) => {
      if (records.length > 0) return statements.applied.get(id);
      return statements.silent.get(id) && { id, outboxSeq: 0, journalSeq: 0 };
    },
    append,
  };
}

/** The last moment a date can name. */
const TIME_MAX_MS = 8_640_000_000_000_000;

function recordColumns(decision: Decision, record: RecordParams) {
  const aggregate = record.publish === undefined ? null : orderingKeyOf(record.publish);
  return {
    id: decision.id,
    at: decision.at,
    actor: decision.actor,
    subject: aggregate === decision.actor ? null : aggregate,
    event: record.event,
    rule: record.rule,
    cause: decision.cause,
  };
}
