/**
 * The bulk data of lbsync, beside its machine: one mutable record per activation, owned by the actor.
 * Nothing here is stored. After a restart frontends say again what they want, VPP is read again, and
 * the ledger is loaded again.
 */
import type { Rebuild } from '../machines/lbsync.js';
import { RETRY_MAX_MS, RETRY_MIN_MS } from '../machines/lbsync-limits.js';
import type { FrontendName } from '../machines/model/ids.js';
import type { LbConf, VipKey } from '../machines/model/lb.js';
import type { LbsyncSettings } from '../machines/model/messages.js';
import { NO_OVERRIDES, type Overrides } from '../machines/model/overrides.js';
import { createMemory, type Memory } from '../src/lb/memory.js';
import type { Mirror } from '../src/lb/packed/side.js';
import type { Finding } from '../src/lb/steps.js';
import type { Clock } from '../src/ports/clock.js';
import type { Dataplane } from '../src/ports/dataplane.js';
import type { Failpoints } from '../src/ports/failpoints.js';
import type { Metrics } from '../src/ports/metrics.js';
import type { Store } from '../src/ports/store.js';
import type { Scope } from '../src/runtime/actor-type.js';
import { createLedger, type Ledger } from './lbsync-ledger.js';
import { createWants, type Wants } from './lbsync-wants.js';

export interface LbsyncPorts {
  /** Absent: `driver: none`, everything wanted counts as applied. */
  readonly dataplane: Dataplane | undefined;
  readonly store: Store;
  readonly driver?: 'vpp' | 'simulated' | 'none';
  readonly metrics?: Metrics;
  readonly failpoints?: Failpoints;
}

export interface VipFailure {
  readonly count: number;
  /** Monotonic. */
  readonly retryAt: number;
  readonly problem: string;
  /** Wall clock of the first in a row. */
  readonly since: number;
}

/** What a read found that none of our writes made. */
export interface ForeignWrite {
  readonly what: string;
  /** Wall clock of the first read in a row that found something. */
  readonly since: number;
}

/** VPP came back empty; kept until everything wanted is there again. */
export interface RebuildInProgress {
  readonly lostAt: number;
  readonly detectedAt: number;
  ops: number;
  readonly frontends: Set<FrontendName>;
}

export interface VerdictOnItsWay {
  /** Wall clock. */
  readonly atMs: number;
  /** `vppMs` when we heard of it. */
  readonly vppMs: number;
}

export interface LbsyncState {
  readonly ports: LbsyncPorts;
  readonly clock: Clock;
  readonly wants: Wants;
  readonly ledger: Ledger;
  readonly memory: Memory;
  settings: LbsyncSettings | undefined;
  /** Monotonic: warm-up counts from here. */
  settingsSince: number | undefined;
  /** Number of the connection that may write; a pass of an earlier one stops. */
  session: number;
  /** As the book beside lbsync has them: what operators froze. */
  overrides: Overrides;
  stopped: boolean;
  pid: number | undefined;
  /** Wall clock when contact with VPP was lost. */
  lostAt: number | undefined;
  /** Why this VPP can be read and not written; until another one is connected. */
  readOnly: string | undefined;
  /** What VPP has; unknown until the first read of a connection. */
  mirror: Mirror | undefined;
  conf: LbConf | undefined;
  confProblem: string | undefined;
  /** VIPs that were there before us: nobody touches them for `startupMinDelayMs`. */
  foundAtStart: ReadonlySet<VipKey> | undefined;
  /** VIPs whose flushes of an earlier process were taken as done. */
  readonly met: Set<VipKey>;
  /** Wanted VIPs in VPP that were never ours, and since when we know; monotonic. */
  readonly strangers: Map<VipKey, number>;
  readonly dirty: Set<VipKey>;
  /** Frontends that this life has told whether the node is drained. */
  readonly greeted: Set<FrontendName>;
  /** Frontends waiting for an answer to what they sent. */
  readonly owed: Set<FrontendName>;
  /** Last report per frontend, as text, so that nothing is told twice. */
  readonly reported: Map<FrontendName, string>;
  /** Verdicts VPP has not heard of yet. */
  readonly verdicts: Map<VipKey, VerdictOnItsWay>;
  /** How long VPP was waited for, in all; monotonic milliseconds. */
  vppMs: number;
  readonly failures: Map<VipKey, VipFailure>;
  readonly findings: Map<VipKey, Finding>;
  /** VIPs whose buckets in VPP are not those of the model. */
  mismatched: ReadonlySet<VipKey>;
  /** VIPs of ours that somebody else wrote to, as the last read found them. */
  drifts: ReadonlyMap<VipKey, ForeignWrite>;
  /** Everything was read and is being compared: what is written now is part of a full sync. */
  fullSync: boolean;
  /** Ledger VIPs nobody asked for: may go; and those that are too many to go. */
  stale: ReadonlySet<VipKey>;
  staleHeld: readonly VipKey[];
  askedForOwners: boolean;
  /** The ledger or the withdrawals changed: look for keys that were let go of. */
  reviewReleases: boolean;
  rebuild: RebuildInProgress | undefined;
  /** Finished, and not yet told. */
  rebuilt: Rebuild | undefined;
  /** What to send once the step is over. */
  outbox: (() => void)[];
}

