/**
 * The companion of the lbsync machine: takes messages into the state, does the outside work, and has
 * the answers ready when the machine says `publish`. A plain object: tests drive it without a host.
 *
 * Every method that returns a promise answers with an event for every outcome and never rejects.
 */
import type { LbsyncAnswer, PassOutcome, WorkParams } from '../machines/lbsync.js';
import { RETRY_MIN_MS } from '../machines/lbsync-limits.js';
import { addressOf, type FrontendName } from '../machines/model/ids.js';
import { type DesiredVip, vipKey } from '../machines/model/lb.js';
import type { FrontendMessage, LbsyncSettings } from '../machines/model/messages.js';
import type { Scope } from '../src/runtime/actor-type.js';
import { noteVerdict } from './lbsync-latency.js';
import { frontendOf, hasWrites, loadLedger, writeLedger } from './lbsync-ledger.js';
import { runPass } from './lbsync-pass.js';
import { beginRebuild, takeIn } from './lbsync-read.js';
import { reportAwaited, reportDetached, reportGone } from './lbsync-reports.js';
import { createState, type LbsyncPorts, type LbsyncState, markAll } from './lbsync-state.js';
import { awaitFrontend, isOvertaken, type Withdrawal, want, withdraw } from './lbsync-wants.js';

export interface Lbsync {
  readonly state: LbsyncState;
  configure(settings: LbsyncSettings): void;
  want(desired: DesiredVip, scope: Scope, verdictAtMs?: number): void;
  withdraw(frontend: FrontendName, withdrawal: Withdrawal): void;
  awaitFrontend(frontend: FrontendName, scope: Scope): void;
  connect(work: WorkParams): Promise<LbsyncAnswer>;
  /** Answers when the connection made under this session is lost. */
  lost(work: WorkParams): Promise<LbsyncAnswer>;
  read(work: WorkParams, scope: Scope): Promise<LbsyncAnswer>;
  apply(work: WorkParams): Promise<LbsyncAnswer>;
  ping(work: WorkParams): Promise<LbsyncAnswer | undefined>;
  /** Sends what is queued and starts what the ledger needs. */
  publish(scope: Scope): void;
  stop(): void;
}

export function createLbsync(ports: LbsyncPorts, scope: Scope): Lbsync {
  const state = createState(ports, scope);
  const losses = createLosses(state);
  return {
    state,
    configure: (settings) => configure(state, settings),
    want: (desired, from, verdictAtMs) => {
      takeWish(state, desired, from);
      noteVerdict(state, vipKey(desired.vip), verdictAtMs);
    },
    withdraw: (frontend, withdrawal) => takeWithdrawal(state, frontend, withdrawal),
    awaitFrontend: (frontend, from) => takeAwaited(state, frontend, from),
    connect: (work) => connect(state, work),
    lost: (work) => losses.next(work),
    read: (work, from) => read(state, work, from),
    apply: (work) => apply(state, work),
    ping: (work) => ping(state, work),
    publish: (from) => publish(state, from),
    stop: () => {
      state.stopped = true;
    },
  };
}

function configure(state: LbsyncState, settings: LbsyncSettings): void {
  state.settings = settings;
  state.settingsSince ??= state.clock.monotonic();
}

function takeWish(state: LbsyncState, desired: DesiredVip, scope: Scope): void {
  const { frontend, revision } = desired;
  const before = state.wants.wanted.get(frontend);
  if (isOvertaken(state.wants, frontend, revision)) return sayWhichCounts(state, frontend);
  for (const key of want(state.wants, desired, scope)) {
    state.dirty.add(key);
    // A new wish may succeed where the old one failed.
    state.failures.delete(key);
  }
  state.owed.add(frontend);
  if (before?.key !== vipKey(desired.vip)) state.reviewReleases = true;
}

/** One that we know better than it knows itself numbers its next wish above the one we tell it. */
function sayWhichCounts(state: LbsyncState, frontend: FrontendName): void {
  const wanted = state.wants.wanted.get(frontend);
  if (wanted === undefined) return;
  state.owed.add(frontend);
  state.dirty.add(wanted.key);
}

function takeWithdrawal(state: LbsyncState, frontend: FrontendName, withdrawal: Withdrawal): void {
  if (isOvertaken(state.wants, frontend, withdrawal.revision)) return;
  for (const key of withdraw(state.wants, frontend, withdrawal)) state.dirty.add(key);
  state.owed.delete(frontend);
  state.reviewReleases = true;
}

function takeAwaited(state: LbsyncState, frontend: FrontendName, scope: Scope): void {
  awaitFrontend(state.wants, frontend, scope);
  state.owed.add(frontend);
  sayWhichCounts(state, frontend);
}

async function connect(state: LbsyncState, { session }: WorkParams): Promise<LbsyncAnswer> {
  const { dataplane, metrics } = state.ports;
  if (dataplane === undefined) return { type: 'lb.absent' };
  state.session = session;
  state.mirror = undefined;
  state.readOnly = undefined;
  const answer = await dataplane.connect();
  metrics?.gauge('vpp_connected', answer.ok ? 1 : 0);
  if (!answer.ok) {
    return { type: 'lb.connectFailed', session, message: answer.failure.message };
  }
  const { pid, version } = answer.value;
  if (state.pid !== undefined && state.pid !== pid) beginRebuild(state);
  state.pid = pid;
  return { type: 'lb.connected', session, version };
}

