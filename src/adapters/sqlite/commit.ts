/**
 * The commit protocol: decisions in order, one transaction, a savepoint each.
 *
 * A decision is, in this order: `stale` when its thread is fenced off; acknowledged again when its
 * id was applied before; `stale` when its cell is not one version behind it; else applied. What is
 * wrong with its content makes it `rejected` alone; trouble with the disk undoes the whole batch
 * and makes every decision of it `unavailable` [ST-1] [ST-2] [ST-3].
 */
import type Database from 'better-sqlite3';
import { assert } from '../../../machines/model/assert.js';
import type { StoreFailure } from '../../../machines/model/failures.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { Failpoints } from '../../ports/failpoints.js';
import type { Committed, Decision } from '../../ports/store.js';
import type { Cells } from './cells.js';
import { failureOf, rejected, stale, troubleOf } from './failures.js';
import { COMMIT_DECISIONS_MAX, DECISION_PARTS_MAX } from './limits.js';
import type { Records } from './records.js';
import { type CellRow, encodeCell } from './rows.js';

export type Outcome = Result<Committed, StoreFailure>;

export interface CommitParts {
  readonly db: Database.Database;
  readonly cells: Cells;
  readonly records: Records;
  /** Lowest incarnation of a thread that may still write. */
  readonly fenceOf: (thread: string) => number;
  readonly failpoints: Failpoints;
}

export function createCommit(
  parts: CommitParts,
): (decisions: readonly Decision[]) => readonly Outcome[] {
  const { db, failpoints } = parts;
  const begin = db.prepare('BEGIN IMMEDIATE');
  const end = db.prepare('COMMIT');
  const undo = db.prepare('ROLLBACK');
  const decide = createDecide(parts);

  const transact = (decisions: readonly Decision[]): readonly Outcome[] => {
    begin.run();
    try {
      const outcomes = decisions.map(decide);
      failpoints.hit('commit.before');
      end.run();
      return outcomes;
    } finally {
      // After a full disk or an I/O error SQLite may have rolled back by itself.
      if (db.inTransaction) undo.run();
    }
  };

  return (decisions) => {
    assert(
      decisions.length <= COMMIT_DECISIONS_MAX,
      'a batch holds COMMIT_DECISIONS_MAX decisions',
    );
    if (decisions.length === 0) return [];
    try {
      const outcomes = transact(decisions);
      failpoints.hit('commit.after');
      return outcomes;
    } catch (error) {
      const failure: StoreFailure = { ...failureOf(error), code: 'unavailable' };
      return decisions.map(() => fail(failure));
    }
  };
}

function createDecide(parts: CommitParts): (decision: Decision) => Outcome {
  const { db, records } = parts;
  const savepoint = db.prepare('SAVEPOINT decision');
  const release = db.prepare('RELEASE decision');
  const undo = db.prepare('ROLLBACK TO decision');

  const guarded = (decision: Decision): Outcome => {
    savepoint.run();
    const outcome = applyOrReject(parts, decision);
    if (!outcome.ok) undo.run();
    release.run();
    return outcome;
  };

  return (decision) => {
    const fence = parts.fenceOf(decision.thread);
    if (decision.incarnation < fence) {
      return fail(
        stale(`${decision.thread} is at incarnation ${fence}, not ${decision.incarnation}`),
      );
    }
    const applied = records.findApplied(decision);
    return applied === undefined ? guarded(decision) : ok(applied);
  };
}

/** Catches only what SQLite says about the row itself; trouble with the disk is thrown on. */
function applyOrReject(parts: CommitParts, decision: Decision): Outcome {
  try {
    return apply(parts, decision);
  } catch (error) {
    if (troubleOf(error) === 'content') return fail(failureOf(error));
    throw error;
  }
}

function apply(parts: CommitParts, decision: Decision): Outcome {
  if (Math.max(decision.spawns.length, decision.records.length) > DECISION_PARTS_MAX) {
    return fail(rejected(`decision ${decision.id} has more than DECISION_PARTS_MAX parts`));
  }
  const written = writeOwnRow(parts, decision);
  if (!written.ok) return written;
  for (const spawn of decision.spawns) {
    const row = encodeCell(spawn, decision.incarnation);
    if (!row.ok) return row;
    const inserted = insertChild(parts.cells, row.value);
    if (!inserted.ok) return inserted;
  }
  return parts.records.append(decision);
}

function writeOwnRow({ cells }: CommitParts, decision: Decision): Result<void, StoreFailure> {
  const { cell, actor } = decision;
  if (cell !== undefined) {
    if (cell.address !== actor) return fail(rejected(`${actor} may not write ${cell.address}`));
    const have = cells.versionOf(actor);
    if (cell.version !== have + 1) {
      return fail(stale(`${actor} is at version ${have}: version ${cell.version} does not follow`));
    }
  }
  if (decision.forget) cells.remove(actor);
  else if (cell !== undefined) {
    const row = encodeCell(cell, decision.incarnation);
    if (!row.ok) return row;
    cells.put(row.value);
  }
  return ok(undefined);
}

/** A child's first row: there already and the same is fine, there and different is not. */
function insertChild(cells: Cells, row: CellRow): Result<void, StoreFailure> {
  const have = cells.find(row.address);
  if (have === undefined) cells.put(row);
  else if (!sameCell(have, row)) {
    return fail(rejected(`${row.address} exists and is not what was to be spawned`));
  }
  return ok(undefined);
}

/** Whoever wrote it: the incarnation is not part of what a cell is. */
function sameCell(a: CellRow, b: CellRow): boolean {
  return JSON.stringify({ ...a, incarnation: 0 }) === JSON.stringify({ ...b, incarnation: 0 });
}
