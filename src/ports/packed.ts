/**
 * Decisions and cells on their way to and from the store: everything structured is JSON text.
 *
 * Text is made once, where a decision is made, and read once, where a cell comes to life: in between
 * it crosses threads and lies in the database without being looked into. Tuples, because a column has
 * its place and needs no name. What cannot be packed is rejected here, before it goes anywhere.
 */
import type { PublishParams, RecordParams } from '../../machines/model/effects.js';
import type { StoreFailure } from '../../machines/model/failures.js';
import type { Address } from '../../machines/model/ids.js';
import type { Json, JsonObject } from '../../machines/model/json.js';
import { fail, ok, type Result } from '../../machines/model/result.js';
import type { FleetStore } from './fleet-store.js';
import type { Committed, Decision, Store, StoredCell, StoredTimer } from './store.js';

/**
 * Characters of JSON in one stored field: a context, the numbers of a record, a feed event's data.
 */
export const FIELD_CHARACTERS_MAX = 3_145_728;

/** In the order of the table's columns. */
export type PackedCell = readonly [
  address: string,
  parent: string | null,
  machine: string,
  machineVersion: number,
  machineHash: string,
  version: number,
  incarnation: number,
  value: string,
  context: string,
  timers: string,
];

export type PackedPublish = readonly [
  aggregateKind: string,
  aggregateId: string,
  tenantId: string | null,
  /** See `ARRIVAL` and `GONE`. */
  level: string | null,
  data: string,
];

export type PackedRecord = readonly [
  event: string,
  rule: string,
  numbers: string,
  publish: PackedPublish | null,
];

export type PackedDecision = readonly [
  id: string,
  at: number,
  actor: string,
  cause: string,
  thread: string,
  incarnation: number,
  configGeneration: number,
  forget: boolean,
  cell: PackedCell | null,
  spawns: readonly PackedCell[],
  records: readonly PackedRecord[],
];

type Packed<T> = Result<T, StoreFailure>;

/** What `commit` is given of a cell: its own (parent optional) or a spawned one. */
type CellInput = Omit<StoredCell, 'incarnation' | 'parent'> & {
  readonly parent?: Address | undefined;
};

export function packDecision(decision: Decision): Packed<PackedDecision> {
  const { incarnation, cell: own } = decision;
  const cell = own === undefined ? null : cellOf(own, incarnation);
  if (isFailure(cell)) return fail(cell);
  const spawns: PackedCell[] = [];
  for (const spawn of decision.spawns) {
    const packed = cellOf(spawn, incarnation);
    if (isFailure(packed)) return fail(packed);
    spawns.push(packed);
  }
  const records: PackedRecord[] = [];
  for (const record of decision.records) {
    const packed = recordOf(record);
    if (isFailure(packed)) return fail(packed);
    records.push(packed);
  }
  const { id, at, actor, cause, thread, configGeneration, forget } = decision;
  return ok([
    id,
    at,
    actor,
    cause,
    thread,
    incarnation,
    configGeneration,
    forget,
    cell,
    spawns,
    records,
  ]);
}

/** Tuples and texts are no such objects. */
function isFailure<T>(packed: T | StoreFailure): packed is StoreFailure {
  return typeof packed === 'object' && packed !== null && 'code' in packed;
}

function cellOf(cell: CellInput, incarnation: number): PackedCell | StoreFailure {
  const value = textOf(cell.value, 'value');
  if (isFailure(value)) return value;
  const context = textOf(cell.context, 'context');
  if (isFailure(context)) return context;
  const timers = cell.timers.length === 0 ? '[]' : textOf(cell.timers.map(timerOf), 'timers');
  if (isFailure(timers)) return timers;
  const { address, parent = null, machine, machineVersion, machineHash, version } = cell;
  return [
    address,
    parent,
    machine,
    machineVersion,
    machineHash,
    version,
    incarnation,
    value,
    context,
    timers,
  ];
}

/** Nothing of a timer is stored but these. */
function timerOf({ id, dueAtMs }: StoredTimer): StoredTimer {
  return { id, dueAtMs };
}

function recordOf({ event, rule, numbers, publish }: RecordParams): PackedRecord | StoreFailure {
  const text = textOf(numbers, 'numbers');
  if (isFailure(text)) return text;
  if (publish === undefined) return [event, rule, text, null];
  const data = textOf(publish.data, 'feed event');
  if (isFailure(data)) return data;
  const { aggregateKind, aggregateId, tenantId = null } = publish;
  return [event, rule, text, [aggregateKind, aggregateId, tenantId, levelOf(publish), data]];
}

/** An arrival's level begins with a plus; a departure's is a minus, and stays what was told last. */
function levelOf({ level, presence }: PublishParams): string | null {
  if (presence === 'leaves') return GONE;
  return presence === 'arrives' ? `${ARRIVAL}${level ?? ''}` : (level ?? null);
}

export const ARRIVAL = '+';
/** The level of an aggregate that is no more. */
export const GONE = '-';

/** JSON text, or why there is none: a cycle, a bigint, nothing at all, too much. */
function textOf(value: unknown, name: string): string | StoreFailure {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    return rejected(`${name} is not JSON: ${(error as Error).message}`);
  }
  if (text === undefined) return rejected(`${name} is missing`);
  if (text.length > FIELD_CHARACTERS_MAX) {
    return rejected(`${name} has ${text.length} characters, more than FIELD_CHARACTERS_MAX`);
  }
  return text;
}

