/**
 * The store once more, as plainly as it can be said: lists and maps, one decision after the other. Kept
 * to the same contract as the real one, it is what that is compared with.
 */
import type { Address } from '../../machines/model/ids.js';
import { vipKey } from '../../machines/model/lb.js';
import { fail, ok, type Result } from '../../machines/model/result.js';
import { rejected, stale } from '../../src/adapters/sqlite/failures.js';
import { DECISION_PARTS_MAX } from '../../src/adapters/sqlite/limits.js';
import { packDecision } from '../../src/ports/packed.js';
import type {
  ArtifactPart,
  Committed,
  Decision,
  JournalEntry,
  LedgerEntry,
  OutboxOutcome,
  OutboxRow,
  Store,
  StoredCell,
} from '../../src/ports/store.js';
import { pendingRow } from './memory-outbox.js';

type Outcome = Awaited<ReturnType<Store['commit']>>[number];

interface Entry extends JournalEntry {
  readonly subject: Address;
  readonly root: string;
  readonly outboxSeq: number;
}

interface Book {
  cells: Map<Address, StoredCell>;
  journal: readonly Entry[];
  outbox: readonly OutboxRow[];
  aggregates: Map<string, { readonly version: number; readonly level: string | undefined }>;
  silent: Set<string>;
}

export function twinStore(origin: { readonly node: string; readonly epoch: number }): Store {
  let book: Book = {
    ...{ cells: new Map(), journal: [], outbox: [] },
    ...{ aggregates: new Map(), silent: new Set() },
  };
  const fences = new Map<string, number>();
  const behind = new Map<Address, string>();
  const writerOf = ({ thread, incarnation }: Decision): string => `${thread} ${incarnation}`;

  const decide = (decision: Decision): Outcome => {
    const fence = fences.get(decision.thread) ?? 0;
    if (decision.incarnation < fence) return fail({ code: 'fenced', message: `${fence}` });
    const known = applied(book, decision);
    if (known !== undefined) return ok(known);
    if (behind.get(decision.actor) === writerOf(decision)) return fail(stale('behind'));
    // What is refused has changed a copy.
    const draft: Book = {
      ...book,
      cells: new Map(book.cells),
      aggregates: new Map(book.aggregates),
      silent: new Set(book.silent),
    };
    const outcome = apply(draft, decision, origin);
    const have = book.cells.get(decision.actor)?.version ?? 0;
    const overtaken = decision.cell !== undefined && decision.cell.version <= have;
    if (outcome.ok) book = draft;
    else if (outcome.failure.code === 'stale' && overtaken) {
      behind.set(decision.actor, writerOf(decision));
    }
    return outcome;
  };

  return {
    load: async (kinds) =>
      ok(cellsOf(book).filter(({ address }) => kinds.includes(address.split('/')[0] ?? ''))),
    loadFamily: async (address) => {
      behind.delete(address);
      return ok(cellsOf(book).filter((row) => row.address === address || row.parent === address));
    },
    commit: async (decisions) =>
      decisions.map((decision) => {
        const packed = packDecision(decision);
        return packed.ok ? decide(plain(decision)) : packed;
      }),
    fence: async (thread, incarnation) =>
      ok(void fences.set(thread, Math.max(incarnation, fences.get(thread) ?? 0))),
    ...outboxOf(
      () => book.outbox,
      (rows) => {
        book = { ...book, outbox: rows };
      },
    ),
    ...journalOf(() => book.journal),
    ...registers(),
    close: async () => undefined,
  };
}

function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

function cellsOf({ cells }: Book): readonly StoredCell[] {
  return [...cells.values()].sort((a, b) => (a.address < b.address ? -1 : 1));
}

function applied({ journal, silent }: Book, { id }: Decision): Committed | undefined {
  if (silent.has(id)) return { id, outboxSeq: 0, journalSeq: 0 };
  const entries = journal.filter((entry) => entry.id === id);
  if (entries.length === 0) return undefined;
  const outboxSeq = Math.max(...entries.map((entry) => entry.outboxSeq));
  return { id, outboxSeq, journalSeq: Math.max(...entries.map(({ seq }) => seq)) };
}

