/**
 * One pass: sends a plan to VPP, one acknowledged op after the other, and keeps mirror, memory and
 * ledger in step. A VIP whose op fails is left where it is; the others go on.
 *
 * Input:  the state. Output: how it ended; answers for frontends are queued, not sent.
 *
 * Rules: [LB-14] after each op the mirror is true; [LB-52] a step whose wish changed meanwhile is left
 * to the next pass; [LB-53] at most PASS_STEPS_MAX VIPs per pass; [LB-54] no op but the add of a VIP
 * waits for the store.
 */
import type { PassOutcome } from '../machines/lbsync.js';
import { RETRY_MIN_MS } from '../machines/lbsync-limits.js';
import { unreachable } from '../machines/model/assert.js';
import type { LbFailure } from '../machines/model/failures.js';
import type { FrontendName } from '../machines/model/ids.js';
import type { LbOp, VipKey } from '../machines/model/lb.js';
import type { PackedDesired } from '../machines/model/lb-packed.js';
import type { Result } from '../machines/model/result.js';
import { diffConf } from '../src/lb/conf.js';
import { remember } from '../src/lb/memory.js';
import { advance } from '../src/lb/mirror.js';
import type { Mirror } from '../src/lb/packed/side.js';
import type { PlanStep } from '../src/lb/steps.js';
import type { Dataplane } from '../src/ports/dataplane.js';
import { meetStrangers, strangersWaitMs } from './lbsync-adopt.js';
import { freezeOf, isAllFrozen } from './lbsync-freeze.js';
import { arrived } from './lbsync-latency.js';
import { enter, strike } from './lbsync-ledger.js';
import { heldKeys, type PassPlan, planPass } from './lbsync-plan.js';
import { reportFrontend, reportGone, reportKey } from './lbsync-reports.js';
import { handsOffMs, isDue, type LbsyncState, noteFailure } from './lbsync-state.js';
import { ownerOf } from './lbsync-wants.js';

/** VIPs one pass writes; what comes in meanwhile waits no longer than this takes. */
const PASS_STEPS_MAX = 64;

/** `waiting`: for the ledger. `put-off`: the wish changed since the plan was made. */
type StepEnd = 'done' | 'waiting' | 'put-off' | 'failed' | 'surprised' | 'lost';

interface Pass {
  readonly state: LbsyncState;
  readonly dataplane: Dataplane;
  readonly mirror: Mirror;
  readonly session: number;
}

const LOST: PassOutcome = { verdict: 'lost', more: false, built: false };

export async function runPass(pass: Pass): Promise<PassOutcome> {
  const { state, mirror } = pass;
  if ((await sendConf(pass)) === 'lost') return LOST;
  if (state.readOnly !== undefined) return onlyTell(state);
  for (const key of meetStrangers(state)) reportKey(state, key);
  const plan = planPass(state, mirror);
  takeFindings(state, plan);
  for (const key of plan.settled) settle(state, mirror, key);
  for (const key of plan.frozen) reportKey(state, key);

  const steps = plan.steps.slice(0, PASS_STEPS_MAX);
  const ends: StepEnd[] = [];
  for (const step of steps) {
    const end = await performStep(pass, step, plan.wanted.get(step.key));
    if (end === 'lost') return LOST;
    ends.push(end);
    if (state.readOnly !== undefined) break;
  }
  if (state.readOnly !== undefined) return onlyTell(state);
  reportGone(state);
  const waiting = steps.filter((_, index) => ends[index] === 'waiting').map(({ key }) => key);
  const more = plan.steps.length > steps.length || hasMore(state, new Set(waiting));
  finishRebuild(state, more);
  if (!more) state.fullSync = false;
  const built = steps.some(({ kind }, index) => kind === 'build' && ends[index] === 'done');
  return {
    verdict: ends.includes('surprised') ? 'surprised' : 'done',
    more,
    built,
    ...retryOf(state),
  };
}

/** [LB-67] Nothing can be written: whoever waits for an answer is told how VPP stands. */
function onlyTell(state: LbsyncState): PassOutcome {
  for (const key of state.dirty) reportKey(state, key);
  return { verdict: 'done', more: false, built: false };
}

