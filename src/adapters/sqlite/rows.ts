/**
 * Rows as they lie in the tables, and the port's values they stand for. Writing checks that a value
 * is JSON of bounded size; reading trusts the shape of what was written, and calls text that is no
 * JSON any more what it is: damage.
 */
import Database from 'better-sqlite3';
import type { StoreFailure } from '../../../machines/model/failures.js';
import type { Address } from '../../../machines/model/ids.js';
import type { Json, JsonObject } from '../../../machines/model/json.js';
import type { Vip, VipAttributes } from '../../../machines/model/lb.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type {
  FeedEvent,
  JournalEntry,
  LedgerEntry,
  OutboxRow,
  StoredCell,
  StoredTimer,
} from '../../ports/store.js';
import { rejected } from './failures.js';
import { FIELD_CHARACTERS_MAX } from './limits.js';

export interface CellRow {
  readonly address: string;
  readonly parent: string | null;
  readonly machine: string;
  readonly machineVersion: number;
  readonly machineHash: string;
  readonly version: number;
  readonly incarnation: number;
  readonly value: string;
  readonly context: string;
  readonly timers: string;
}

export const CELL_COLUMNS = `address, parent, machine, machine_version AS machineVersion,
  machine_hash AS machineHash, version, incarnation, value, context, timers`;

/** What `commit` is given of a cell: its own (parent optional) or a spawned one. */
export type CellInput = Omit<StoredCell, 'incarnation' | 'parent'> & {
  readonly parent?: Address | undefined;
};

export function encodeCell(cell: CellInput, incarnation: number): Result<CellRow, StoreFailure> {
  const value = encode(cell.value, 'value');
  if (!value.ok) return value;
  const context = encode(cell.context, 'context');
  if (!context.ok) return context;
  const timers = encode(
    cell.timers.map(({ id, dueAtMs }) => ({ id, dueAtMs })),
    'timers',
  );
  if (!timers.ok) return timers;
  return ok({
    address: cell.address,
    parent: cell.parent ?? null,
    machine: cell.machine,
    machineVersion: cell.machineVersion,
    machineHash: cell.machineHash,
    version: cell.version,
    incarnation,
    value: value.value,
    context: context.value,
    timers: timers.value,
  });
}

export function decodeCell(row: CellRow): StoredCell {
  return {
    address: row.address as Address,
    parent: (row.parent ?? undefined) as Address | undefined,
    machine: row.machine,
    machineVersion: row.machineVersion,
    machineHash: row.machineHash,
    version: row.version,
    incarnation: row.incarnation,
    value: parse(row.value, row.address) as Json,
    context: parse(row.context, row.address) as JsonObject,
    timers: parse(row.timers, row.address) as readonly StoredTimer[],
  };
}

/** JSON text, or why there is none: a cycle, a bigint, nothing at all, too much. */
export function encode(value: unknown, name: string): Result<string, StoreFailure> {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    return fail(rejected(`${name} is not JSON: ${(error as Error).message}`));
  }
  if (text === undefined) return fail(rejected(`${name} is missing`));
  if (text.length > FIELD_CHARACTERS_MAX) {
    return fail(rejected(`${name} has ${text.length} characters, more than FIELD_CHARACTERS_MAX`));
  }
  return ok(text);
}

/** Raises what SQLite itself raises for a damaged page: quick_check does not look into our text. */
function parse(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Database.SqliteError(`${name} is not JSON any more`, 'SQLITE_CORRUPT');
  }
}

export type JournalRow = Omit<JournalEntry, 'actor' | 'numbers'> & {
  readonly actor: string;
  readonly numbers: string;
};

export const JOURNAL_COLUMNS = 'seq, id, at, actor, event, rule, numbers, cause';

export function decodeJournal(row: JournalRow): JournalEntry {
  return {
    ...row,
    actor: row.actor as Address,
    numbers: parse(row.numbers, `journal entry ${row.seq}`) as JsonObject,
  };
}

export interface StoredOutboxRow {
  readonly seq: number;
  readonly event: string;
  readonly state: OutboxRow['state'];
  readonly attempts: number;
  readonly lastError: string | null;
  readonly createdAt: number;
  readonly controlVersion: number | null;
}

export const OUTBOX_COLUMNS = `seq, event, state, attempts, last_error AS lastError,
  created_at AS createdAt, control_version AS controlVersion`;

export function decodeOutbox(row: StoredOutboxRow): OutboxRow {
  const event = parse(row.event, `outbox row ${row.seq}`) as FeedEvent;
  return {
    seq: row.seq,
    event: row.controlVersion === null ? event : { ...event, controlVersion: row.controlVersion },
    state: row.state,
    attempts: row.attempts,
    ...(row.lastError === null ? {} : { lastError: row.lastError }),
    createdAt: row.createdAt,
  };
}

export interface LedgerRow {
  readonly frontend: string;
  readonly vip: string;
  readonly attributes: string;
}

export function decodeLedger(row: LedgerRow): LedgerEntry {
  return {
    frontend: row.frontend,
    vip: parse(row.vip, `ledger entry of ${row.frontend}`) as Vip,
    attributes: parse(row.attributes, `ledger entry of ${row.frontend}`) as VipAttributes,
  };
}
