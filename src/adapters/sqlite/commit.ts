/**
 * The commit protocol: decisions in order, one transaction.
 *
 * A decision is, in this order: `fenced` when its thread is fenced off; acknowledged again when its
 * id was applied before; `stale` when its cell is not one version behind it, or an earlier one of its
 * writer was and the cell was not read since; else applied. What is wrong with its content makes it
 * `rejected` alone; trouble with the disk undoes the whole batch and makes every decision of it
 * `unavailable` [ST-1] [ST-2] [ST-3].
 *
 * There are two ways to the same end. A batch is first taken as a whole: all its rows are collected
 * and written together. When anything is not plain (a decision sent again, a late one, a farewell, a
 * row that SQLite refuses) that is undone, and the batch is taken one by one, a savepoint each [ST-18].
 */
import type Database from 'better-sqlite3';
import { assert } from '../../../machines/model/assert.js';
import type { StoreFailure } from '../../../machines/model/failures.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { Failpoints } from '../../ports/failpoints.js';
import type { PackedCell, PackedDecision } from '../../ports/packed.js';
import type { Committed } from '../../ports/store.js';
import { type Batch, createBatch } from './batch.js';
import { type Behind, createBehind } from './behind.js';
import type { Cells } from './cells.js';
import { createEventArtifacts, type EventArtifacts } from './event-artifacts.js';
import { failureOf, fenced, rejected, stale, troubleOf } from './failures.js';
import { type Coalescer, createCoalescer } from './held.js';
import { COMMIT_DECISIONS_MAX, DECISION_PARTS_MAX } from './limits.js';
import { createRecent, type Recent } from './recent.js';
import { appendDue, collectRecords, createFindApplied, type Origin } from './records.js';

export type Outcome = Result<Committed, StoreFailure>;

export interface CommitParts {
  readonly db: Database.Database;
  readonly cells: Cells;
  readonly origin: Origin;
  /** Lowest incarnation of a thread that may still write. */
  readonly fenceOf: (thread: string) => number;
  readonly failpoints: Failpoints;
  readonly nowMs: () => number;
}

interface Work extends CommitParts {
  readonly batch: Batch;
  readonly recent: Recent;
  readonly behind: Behind;
  readonly coalescer: Coalescer;
  readonly artifacts: EventArtifacts;
}

export interface Commit {
  (decisions: readonly PackedDecision[]): readonly Outcome[];
  /** Whoever was behind with this cell knows it now. */
  readAgain(address: string): void;
  readonly coalescer: Coalescer;
  /** Appends what waited long enough. Throws what SQLite throws. */
  appendDue(): void;
  /** Somebody else has written to the tables. */
  forget(): void;
}

export function createCommit(parts: CommitParts): Commit {
  const { db, failpoints } = parts;
  const behind = createBehind();
  const recent = createRecent(db, parts.cells);
  const coalescer = createCoalescer();
  const artifacts = createEventArtifacts(db);
  const batch = createBatch(db);
  const work: Work = { ...parts, batch, recent, behind, coalescer, artifacts };
  const begin = db.prepare('BEGIN IMMEDIATE');
  const end = db.prepare('COMMIT');
  const undo = db.prepare('ROLLBACK');
  const oneByOne = createOneByOne(work);

  /** `undefined`: undone, because the decisions want another way. */
  const transact = (
    decisions: readonly PackedDecision[],
    way: (decisions: readonly PackedDecision[]) => readonly Outcome[] | undefined,
  ): readonly Outcome[] | undefined => {
    let done = false;
    behind.begin();
    coalescer.begin();
    begin.run();
    try {
      const outcomes = way(decisions);
      if (outcomes === undefined) return undefined;
      failpoints.hit('commit.before');
      end.run();
      done = true;
      coalescer.keep();
      return outcomes;
    } finally {
      if (!done) {
        work.batch.clear();
        work.recent.forget();
        behind.undo();
        coalescer.undo();
      }
      // After a full disk or an I/O error SQLite may have rolled back by itself.
      if (db.inTransaction) undo.run();
    }
  };

  const commit = (decisions: readonly PackedDecision[]): readonly Outcome[] => {
    assert(
      decisions.length <= COMMIT_DECISIONS_MAX,
      'a batch holds COMMIT_DECISIONS_MAX decisions',
    );
    if (decisions.length === 0) return [];
    work.recent.trim();
    try {
      // Before the transaction: an event never names what is not there.
      artifacts.writeAll(decisions);
      const outcomes =
        transact(decisions, (all) => asAWhole(work, all)) ?? transact(decisions, oneByOne) ?? [];
      failpoints.hit('commit.after');
      return outcomes;
    } catch (error) {
      const failure: StoreFailure = { ...failureOf(error), code: 'unavailable' };
      return decisions.map(() => fail(failure));
    }
  };
  const appendHeld = (): void => {
    if (coalescer.dueInMs(parts.nowMs()) !== 0) return;
    transact([], () => {
      appendDue(work, coalescer.due(parts.nowMs()));
      work.batch.write();
      return [];
    });
  };
  return Object.assign(commit, {
    ...{ readAgain: behind.readAgain, coalescer, appendDue: appendHeld },
    forget: () => recent.forget(),
  });
}