export function createState(ports: LbsyncPorts, { clock }: Pick<Scope, 'clock'>): LbsyncState {
  return {
    ports,
    clock,
    wants: createWants(),
    ledger: createLedger(),
    memory: createMemory(),
    settings: undefined,
    settingsSince: undefined,
    session: 0,
    overrides: NO_OVERRIDES,
    stopped: false,
    pid: undefined,
    lostAt: undefined,
    readOnly: undefined,
    mirror: undefined,
    conf: undefined,
    confProblem: undefined,
    foundAtStart: undefined,
    met: new Set(),
    strangers: new Map(),
    dirty: new Set(),
    greeted: new Set(),
    owed: new Set(),
    reported: new Map(),
    verdicts: new Map(),
    vppMs: 0,
    failures: new Map(),
    findings: new Map(),
    mismatched: new Set(),
    drifts: new Map(),
    fullSync: false,
    stale: new Set(),
    staleHeld: [],
    askedForOwners: false,
    reviewReleases: false,
    rebuild: undefined,
    rebuilt: undefined,
    outbox: [],
  };
}

/** Milliseconds of warm-up gone by; none before the first settings. */
export function warmedUpMs({ settingsSince, clock }: LbsyncState): number {
  return settingsSince === undefined ? 0 : clock.monotonic() - settingsSince;
}

/** How long VIPs that were there before us stay untouched; 0 when that is over. */
export function handsOffMs(state: LbsyncState): number {
  if (state.settings === undefined) return 0;
  return Math.max(0, state.settings.startupMinDelayMs - warmedUpMs(state));
}

export function isDue({ failures, clock }: LbsyncState, key: VipKey): boolean {
  const failure = failures.get(key);
  return failure === undefined || failure.retryAt <= clock.monotonic();
}

/** The first retry follows at once, on a fresh read; then the wait doubles. */
export function noteFailure(state: LbsyncState, key: VipKey, problem: string): VipFailure {
  const before = state.failures.get(key);
  const count = (before?.count ?? 0) + 1;
  const waitMs = count === 1 ? 0 : Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** (count - 2));
  const failure: VipFailure = {
    count,
    retryAt: state.clock.monotonic() + waitMs,
    problem,
    since: before?.since ?? state.clock.now(),
  };
  state.failures.set(key, failure);
  return failure;
}

export function markAll(state: LbsyncState): void {
  for (const key of state.wants.vips.keys()) state.dirty.add(key);
  for (const key of [...state.wants.released.keys(), ...state.stale]) state.dirty.add(key);
}