function apply(
  book: Book,
  decision: Decision,
  origin: { readonly node: string; readonly epoch: number },
): Outcome {
  const { actor, at, cell, forget, incarnation, records, spawns } = decision;
  if (Math.max(spawns.length, records.length) > DECISION_PARTS_MAX) return fail(rejected('parts'));
  const have = book.cells.get(actor);
  if (cell !== undefined) {
    if (cell.address !== actor) return fail(rejected('not its own row'));
    if (cell.version !== (have?.version ?? 0) + 1) return fail(stale('version'));
    if (!Number.isInteger(cell.machineVersion)) return fail(rejected('no integer'));
    const parent = cell.parent ?? have?.parent;
    if (!forget) book.cells.set(actor, { ...cell, parent, incarnation });
  }
  if (forget) book.cells.delete(actor);
  for (const spawn of spawns) {
    const row = { ...spawn, parent: spawn.parent, incarnation };
    const there = book.cells.get(spawn.address);
    const same = (one: StoredCell): string => JSON.stringify(entriesOf({ ...one, incarnation: 0 }));
    if (there !== undefined && same(there) !== same(row)) return fail(rejected('clash'));
    if (there === undefined) book.cells.set(spawn.address, row);
  }
  if (!Number.isSafeInteger(at) || Math.abs(at) > 8.64e15) return fail(rejected('no time'));
  return ok(recorded(book, decision, origin));
}

/** The level of what has left. */
const GONE = '-';

function entriesOf(row: StoredCell): readonly (readonly [string, unknown])[] {
  return Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1));
}

function recorded(
  book: Book,
  decision: Decision,
  { node, epoch }: { readonly node: string; readonly epoch: number },
): Committed {
  const { id, actor, at, cause, configGeneration } = decision;
  const root = book.journal.find((entry) => entry.id === cause)?.root ?? (cause || id);
  let outboxMax = 0;
  let entries = 0;
  for (const [part, { event, rule, numbers, publish }] of decision.records.entries()) {
    const key = publish && `${publish.aggregateKind}/${publish.aggregateId}`;
    const was = book.aggregates.get(key ?? '') ?? { version: 0, level: undefined };
    const isThere = was.level !== undefined && was.level !== GONE;
    if (publish?.presence !== undefined && isThere === (publish.presence === 'arrives')) continue;
    entries += 1;
    const isPresence = publish?.presence !== undefined;
    const isNews = isPresence || publish?.level === undefined || publish.level !== was.level;
    let outboxSeq = 0;
    if (publish !== undefined && key !== undefined && isNews) {
      const { aggregateKind, aggregateId, tenantId, data } = publish;
      const level = publish.presence === 'leaves' ? GONE : publish.level;
      const aggregateVersion = was.version + 1;
      outboxSeq = (book.outbox.at(-1)?.seq ?? 0) + 1;
      outboxMax = outboxSeq;
      book.aggregates.set(key, { version: aggregateVersion, level });
      const named = { ...(tenantId === undefined ? {} : { tenantId }), aggregateKind, aggregateId };
      const from = { causationId: id, correlationId: root, configGeneration };
      const row: OutboxRow = {
        ...{ seq: outboxSeq, state: 'pending', attempts: 0, createdAt: at },
        event: {
          ...{ eventId: `${id}.${part}`, type: event, schema: 1, node, epoch, ...named },
          ...{ aggregateVersion, orderingKey: key, ...from },
          ...{ occurredAt: new Date(at).toISOString(), controlVersion: 0, data },
        },
      };
      book.outbox = [...book.outbox, row];
    }
    const seq = book.journal.length + 1;
    const entry = { seq, id, at, actor, event, rule, numbers, cause };
    book.journal = [
      ...book.journal,
      { ...entry, subject: (key as Address | undefined) ?? actor, root, outboxSeq },
    ];
  }
  if (entries === 0) book.silent.add(id);
  const journalSeq = entries === 0 ? 0 : book.journal.length;
  return { id, outboxSeq: outboxMax, journalSeq };
}

function journalOf(entries: () => readonly Entry[]) {
  const shown = (some: readonly Entry[]): Result<readonly JournalEntry[], never> =>
    ok(
      some.map(({ subject, root: _r, outboxSeq: _o, ...entry }) =>
        subject === entry.actor ? entry : { ...entry, subject },
      ),
    );
  const few = (some: readonly Entry[], max: number) => some.slice(0, Math.max(0, max));
  return {
    journal: async (after, max) => shown(few(entries().slice(after), max)),
    journalHead: async () => ok(entries().length),
    journalOf: async (actor, max) => {
      const about = entries().filter((entry) => entry.actor === actor || entry.subject === actor);
      return shown(few([...about].reverse(), max));
    },
    journalById: async (id) => shown(entries().filter((entry) => entry.id === id)),
  } satisfies Partial<Store>;
}