/** A cell on its way out: its whole row as the JSON text of a list, in the order of PackedCell. */
export type CellLine = readonly [address: string, row: string];

/** A store whose owner serves it to other threads: packed on this side, unpacked on theirs. */
export interface PackedStore extends Store, FleetStore {
  /** At most one transaction's worth of decisions; else as `commit`. */
  commitPacked(
    decisions: readonly PackedDecision[],
  ): Promise<readonly Result<Committed, StoreFailure>[]>;
  /** Cells of these kinds behind an address, ascending by it, a bounded number; none: that was all. */
  loadPage(
    kinds: readonly string[],
    after: string,
  ): Promise<Result<readonly PackedCell[], StoreFailure>>;
  /** The same as texts, put together without being looked into: damage shows when they are read. */
  loadLines(
    kinds: readonly string[],
    after: string,
  ): Promise<Result<readonly CellLine[], StoreFailure>>;
  /** As `outboxPending`, many rows to a text. */
  outboxTexts(afterSeq: number, max: number): Promise<Result<readonly string[], StoreFailure>>;
  loadFamilyPacked(address: Address): Promise<Result<readonly PackedCell[], StoreFailure>>;
}

/** A row whose text is not what was written is one damaged cell, and nobody else's trouble. */
export function unpackCell(packed: PackedCell): StoredCell {
  try {
    const timers = packed[9] === '[]' ? NO_TIMERS : JSON.parse(packed[9]);
    return storedCell(packed, JSON.parse(packed[7]), JSON.parse(packed[8]), timers);
  } catch (error) {
    return damagedBy(packed, (error as Error).message);
  }
}

/** Many lines as one text, with their number in front: read in one go. */
export function joinLines(lines: readonly string[]): string {
  return `[${lines.length},${lines.join()}]`;
}

/** Throws when one of the lines is not what was written, whatever its text makes of the others. */
export function unpackLines(text: string): readonly StoredCell[] {
  const [count, ...rows] = JSON.parse(text) as readonly unknown[];
  if (count !== rows.length) throw new Error('these are not the rows that were sent');
  return rows.map(cellOfRow);
}

function cellOfRow(row: unknown): StoredCell {
  if (!isRow(row)) throw new Error('it is no row of a cell');
  return storedCell(row, row[7], row[8], row[9]);
}

type Row = readonly [...names: RowNames, value: Json, context: unknown, timers: unknown];

/** What of a row is not structured. */
type RowNames = readonly [
  address: string,
  parent: string | null,
  machine: string,
  machineVersion: number,
  machineHash: string,
  version: number,
  incarnation: number,
];

/** As the table has it, whatever its texts have become. */
export function isRow(row: unknown): row is Row {
  if (!Array.isArray(row) || row.length !== 10) return false;
  const [address, parent, machine, machineVersion, machineHash, version, incarnation] = row;
  return (
    typeof address === 'string' &&
    (parent === null || typeof parent === 'string') &&
    typeof machine === 'string' &&
    typeof machineVersion === 'number' &&
    typeof machineHash === 'string' &&
    typeof version === 'number' &&
    typeof incarnation === 'number'
  );
}

function storedCell(
  row: Row | PackedCell,
  value: Json,
  context: unknown,
  timers: unknown,
): StoredCell {
  if (!isObject(context)) return damagedBy(row, 'its context is no object');
  if (!areTimers(timers)) return damagedBy(row, 'its timers are no list of deadlines');
  const [address, parent, machine, machineVersion, machineHash, version, incarnation] = row;
  return {
    address: address as Address,
    parent: (parent ?? undefined) as Address | undefined,
    machine,
    machineVersion,
    machineHash,
    version,
    incarnation,
    value,
    context,
    timers,
  };
}

const NO_TIMERS: readonly StoredTimer[] = [];

function damagedBy(row: Row | PackedCell, reason: string): StoredCell {
  const damaged = `stored text damaged: ${reason}`;
  return { ...storedCell(row, null, {}, NO_TIMERS), damaged };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function areTimers(value: unknown): value is readonly StoredTimer[] {
  if (!Array.isArray(value)) return false;
  return value.every(
    (timer) =>
      isObject(timer) && typeof timer['id'] === 'string' && Number.isFinite(timer['dueAtMs']),
  );
}

type Outcome = Result<Committed, StoreFailure>;

/** One outcome per decision, in order; what cannot be packed is rejected alone. */
export async function packEach(
  decisions: readonly Decision[],
  commit: (packed: readonly PackedDecision[]) => Promise<readonly Outcome[]>,
): Promise<readonly Outcome[]> {
  const tried = decisions.map(packDecision);
  const packed = tried.flatMap((one) => (one.ok ? [one.value] : []));
  const outcomes = await commit(packed);
  if (packed.length === tried.length) return outcomes;
  const committed = outcomes[Symbol.iterator]();
  return tried.map((one) => (one.ok ? (committed.next().value ?? NO_ANSWER) : one));
}

const NO_ANSWER: Outcome = fail({ code: 'unavailable', message: 'the store gave no answer' });

function rejected(message: string): StoreFailure {
  return { code: 'rejected', message };
}
