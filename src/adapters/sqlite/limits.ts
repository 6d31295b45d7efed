/** Bounds of the SQLite store, and how they relate. */
import { assert } from '../../../machines/model/assert.js';

/** Decisions in one transaction. */
export const COMMIT_DECISIONS_MAX = 256;

/** Spawns and records of one decision. */
export const DECISION_PARTS_MAX = 4_096;

/**
 * Rows one read answers with, whatever it was asked for; `load` is bounded by the node's own size.
 */
export const READ_ROWS_MAX = 10_000;

/** Cells in one part of a `load`: the reader is short, and what waits for the writer goes between. */
export const LOAD_ROWS_MAX = 256;

/** Rows written by one statement; fewer are written by fewer, down to one. */
export const STATEMENT_ROWS = 128;

/** Versions and levels remembered beside the database; past it all are forgotten and read again. */
export const RECENT_MAX = 65_536;

/** Decisions whose root cause is remembered: fewer, since each is mostly asked for once and soon. */
export const RECENT_CAUSES_MAX = 4_096;

/** Rows one pass of `prune` deletes from each table: a prune never holds the writer for long. */
export const PRUNE_ROWS_MAX = 1_000;

/** Characters kept of what a sink said about a refused event. */
export const LAST_ERROR_CHARACTERS_MAX = 200;

/** Bytes of an event's data that are inline; more lies in an artifact. */
export const INLINE_DATA_BYTES = 8_192;

/** Wait for somebody else's lock before the store counts as locked. */
export const BUSY_TIMEOUT_MS = 2_000;

/** Memory for pages of the database. */
export const CACHE_KIB = 65_536;

/**
 * Pages in the write-ahead log before they are moved into the database file: 64 MiB. A page that many
 * transactions wrote is moved once, so that a rare checkpoint costs less than many.
 */
export const CHECKPOINT_PAGES = 16_384;

/** Size the write-ahead log file is cut back to after a checkpoint. */
export const WAL_BYTES_KEPT = 67_108_864;

assert(COMMIT_DECISIONS_MAX <= DECISION_PARTS_MAX, 'a batch is no smaller than one decision');
assert(CHECKPOINT_PAGES * 4_096 <= WAL_BYTES_KEPT, 'a checkpoint must not outgrow its file');
assert(PRUNE_ROWS_MAX <= READ_ROWS_MAX, 'a prune pass is shorter than the longest read');
assert(STATEMENT_ROWS <= COMMIT_DECISIONS_MAX, 'one statement is no larger than a batch');
assert(DECISION_PARTS_MAX < RECENT_MAX, 'one decision must not make its own batch forget');