function outboxOf(rows: () => readonly OutboxRow[], set: (rows: readonly OutboxRow[]) => void) {
  const written = (row: OutboxRow, outcome: Partial<OutboxOutcome>) => {
    if (row.state !== 'pending') return row;
    const { controlVersion, error, dead } = outcome;
    const sent = withPrevious(row, outcome.previousHash);
    if (controlVersion !== undefined) {
      return { ...sent, state: 'published' as const, event: { ...sent.event, controlVersion } };
    }
    if (error === undefined) return row;
    const attempts = row.attempts + 1;
    const state = dead === true ? ('dead' as const) : row.state;
    return { ...sent, attempts, state, lastError: error.slice(0, 200) };
  };
  const heads = new Map<string, string>();
  const named = (row: string) =>
    rows().find(
      ({ state, seq, event }) => state === 'dead' && (String(seq) === row || event.eventId === row),
    );
  const change = (seq: number, to: Partial<OutboxRow>): void =>
    set(rows().map((row) => (row.seq === seq ? { ...row, ...to } : row)));
  const pending = () => rows().filter(({ state }) => state === 'pending');
  const dead = () => rows().filter(({ state }) => state === 'dead');
  return {
    outboxPending: async (after, max) =>
      ok(
        pending()
          .filter(({ seq }) => seq > after)
          .slice(0, max)
          .map((row) => pendingRow(row, heads)),
      ),
    outboxClaim: async ({ leaseMs }) =>
      ok({ granted: true, forMs: leaseMs, lastControlVersion: 0 }),
    outboxAmend: async (amendment) => {
      if (amendment.verb === 'republish') {
        const again = rows().filter(({ state }) => state === 'published' || state === 'dead');
        for (const { seq, attempts } of again) {
          change(seq, { state: 'pending', attempts: Math.max(0, attempts - 1) });
        }
        return ok({ rows: again.length });
      }
      const row = named(amendment.row);
      if (row === undefined) return ok({ rows: 0 });
      const { seq, event } = row;
      if (amendment.verb === 'requeue') change(seq, { state: 'pending', attempts: 0 });
      else change(seq, { state: 'discarded', lastError: amendment.reason.slice(0, 200) });
      return ok({ rows: 1, eventId: event.eventId });
    },
    outboxWriteBack: async (outcomes) => {
      for (const { head } of outcomes) if (head !== undefined) heads.set(head.key, head.hash);
      const by = new Map(outcomes.map((outcome) => [outcome.seq, outcome]));
      set(rows().map((row) => written(row, by.get(row.seq) ?? {})));
      return ok(undefined);
    },
    outboxList: async (filter) =>
      ok([...(filter.dead === true ? dead() : rows())].reverse().slice(0, filter.limit)),
    outboxCounts: async () => {
      const oldest = pending()[0]?.createdAt;
      const counts = { pending: pending().length, dead: dead().length };
      return ok(oldest === undefined ? counts : { ...counts, oldestPendingAt: oldest });
    },
  } satisfies Partial<Store>;
}

function withPrevious(row: OutboxRow, previousHash: string | undefined): OutboxRow {
  if (previousHash === undefined || row.wasSent === true) return row;
  const event = previousHash === '' ? row.event : { ...row.event, previousHash };
  return { ...row, event, wasSent: true };
}

function registers() {
  const meta = new Map<string, string>();
  const ledger = new Map<string, LedgerEntry>();
  const artifacts = new Map<string, Map<number, ArtifactPart>>();
  const idOf = (kind: string, hash: string): string => `${kind}/${hash}`;
  return {
    artifactPut: async (part) => {
      const id = idOf(part.kind, part.hash);
      const parts = artifacts.get(id) ?? new Map<number, ArtifactPart>();
      if (!parts.has(part.part)) parts.set(part.part, part);
      return ok(void artifacts.set(id, parts));
    },
    artifactGet: async (kind, hash, part) => {
      const parts = artifacts.get(idOf(kind, hash));
      const found = parts?.get(part);
      return ok(parts?.size === found?.parts ? found?.bytes : undefined);
    },
    artifactsKeep: async (kind, hashes) => {
      const kept = hashes.map((hash) => idOf(kind, hash));
      for (const id of [...artifacts.keys()]) {
        if (id.startsWith(`${kind}/`) && !kept.includes(id)) artifacts.delete(id);
      }
      return ok(undefined);
    },
    ledger: async () => ok([...ledger].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one)),
    ledgerPut: async (entry) => ok(void ledger.set(vipKey(entry.vip), entry)),
    ledgerRemove: async (key) => ok(void ledger.delete(key)),
    metaGet: async (key) => ok(meta.get(key)),
    metaSet: async (key, value) => ok(void meta.set(key, value)),
  } satisfies Partial<Store>;
}
