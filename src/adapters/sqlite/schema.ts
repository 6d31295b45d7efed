/**
 * The database's shape, as numbered migrations: each is applied once, in order, in the transaction
 * that also raises `user_version`. A released migration is never edited; a new one is added below
 * it.
 *
 * Everything structured is JSON text, not msgpack: during an incident the file must be readable
 * with nothing but the sqlite3 shell, and a migration can reach into a snapshot with SQLite's own
 * JSON functions. The quarter of a row that msgpack would save is not worth that.
 *
 * A sequence number is the highest one plus 1, and retention always leaves the highest row: no
 * number is ever given twice, without the second table that AUTOINCREMENT writes on every insert.
 */

export interface Migration {
  readonly version: number;
  readonly sql: string;
}

/** "SWYD": tells our file from any other SQLite database. */
export const APPLICATION_ID = 0x53_57_59_44;

export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    sql: `
      -- A cell at rest. "timers" is a JSON list of {id, dueAtMs}, written with the state it belongs
      -- to.
      CREATE TABLE cells (
        address         TEXT PRIMARY KEY,
        parent          TEXT,
        machine         TEXT NOT NULL,
        machine_version INTEGER NOT NULL,
        machine_hash    TEXT NOT NULL,
        version         INTEGER NOT NULL CHECK (version >= 0),
        incarnation     INTEGER NOT NULL,
        value           TEXT NOT NULL,
        context         TEXT NOT NULL,
        timers          TEXT NOT NULL
      ) STRICT;
      CREATE INDEX cells_by_parent ON cells (parent) WHERE parent IS NOT NULL;

      -- One row per record of a decision, numbered by "part": the same twice cannot be. "subject" is the published aggregate when it is not the
      -- actor itself; "root" is where the chain of causes began; "outbox_seq" is the event it
      -- published, or 0.
      CREATE TABLE journal (
        seq        INTEGER PRIMARY KEY,
        id         TEXT NOT NULL,
        part       INTEGER NOT NULL,
        at         INTEGER NOT NULL,
        actor      TEXT NOT NULL,
        subject    TEXT,
        event      TEXT NOT NULL,
        rule       TEXT NOT NULL,
        numbers    TEXT NOT NULL,
        cause      TEXT NOT NULL,
        root       TEXT NOT NULL,
        outbox_seq INTEGER NOT NULL
      ) STRICT;
      CREATE UNIQUE INDEX journal_by_id ON journal (id, part);
      CREATE INDEX journal_by_actor ON journal (actor);
      CREATE INDEX journal_by_subject ON journal (subject) WHERE subject IS NOT NULL;

      -- Decisions without a record: remembered only to know them when they are sent again.
      CREATE TABLE unrecorded (id TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;

      -- "event" is the whole envelope, with a controlVersion of 0 until it is published.
      CREATE TABLE outbox (
        seq             INTEGER PRIMARY KEY,
        event           TEXT NOT NULL,
        state           TEXT NOT NULL DEFAULT 'pending'
                        CHECK (state IN ('pending', 'published', 'dead', 'discarded')),
        attempts        INTEGER NOT NULL DEFAULT 0,
        last_error      TEXT,
        created_at      INTEGER NOT NULL,
        control_version INTEGER CHECK (control_version > 0),
        published_at    INTEGER
      ) STRICT;
      CREATE INDEX outbox_pending ON outbox (seq) WHERE state = 'pending';
      CREATE INDEX outbox_dead ON outbox (seq) WHERE state = 'dead';

      -- Versions outlive their aggregates: a name used again goes on counting. The level is what the last
      -- event of an observed aggregate said: the same again is no news.
      CREATE TABLE aggregates (
        ordering_key TEXT PRIMARY KEY,
        version      INTEGER NOT NULL,
        level        TEXT
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE ledger (
        vip_key    TEXT PRIMARY KEY,
        frontend   TEXT NOT NULL,
        vip        TEXT NOT NULL,
        attributes TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;

      -- Fences of one life of the daemon: a new life numbers its threads from the start again.
      CREATE TABLE fences (
        thread      TEXT PRIMARY KEY,
        run         TEXT NOT NULL,
        incarnation INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    `,
  },
  {
    version: 2,
    sql: `
      -- Who says an event: few, and the same for thousands of them.
      CREATE TABLE origins (
        id         INTEGER PRIMARY KEY,
        node       TEXT NOT NULL,
        epoch      INTEGER NOT NULL,
        generation INTEGER NOT NULL,
        UNIQUE (node, epoch, generation)
      ) STRICT;

      -- An event says mostly what its journal entry says. As long as that is there, "entry" names it and
      -- only the rest is here; "event" is the whole envelope of one whose entry is gone, or that cannot
      -- be told from it, or that an older layout wrote. The view "events" has the envelope of each.
      CREATE TABLE outbox_2 (
        seq             INTEGER PRIMARY KEY,
        entry           INTEGER,
        version         INTEGER,
        origin          INTEGER,
        tenant          TEXT,
        data            TEXT,
        state           TEXT NOT NULL DEFAULT 'pending'
                        CHECK (state IN ('pending', 'published', 'dead', 'discarded')),
        attempts        INTEGER NOT NULL DEFAULT 0,
        last_error      TEXT,
        created_at      INTEGER NOT NULL,
        control_version INTEGER CHECK (control_version > 0),
        published_at    INTEGER,
        event           TEXT
      ) STRICT;
      INSERT INTO outbox_2
        (seq, state, attempts, last_error, created_at, control_version, published_at, event)
        SELECT seq, state, attempts, last_error, created_at, control_version, published_at, event
        FROM outbox ORDER BY seq;
      DROP TABLE outbox;
      ALTER TABLE outbox_2 RENAME TO outbox;
      CREATE INDEX outbox_pending ON outbox (seq) WHERE state = 'pending';
      CREATE INDEX outbox_dead ON outbox (seq) WHERE state = 'dead';

      -- Where the journal speaks of an address, as actor or as subject: somewhere from "first" to
      -- "last", entries that one transaction wrote. One row where an index would have one for each.
      CREATE TABLE spans (
        address TEXT NOT NULL,
        first   INTEGER NOT NULL,
        last    INTEGER NOT NULL,
        PRIMARY KEY (address, first)
      ) STRICT, WITHOUT ROWID;
      INSERT INTO spans
        SELECT actor, seq, seq FROM journal
        UNION
        SELECT subject, seq, seq FROM journal WHERE subject IS NOT NULL;
      DROP INDEX journal_by_actor;
      DROP INDEX journal_by_subject;

      CREATE VIEW events AS
      SELECT
        outbox.seq, state, attempts, last_error, created_at, control_version, published_at,
        coalesce(
          outbox.event,
          '{"eventId":' || json_quote(journal.id || '.' || part) || ',"type":' || json_quote(journal.event) ||
          ',"schema":1,"node":' || json_quote(node) || ',"epoch":' || epoch || ',' ||
          CASE WHEN tenant IS NULL THEN '' ELSE '"tenantId":' || json_quote(tenant) || ',' END ||
          '"aggregateKind":' ||
          json_quote(substr(coalesce(subject, actor), 1, instr(coalesce(subject, actor), '/') - 1)) ||
          ',"aggregateId":' ||
          json_quote(substr(coalesce(subject, actor), instr(coalesce(subject, actor), '/') + 1)) ||
          ',"aggregateVersion":' || outbox.version ||
          ',"orderingKey":' || json_quote(coalesce(subject, actor)) ||
          ',"causationId":' || json_quote(journal.id) || ',"correlationId":' || json_quote(root) ||
          ',"configGeneration":' || generation ||
          ',"occurredAt":"' || strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') ||
          '","controlVersion":0,"data":' || data || '}'
        ) AS event
      FROM outbox
      LEFT JOIN journal ON journal.seq = outbox.entry
      LEFT JOIN origins ON origins.id = outbox.origin;
    `,
  },
  {
    version: 3,
    sql: `
      -- What is too large for a row, by the digest of its content, in parts of bounded size. It is there
      -- once it has "parts" parts.
      CREATE TABLE artifacts (
        kind  TEXT NOT NULL,
        hash  TEXT NOT NULL,
        part  INTEGER NOT NULL CHECK (part >= 0 AND part < parts),
        parts INTEGER NOT NULL,
        bytes BLOB NOT NULL,
        UNIQUE (kind, hash, part)
      ) STRICT;
    `,
  },
  {
    version: 4,
    sql: `
      -- "artifact" is the digest of data that lies in "artifacts". "previous" is what the event says of
      -- the one before it in the feed: NULL until it is published, empty for the first of its key.
      ALTER TABLE outbox ADD COLUMN artifact TEXT;
      ALTER TABLE outbox ADD COLUMN previous TEXT;
      UPDATE outbox SET previous = '' WHERE state IN ('published', 'dead');
      CREATE INDEX outbox_artifacts ON outbox (artifact) WHERE artifact IS NOT NULL;
      -- Of the last event of the key in the feed.
      ALTER TABLE aggregates ADD COLUMN hash TEXT;
      DROP VIEW events;
      CREATE VIEW events AS
      SELECT
        outbox.seq, state, attempts, last_error, created_at, control_version, published_at, artifact, previous,
        coalesce(subject, actor, outbox.event ->> 'orderingKey') AS ordering_key,
        coalesce(
          outbox.event,
          '{"eventId":' || json_quote(journal.id || '.' || part) || ',"type":' || json_quote(journal.event) ||
          ',"schema":1,"node":' || json_quote(node) || ',"epoch":' || epoch || ',' ||
          CASE WHEN tenant IS NULL THEN '' ELSE '"tenantId":' || json_quote(tenant) || ',' END ||
          '"aggregateKind":' ||
          json_quote(substr(coalesce(subject, actor), 1, instr(coalesce(subject, actor), '/') - 1)) ||
          ',"aggregateId":' ||
          json_quote(substr(coalesce(subject, actor), instr(coalesce(subject, actor), '/') + 1)) ||
          ',"aggregateVersion":' || outbox.version ||
          ',"orderingKey":' || json_quote(coalesce(subject, actor)) ||
          ',"causationId":' || json_quote(journal.id) || ',"correlationId":' || json_quote(root) ||
          ',"configGeneration":' || generation ||
          ',"occurredAt":"' || strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') ||
          '","controlVersion":0,"data":' || data ||
          CASE WHEN artifact IS NULL THEN '}'
               ELSE ',"artifactRef":"sha256/' || artifact || '","checksum":"sha256:' || artifact || '"}' END
        ) AS event
      FROM outbox
      LEFT JOIN journal ON journal.seq = outbox.entry
      LEFT JOIN origins ON origins.id = outbox.origin;
    `,
  },
  {
    version: 5,
    sql: `
      -- Rows of the holder's actors as the fleet's log has them, each the JSON text of a whole row.
      CREATE TABLE fleet (address TEXT PRIMARY KEY, row TEXT NOT NULL) STRICT, WITHOUT ROWID;
    `,
  },
  {
    version: 6,
    sql: `
      -- The newest event of each key in the fleet's log that was applied: whose row is gone is still here.
      CREATE TABLE fleet_keys (
        ordering_key TEXT PRIMARY KEY, epoch INTEGER NOT NULL, version INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
    `,
  },
  {
    version: 7,
    sql: `
      -- The newest event of each key that the fleet's log has, whatever it says: a new holder counts on from it.
      CREATE TABLE fleet_heads (
        ordering_key TEXT PRIMARY KEY, epoch INTEGER NOT NULL, version INTEGER NOT NULL, hash TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;
    `,
  },
];

export const SCHEMA_VERSION = MIGRATIONS.at(-1)?.version ?? 0;
