/**
 * Which rows a pass takes: the oldest that wait in no blocked lane. While there is a backlog passes grow,
 * and the store reads on as the sink writes.
 *
 * Rule: [OB-6] a pass reads, sends and remembers a bounded amount.
 */
import type { OutboxSettings } from '../machines/model/messages.js';
import { ok, type Result } from '../machines/model/result.js';
import type { PendingRow } from '../src/ports/store.js';
import { type Ahead, type Backlog, type OutboxPorts, passLimits } from './outbox-backlog.js';
import { dueLanes, isBlocked } from './outbox-lanes.js';

export interface Picked {
  readonly rows: readonly PendingRow[];
  /** Last row looked at. */
  readonly lookedSeq: number;
  readonly more: boolean;
  /** Heads of keys that are newer than what the rows say. */
  readonly heads: Ahead['heads'];
}

/** A backlog that does not end is sent in ever larger passes: what a disk is waited for is shared by more. */
export function batchOf({ fullPasses }: Backlog, { batchSize }: OutboxSettings): number {
  const doublings = Math.max(0, fullPasses - passLimits.plainPasses);
  return Math.max(batchSize, Math.min(passLimits.batchMax, batchSize * 2 ** doublings));
}

/** Lanes whose wait is over are looked at again from their first row. */
export function release(backlog: Backlog, nowMs: number): void {
  for (const [key, { headSeq }] of dueLanes(backlog.lanes, nowMs)) {
    backlog.lanes.delete(key);
    backlog.doneSeq = Math.min(backlog.doneSeq, headSeq - 1);
  }
}

export async function pick(
  store: OutboxPorts['store'],
  backlog: Backlog,
  batchSize: number,
): Promise<Result<Picked, { readonly message: string }>> {
  const { doneSeq, lanes, rescan } = backlog;
  const rows: PendingRow[] = [];
  let heads: Ahead['heads'] = new Map();
  backlog.rescan = false;
  // With no lane blocked all that is pending may go, also what an operator has put back.
  let lookedSeq = rescan || (lanes.size === 0 && backlog.ahead === undefined) ? 0 : doneSeq;
  for (let page = 0; page < passLimits.pagesMax; page += 1) {
    const found = await pageOf(store, backlog, { afterSeq: lookedSeq, max: batchSize });
    const { read } = found;
    if (!read.ok) return read;
    if (page === 0) heads = found.heads;
    for (const row of read.value) {
      if (rows.length === batchSize) return ok({ rows, lookedSeq, more: true, heads });
      lookedSeq = row.seq;
      if (!isBlocked(lanes, row)) rows.push(row);
    }
    if (read.value.length < batchSize) return ok({ rows, lookedSeq, more: false, heads });
  }
  return ok({ rows, lookedSeq, more: true, heads });
}

interface Page {
  readonly afterSeq: number;
  readonly max: number;
}

/** Rows behind the last pass do not change: a page that was asked for ahead is as good as a new one. */
async function pageOf(
  store: OutboxPorts['store'],
  backlog: Backlog,
  { afterSeq, max }: Page,
): Promise<{
  readonly read: Awaited<Ahead['page']>;
  readonly heads: Ahead['heads'];
}> {
  const { ahead } = backlog;
  backlog.ahead = undefined;
  return ahead?.afterSeq === afterSeq && ahead.max === max
    ? { read: await ahead.page, heads: ahead.heads }
    : { read: await store.outboxPending(afterSeq, max), heads: new Map() };
}

/** While there is a backlog the store reads on as the sink writes. */
export function askAhead(
  store: OutboxPorts['store'],
  backlog: Backlog,
  picked: Picked,
  max: number,
): void {
  if (!picked.more || backlog.lanes.size > 0) return;
  const afterSeq = picked.lookedSeq;
  backlog.ahead = {
    ...{ afterSeq, max, heads: backlog.writing?.heads ?? new Map() },
    page: store.outboxPending(afterSeq, max),
  };
}
