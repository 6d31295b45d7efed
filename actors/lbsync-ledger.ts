/**
 * The ledger as lbsync sees it: a copy of what the store has, and the writes still to be made. Writes
 * are asked for and answered later: nothing that protects traffic ever waits for the disk.
 *
 * Rules: [LB-43] a VIP is added only when the ledger has it; [LB-44] a write that fails is tried again
 * for as long as it is still wanted; [LB-45] an unreadable ledger authorises nothing.
 */
import { type FrontendName, parseFrontendName } from '../machines/model/ids.js';
import { type VipAttributes, type VipKey, vipKey } from '../machines/model/lb.js';
import type { LedgerEntry, Store } from '../src/ports/store.js';

export interface Ledger {
  loaded: boolean;
  /** Acknowledged by the store. */
  readonly entries: Map<VipKey, LedgerEntry>;
  /** Attributes VPP was given, by key: the entries' and, between op and write, newer ones. */
  readonly told: Map<VipKey, VipAttributes>;
  /** Wanted writes, the latest per key; `undefined` removes. */
  readonly pending: Map<VipKey, LedgerEntry | undefined>;
  /** A read or a write of the store is out. */
  writing: boolean;
  /** Monotonic; after a failure the store is left alone until then. */
  retryAt: number;
  problem: string | undefined;
}

export function createLedger(): Ledger {
  return {
    loaded: false,
    entries: new Map(),
    told: new Map(),
    pending: new Map(),
    writing: false,
    retryAt: 0,
    problem: undefined,
  };
}

/** Never rejects. A ledger that cannot be read stays as it is: empty, and not `loaded`. */
export async function loadLedger(ledger: Ledger, store: Store): Promise<void> {
  if (ledger.loaded) return;
  const answer = await store.ledger();
  ledger.problem = answer.ok ? undefined : answer.failure.message;
  if (!answer.ok) return;
  ledger.loaded = true;
  for (const entry of answer.value) {
    ledger.entries.set(vipKey(entry.vip), entry);
    ledger.told.set(vipKey(entry.vip), entry.attributes);
  }
}

/** Whose VIP it is; undefined for a name no frontend can have. */
export function frontendOf({ frontend }: LedgerEntry): FrontendName | undefined {
  return parseFrontendName(frontend);
}

export function keysOf(ledger: Ledger, frontend: FrontendName): readonly VipKey[] {
  return [...ledger.entries].filter(([, entry]) => entry.frontend === frontend).map(([key]) => key);
}

/** Asks for an entry unless the store has this very one. */
export function enter(ledger: Ledger, entry: LedgerEntry): void {
  const key = vipKey(entry.vip);
  const present = ledger.entries.get(key);
  if (present !== undefined && isSameEntry(present, entry)) forgetWrite(ledger, key);
  else ledger.pending.set(key, entry);
}

export function strike(ledger: Ledger, key: VipKey): void {
  ledger.told.delete(key);
  // A write that is out may put what is struck here.
  if (ledger.entries.has(key) || ledger.writing) ledger.pending.set(key, undefined);
  else forgetWrite(ledger, key);
}

/** With nothing left to write there is nothing to complain about. */
function forgetWrite(ledger: Ledger, key: VipKey): void {
  ledger.pending.delete(key);
  if (ledger.loaded && ledger.pending.size === 0) ledger.problem = undefined;
}

export function hasWrites({ loaded, pending, writing }: Ledger): boolean {
  return loaded && !writing && pending.size > 0;
}

/** Makes the pending writes, one after the other; what fails stays pending. Never rejects. */
export async function writeLedger(ledger: Ledger, store: Store): Promise<void> {
  ledger.problem = undefined;
  for (const [key, entry] of [...ledger.pending]) {
    const answer = await (entry === undefined ? store.ledgerRemove(key) : store.ledgerPut(entry));
    if (!answer.ok) {
      ledger.problem = answer.failure.message;
      break;
    }
    if (ledger.pending.get(key) === entry) ledger.pending.delete(key);
    if (entry !== undefined) acknowledge(ledger, key, entry);
    else {
      ledger.entries.delete(key);
      if (!ledger.pending.has(key)) ledger.told.delete(key);
    }
  }
}

function acknowledge(ledger: Ledger, key: VipKey, entry: LedgerEntry): void {
  ledger.entries.set(key, entry);
  if (!ledger.told.has(key)) ledger.told.set(key, entry.attributes);
}

function isSameEntry(left: LedgerEntry, right: LedgerEntry): boolean {
  const [a, b] = [left.attributes, right.attributes];
  return (
    left.frontend === right.frontend &&
    a.encap === b.encap &&
    a.dscp === b.dscp &&
    a.srcIpSticky === b.srcIpSticky &&
    a.tableLength === b.tableLength
  );
}