/** Dirty VIPs that a pass could write right now. */
function hasMore(state: LbsyncState, waiting: ReadonlySet<VipKey>): boolean {
  const held = heldKeys(state);
  return [...state.dirty].some((key) => !held.has(key) && !waiting.has(key) && isDue(state, key));
}

/** When to look again at what could not be written now, if nothing else happens before. */
function retryOf(state: LbsyncState): { readonly retryInMs?: number } {
  const waits = [...state.failures.values()].map(
    ({ retryAt }) => retryAt - state.clock.monotonic(),
  );
  const handsOff = handsOffMs(state);
  const held = handsOff > 0 ? heldKeys(state) : new Set<VipKey>();
  const waiting = [...held].some((key) => state.dirty.has(key));
  if (waiting) waits.push(handsOff);
  const strangers = strangersWaitMs(state);
  if (strangers !== undefined) waits.push(strangers);
  if (!state.ledger.loaded || state.ledger.problem !== undefined) waits.push(RETRY_MIN_MS);
  return waits.length === 0 ? {} : { retryInMs: Math.max(0, Math.min(...waits)) };
}

function takeFindings(state: LbsyncState, { settled, steps, findings }: PassPlan): void {
  for (const key of [...settled, ...steps.map((step) => step.key)]) state.findings.delete(key);
  for (const finding of findings) state.findings.set(finding.key, finding);
}

/** Nothing to write for this VIP. */
function settle(state: LbsyncState, mirror: Mirror, key: VipKey): void {
  state.dirty.delete(key);
  state.failures.delete(key);
  arrived(state, key);
  const want = ownerOf(state.wants, key);
  if (want !== undefined && mirror.has(key)) adoptIntoLedger(state, key);
  if (want === undefined && !mirror.has(key) && state.wants.released.has(key)) {
    strike(state.ledger, key);
    reportFormer(state, state.wants.released.get(key));
  }
  reportKey(state, key);
}

/** What we manage is in the ledger, under the name of the frontend whose wish VPP follows. */
function adoptIntoLedger(state: LbsyncState, key: VipKey): void {
  const want = ownerOf(state.wants, key);
  if (want === undefined || !state.ledger.loaded || state.findings.has(key)) return;
  const { frontend, vip, attributes } = want.desired;
  enter(state.ledger, { frontend, vip, attributes: state.ledger.told.get(key) ?? attributes });
  state.strangers.delete(key);
  const former = state.wants.bequeathed.get(key);
  state.wants.bequeathed.delete(key);
  reportFormer(state, former);
}

/** Nothing of it is left at a key it once had: that may be what it waits for. */
function reportFormer(state: LbsyncState, former: FrontendName | undefined): void {
  if (former !== undefined) reportFrontend(state, former);
}

async function sendConf(pass: Pass): Promise<'done' | 'lost'> {
  const { state } = pass;
  if (state.conf === undefined || state.settings === undefined) return 'done';
  if (isAllFrozen(state) || state.readOnly !== undefined) return 'done';
  const op = diffConf(state.conf, state.settings);
  if (op?.op !== 'conf.set') return 'done';
  const answer = await send(pass, op);
  if (answer === undefined) return 'lost';
  state.confProblem = answer.ok ? undefined : answer.failure.message;
  if (answer.ok) state.conf = op.conf;
  return !answer.ok && meaningOf(answer.failure) === 'lost' ? 'lost' : 'done';
}

/** `plannedFor`: the wish when the plan was made; also of a VIP that is removed to be re-created. */
async function performStep(
  pass: Pass,
  step: PlanStep,
  plannedFor: PackedDesired | undefined,
): Promise<StepEnd> {
  const { state } = pass;
  if (ownerOf(state.wants, step.key)?.desired !== plannedFor) return 'put-off';
  if (step.kind === 'build' && !isInLedger(state, step)) return 'waiting';
  for (const op of step.ops) {
    // Every prefix is safe: a freeze that comes in between need not wait for the rest.
    if (freezeOf(state, step.key) !== undefined) return 'put-off';
    const answer = await send(pass, op);
    if (answer === undefined) return 'lost';
    if (!answer.ok) return failed(state, step, answer.failure);
    acknowledged(pass, op, step);
  }
  finishStep(state, step);
  return 'done';
}