/** One listener on the port for the life of the companion; the latest session hears of the loss. */
function createLosses(state: LbsyncState) {
  let tell: ((reason: string) => void) | undefined;
  state.ports.dataplane?.onDown((reason) => {
    noteLoss(state);
    tell?.(reason);
  });
  return {
    next: ({ session }: WorkParams): Promise<LbsyncAnswer> =>
      new Promise((resolve) => {
        tell = (reason) => resolve({ type: 'lb.lost', session, reason });
      }),
  };
}

function noteLoss(state: LbsyncState): void {
  state.lostAt ??= state.clock.now();
  state.mirror = undefined;
  state.ports.metrics?.gauge('vpp_connected', 0);
}

async function read(
  state: LbsyncState,
  { session }: WorkParams,
  scope: Scope,
): Promise<LbsyncAnswer> {
  const { dataplane } = state.ports;
  const startedAt = state.clock.monotonic();
  const answer = await dataplane?.read();
  if (answer === undefined || state.session !== session) return lostAnswer(session, 'superseded');
  if (!answer.ok) {
    noteLoss(state);
    return lostAnswer(session, answer.failure.message);
  }
  takeIn(state, answer.value, scope);
  return { type: 'lb.read', session, tookMs: state.clock.monotonic() - startedAt };
}

async function apply(state: LbsyncState, { session, marks }: WorkParams): Promise<LbsyncAnswer> {
  const { dataplane, metrics } = state.ports;
  const { mirror } = state;
  const startedAt = state.clock.monotonic();
  const outcome: PassOutcome =
    dataplane === undefined || mirror === undefined
      ? { verdict: 'lost', more: false, built: false }
      : await runPass({ state, dataplane, mirror, session });
  if (outcome.verdict === 'lost' && state.session === session) noteLoss(state);
  const seconds = (state.clock.monotonic() - startedAt) / 1000;
  metrics?.observe('lbsync_duration_seconds', seconds, { scope: 'vip' });
  metrics?.gauge('lbsync_dirty', state.dirty.size);
  return { type: 'lb.passed', session, marks, outcome };
}

async function ping(
  state: LbsyncState,
  { session }: WorkParams,
): Promise<LbsyncAnswer | undefined> {
  const answer = await state.ports.dataplane?.ping();
  if (answer === undefined || state.session !== session) return undefined;
  if (answer.ok && answer.value.pid === state.pid) return undefined;
  return lostAnswer(session, answer.ok ? 'another VPP answers' : answer.failure.message);
}

function lostAnswer(session: number, reason: string): LbsyncAnswer {
  return { type: 'lb.lost', session, reason };
}

function publish(state: LbsyncState, scope: Scope): void {
  if (state.ports.dataplane === undefined) reportDetached(state);
  else {
    reportAwaited(state);
    reportGone(state);
  }
  const queued = state.outbox;
  state.outbox = [];
  for (const send of queued) send();
  tellRebuild(state, scope);
  keepLedger(state, scope);
}

function tellRebuild(state: LbsyncState, scope: Scope): void {
  const { rebuilt } = state;
  if (rebuilt === undefined) return;
  state.rebuilt = undefined;
  const answer: LbsyncAnswer = { type: 'lb.rebuilt', rebuild: rebuilt };
  scope.tell(scope.self, answer);
}

/** Reads or writes the ledger beside everything else; the answer marks, so that a pass follows. */
function keepLedger(state: LbsyncState, scope: Scope): void {
  const { ledger, ports } = state;
  const now = state.clock.monotonic();
  if (ports.dataplane === undefined || ledger.writing || now < ledger.retryAt) return;
  if (ledger.loaded && !hasWrites(ledger)) return;
  ledger.writing = true;
  scope.run(async () => {
    if (ledger.loaded) await writeLedger(ledger, ports.store);
    else await meetLedger(state, scope);
    ledger.writing = false;
    const failed = ledger.problem !== undefined;
    ledger.retryAt = failed ? state.clock.monotonic() + RETRY_MIN_MS : 0;
    state.reviewReleases = true;
    return { type: 'ledger.answered' } as const;
  });
}

/** What the ledger adds is news to every report; and whoever it names is asked to speak. */
async function meetLedger(state: LbsyncState, scope: Scope): Promise<void> {
  const { ledger, ports } = state;
  await loadLedger(ledger, ports.store);
  if (!ledger.loaded || state.stopped) return;
  markAll(state);
  const names = new Set([...ledger.entries.values()].map(frontendOf));
  const hello: FrontendMessage = { type: 'lbsync.hello' };
  for (const name of names) {
    if (name !== undefined && isSilent(state, name)) scope.tell(addressOf('frontend', name), hello);
  }
}

function isSilent({ wants }: LbsyncState, name: FrontendName): boolean {
  return ![wants.wanted, wants.awaited, wants.withdrawn].some((words) => words.has(name));
}