/** All or nothing: `undefined` when one of them is not plain. */
function asAWhole(
  work: Work,
  decisions: readonly PackedDecision[],
): readonly Outcome[] | undefined {
  const outcomes: Outcome[] = [];
  for (const decision of decisions) {
    const [, , , , thread, incarnation, , forget] = decision;
    if (forget || incarnation < work.fenceOf(thread)) return undefined;
    if (!work.behind.none && work.behind.has(decision)) return undefined;
    const outcome = collect(work, decision);
    if (!outcome.ok) return undefined;
    outcomes.push(outcome);
  }
  try {
    work.batch.write();
    return outcomes;
  } catch (error) {
    if (troubleOf(error) === 'content') return undefined;
    throw error;
  }
}

function createOneByOne(work: Work): (decisions: readonly PackedDecision[]) => readonly Outcome[] {
  const { db, batch, recent } = work;
  const findApplied = createFindApplied(db);
  const savepoint = db.prepare('SAVEPOINT decision');
  const release = db.prepare('RELEASE decision');
  const undo = db.prepare('ROLLBACK TO decision');

  const guarded = (decision: PackedDecision): Outcome => {
    savepoint.run();
    const outcome = applyOrReject(work, decision);
    if (!outcome.ok) {
      undo.run();
      batch.clear();
      recent.forget();
    }
    release.run();
    return outcome;
  };

  const decide = (decision: PackedDecision): Outcome => {
    const [, , , , thread, incarnation] = decision;
    const fence = work.fenceOf(thread);
    if (incarnation < fence) {
      return fail(fenced(`${thread} is at incarnation ${fence}, not ${incarnation}`));
    }
    const applied = findApplied(decision);
    if (applied !== undefined) return ok(applied);
    const outcome = work.behind.has(decision) ? fail(stale(IS_BEHIND)) : guarded(decision);
    if (isOvertaken(work, decision, outcome)) work.behind.add(decision);
    return outcome;
  };
  return (decisions) => decisions.map(decide);
}

/** The row is where it wanted to go, or further: not one that lacks what was sent before it. */
function isOvertaken({ recent }: Work, decision: PackedDecision, outcome: Outcome): boolean {
  if (outcome.ok || outcome.failure.code !== 'stale') return false;
  const [, , actor, , , , , , cell] = decision;
  return cell !== null && cell[5] <= recent.versionOf(actor);
}

const IS_BEHIND = 'an earlier decision was stale, and the cell was not read since';

/** Catches only what SQLite says about the row itself; trouble with the disk is thrown on. */
function applyOrReject(work: Work, decision: PackedDecision): Outcome {
  try {
    const outcome = collect(work, decision);
    if (!outcome.ok) return outcome;
    work.batch.write();
    const [, , actor, , , , , forget] = decision;
    if (forget) work.cells.remove(actor);
    return outcome;
  } catch (error) {
    if (troubleOf(error) === 'content') return fail(failureOf(error));
    throw error;
  }
}

/** The rows of one decision, or why there are none. */
function collect(work: Work, decision: PackedDecision): Outcome {
  const [id, , , , , , , , , spawns, records] = decision;
  if (Math.max(spawns.length, records.length) > DECISION_PARTS_MAX) {
    return fail(rejected(`decision ${id} has more than DECISION_PARTS_MAX parts`));
  }
  const refusal = ownRow(work, decision);
  if (refusal !== undefined) return fail(refusal);
  for (const spawn of spawns) {
    const clash = childRow(work, spawn);
    if (clash !== undefined) return fail(clash);
  }
  return collectRecords(work, decision);
}

function ownRow({ batch, recent }: Work, decision: PackedDecision): StoreFailure | undefined {
  const [, , actor, , , , , forget, cell] = decision;
  if (cell !== null) {
    const [address, , , machineVersion, , version, incarnation] = cell;
    if (address !== actor) return rejected(`${actor} may not write ${address}`);
    const have = recent.versionOf(actor);
    if (version !== have + 1) {
      return stale(`${actor} is at version ${have}: version ${version} does not follow`);
    }
    // A later row of the same batch may take its place: SQLite would never see this one.
    if (!Number.isSafeInteger(machineVersion) || !Number.isSafeInteger(incarnation)) {
      return rejected(`${actor}: versions and incarnations are whole numbers`);
    }
  }
  if (forget) recent.setVersion(actor, 0);
  else if (cell !== null) {
    batch.cell(cell);
    recent.setVersion(actor, cell[5]);
  }
  return undefined;
}

/** A child's first row: there already and the same is fine, there and different is not. */
function childRow({ batch, cells, recent }: Work, row: PackedCell): StoreFailure | undefined {
  const [address] = row;
  if (recent.versionOf(address) === 0) {
    batch.cell(row);
    recent.setVersion(address, row[5]);
    return undefined;
  }
  const have = cells.find(address);
  const same = have !== undefined && sameCell(have, row);
  return same ? undefined : rejected(`${address} exists and is not what was to be spawned`);
}

/** Whoever wrote it: the incarnation is not part of what a cell is. */
function sameCell(a: PackedCell, b: PackedCell): boolean {
  return a.every((column, index) => column === b[index] || index === INCARNATION);
}

const INCARNATION = 6;