/** Undefined: this pass has no right to write any more. */
async function send(pass: Pass, op: LbOp): Promise<Result<void, LbFailure> | undefined> {
  const { state, dataplane, session } = pass;
  if (state.stopped || state.session !== session) return undefined;
  const { failpoints, metrics } = state.ports;
  failpoints?.hit('vpp.op.before');
  const askedAt = state.clock.monotonic();
  const answer = await dataplane.apply(op);
  state.vppMs += state.clock.monotonic() - askedAt;
  failpoints?.hit('vpp.op.after');
  metrics?.count('lbsync_total', { scope: state.fullSync ? 'all' : 'vip', kind: op.op });
  if (state.rebuild !== undefined) state.rebuild.ops += 1;
  if (state.stopped || state.session !== session) return undefined;
  if (!answer.ok && answer.failure.code === 'LB_INCOMPATIBLE') {
    state.readOnly = answer.failure.message;
  }
  return answer;
}

function acknowledged({ state, mirror }: Pass, op: LbOp, { key, desired }: PlanStep): void {
  advance(mirror, op);
  remember(state.memory, op, desired);
  if (op.op === 'vip.add') state.ledger.told.set(key, op.attributes);
}

function finishStep(state: LbsyncState, { key, kind, desired }: PlanStep): void {
  state.failures.delete(key);
  const want = ownerOf(state.wants, key);
  if (want?.desired === desired) {
    state.dirty.delete(key);
    arrived(state, key);
  }
  if (kind === 'remove') {
    const former = state.wants.released.get(key);
    state.wants.released.delete(key);
    if (want === undefined) strike(state.ledger, key);
    return reportFormer(state, former);
  }
  if (want?.desired.frontend === desired?.frontend) adoptIntoLedger(state, key);
  if (desired !== undefined) state.rebuild?.frontends.add(desired.frontend);
  reportKey(state, key);
}

/** False: asked for; the answer of the store marks the VIP again. */
function isInLedger(state: LbsyncState, { key, desired }: PlanStep): boolean {
  if (state.ledger.entries.has(key)) return true;
  if (!state.ledger.loaded || desired === undefined) return false;
  const { frontend, vip, attributes } = desired;
  enter(state.ledger, { frontend, vip, attributes });
  if (state.ledger.problem !== undefined) reportKey(state, key);
  return false;
}

function failed(state: LbsyncState, step: PlanStep, failure: LbFailure): StepEnd {
  const meaning = meaningOf(failure);
  if (meaning === 'lost') return 'lost';
  if (meaning === 'read-only') return 'put-off';
  const noted = noteFailure(state, step.key, `${failure.code}: ${failure.message}`);
  state.dirty.add(step.key);
  if (noted.count > 1) reportKey(state, step.key);
  return meaning === 'surprised' || noted.count === 1 ? 'surprised' : 'failed';
}

/** The one place that says what a failed op means. */
function meaningOf(failure: LbFailure): 'surprised' | 'failed' | 'lost' | 'read-only' {
  switch (failure.code) {
    case 'LB_EXISTS':
    case 'LB_NO_SUCH_ENTRY':
      return 'surprised';
    case 'LB_REFUSED':
    case 'LB_INVALID_REQUEST':
      return 'failed';
    case 'LB_UNREACHABLE':
    case 'LB_TIMEOUT':
      return 'lost';
    case 'LB_INCOMPATIBLE':
      return 'read-only';
    default:
      return unreachable(failure);
  }
}

/** Over when everything that could be written is; what waits for its frontend is not waited for. */
function finishRebuild(state: LbsyncState, more: boolean): void {
  const { rebuild } = state;
  if (rebuild === undefined || more) return;
  const waiting = [...state.dirty].some(
    (key) => isDue(state, key) && ownerOf(state.wants, key) !== undefined,
  );
  if (waiting || state.wants.wanted.size === 0) return;
  state.rebuild = undefined;
  if (rebuild.frontends.size === 0) return;
  const { lostAt, detectedAt, ops } = rebuild;
  const frontends = [...rebuild.frontends].sort();
  const done = { lostAt, detectedAt, rebuiltAt: state.clock.now(), ops, frontends };
  state.rebuilt = done;
}
