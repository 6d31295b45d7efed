/**
 * Steps of the reload machine: what it reads of an event, what it concludes, and what its effects
 * are given. Pure functions of one step; machines/reload.ts says when each applies.
 */
import {
  answered,
  asJson,
  closePass,
  concludePass,
  type Examined,
  hookAfter,
  type Kept,
  mustGoBack,
  NOBODY,
  type Outcome,
  openPass,
  type Pass,
  type Read,
  type ReloadRequest,
  type ReloadResult,
  refusalOf,
  reloadLimits,
  type Start,
  turnBack,
} from '../src/policy/reload.js';
import { assert } from './model/assert.js';
import type { PublishParams, RecordParams } from './model/effects.js';
import type { JsonObject } from './model/json.js';
import type {
  AnswerParams,
  ConvergeParams,
  HookParams,
  InForce,
  LoadParams,
  ReloadContext,
  ReloadEvent,
  SettleParams,
  Step,
} from './reload-memory.js';

// --- reading events and context -----------------------------------------------------------------

export function requestOf(event: ReloadEvent): ReloadRequest {
  assert(event.type === 'reload.requested', `${event.type} is no request`);
  const { trigger, dryRun, disruptive, meta } = event;
  return { trigger, dryRun, disruptive, askers: meta.replyTo === undefined ? [] : [meta.replyTo] };
}

export function examinedOf(event: ReloadEvent): Examined {
  assert(event.type === 'config.examined', `${event.type} examines nothing`);
  return event.examined;
}

function readOf(event: ReloadEvent): Read {
  const examined = examinedOf(event);
  assert(examined.kind === 'read', 'an unreadable file reached a commit');
  return examined;
}

export function requestIn({ request }: ReloadContext): ReloadRequest {
  assert(request !== null, 'a pass without a request');
  return request;
}

export function passIn({ pass }: ReloadContext): Pass {
  assert(pass !== null, 'no pass is converging');
  return pass;
}

export function askedAtBoot(context: ReloadContext): boolean {
  return requestIn(context).trigger === 'boot';
}

export function isRefused({ context, event }: Step): boolean {
  return refusalOf(examinedOf(event), requestIn(context)) !== undefined;
}

export function isUnchanged({ context, event }: Step): boolean {
  return readOf(event).hash === context.committed?.hash;
}

/** The file is the same, and consent to disruption is what the request brings. */
export function isConsent(step: Step): boolean {
  return isUnchanged(step) && requestIn(step.context).disruptive;
}

/** An answer of the hook that is being applied; one that was given up answers in vain. */
export function isOfThisHook({ context, event }: Step): boolean {
  const { pass } = context;
  if (event.type !== 'hook.finished' || pass === null) return false;
  return event.pass === pass.id && event.outcome.name === pass.hook;
}

function startOf(context: ReloadContext): Start {
  const { generation, committed: before, requestedAt } = context;
  const requiresRestart = before?.requiresRestart ?? [];
  return {
    generation,
    hash: before?.hash,
    requiresRestart,
    request: requestIn(context),
    requestedAt,
  };
}

// --- decisions ------------------------------------------------------------------------------------

export function conclusion({ context, event }: Step): ReloadResult {
  return concludePass(startOf(context), examinedOf(event), event.meta.at);
}

export function committed({ context, event }: Step): Partial<ReloadContext> {
  const read = readOf(event);
  const pass = openPass(startOf(context), read, event.meta.id);
  const { hash, requiresRestart, retired } = read;
  return {
    pass,
    generation: pass.result.generation,
    committed: { hash, requiresRestart, retired },
    // The same again: whose objects are gone is still what it was.
    previous: pass.unchanged ? context.previous : context.committed,
    booted: askedAtBoot(context) ? read.atStart : (context.booted ?? read.atStart),
  };
}

/** The pass once this step's hook has answered, or has not within its time. */
export function passAfter({ context, event }: Step): Pass {
  const pass = passIn(context);
  return answered(pass, outcomeOf(pass, event));
}

function outcomeOf({ hook }: Pass, event: ReloadEvent): Outcome {
  if (event.type === 'hook.finished') return event.outcome;
  assert(hook !== null, 'nobody is waited for');
  return { name: hook, status: 'timed_out', error: 'no answer within reload.hookTimeout' };
}

/** Nobody is left to be applied to. */
export function isLastHook(step: Step): boolean {
  const { hook, skipped } = passIn(step.context);
  return hookAfter(hook, skipped) === null;
}

export function isGoingBack(step: Step): boolean {
  return isLastHook(step) && step.context.previous !== null && mustGoBack(passAfter(step));
}

/** What was in force before is in force again, in a generation of its own. */
export function takenBack(step: Step): Partial<ReloadContext> {
  const { previous, committed: failed, generation } = step.context;
  assert(previous !== null && failed !== null, 'there is nothing to go back to');
  const pass = passAfter(step);
  const retired = union(pass.appeared, previous.retired);
  return {
    pass: turnBack(pass, previous.requiresRestart, step.event.meta.id),
    generation: generation + 1,
    committed: { ...previous, retired },
    previous: failed,
  };
}

function union(one: InForce['retired'], two: InForce['retired']): InForce['retired'] {
  const both = (kind: keyof InForce['retired']): readonly string[] =>
    [...new Set([...one[kind], ...two[kind]])].slice(0, reloadLimits.retiredMax);
  return { tenants: both('tenants'), backends: both('backends'), frontends: both('frontends') };
}

export function closure(step: Step): ReloadResult {
  return closePass(passAfter(step), step.event.meta.at);
}

// --- parameters of effects --------------------------------------------------------------------------

export function loadOf(context: ReloadContext): LoadParams {
  const { trigger, dryRun, disruptive } = requestIn(context);
  const { committed: current } = context;
  return {
    committed: current === null ? null : keptOf(current),
    booted: askedAtBoot(context) ? null : context.booted,
    retired: current?.retired ?? NOBODY,
    request: { trigger, dryRun, disruptive },
  };
}

function keptOf({ hash, inline }: InForce): Kept {
  return inline === undefined ? { hash } : { hash, inline };
}

export function convergence({
  committed: current,
  previous,
  generation,
  request,
}: ReloadContext): ConvergeParams {
  assert(current !== null, 'nothing to converge to');
  return {
    kept: keptOf(current),
    generation,
    retired: current.retired,
    previous: previous === null ? null : keptOf(previous),
    mayRecreate: request?.disruptive === true,
  };
}

export function hookOf(context: ReloadContext): HookParams {
  const { hook, id } = passIn(context);
  return { ...convergence(context), hook, pass: id };
}

export function settlement({ committed: current, previous }: ReloadContext): SettleParams {
  return { keep: [current, previous].flatMap((one) => (one === null ? [] : [one.hash])) };
}

export function answerOf({ pass, request }: ReloadContext, result: ReloadResult): AnswerParams {
  const askers = pass?.askers ?? request?.askers ?? [];
  return { askers, body: { ok: true, ...asJson(result) } };
}

/** Of a dry run: with the plan, which is in no other result. */
export function rehearsalOf(step: Step): AnswerParams {
  const examined = examinedOf(step.event);
  const plan = examined.kind === 'read' ? examined.plan : undefined;
  const { askers, body } = answerOf(step.context, conclusion(step));
  return { askers, body: plan === undefined ? body : { ...(body as JsonObject), plan } };
}

export function tooMany(event: ReloadEvent): AnswerParams {
  const message = 'too many callers wait for the next reload; try again in a moment';
  const body = { ok: false, refusal: { code: 'refused', rule: 'RE-1', message } };
  return { askers: requestOf(event).askers, body };
}

/** Journal only. */
export function note({ context, event }: Step, name: string): RecordParams {
  const { generation } = context;
  const why = event.type === 'reload.reconverge' ? event.reason : null;
  return { event: name, rule: 'RE-6', numbers: { generation, why } };
}

/** How a pass ended; consumers hear of it when it is not as its commit had said. */
export function converged(step: Step): RecordParams {
  const { status, generation, outcomes, trigger, requiresRestart } = closure(step);
  const numbers = { generation, status };
  if (status === 'full_success' || status === 'unchanged') {
    return { event: 'config.converged', rule: 'RE-6', numbers };
  }
  const failed = failedIn(outcomes);
  const hash = step.context.committed?.hash ?? null;
  const data = { generation, hash, trigger, requiresRestart, status, failed, loadError: null };
  return { event: 'config.reload_failed', rule: 'RE-4', numbers, publish: aggregate(data) };
}

export function reloaded({ context, event }: Step): RecordParams {
  const { generation } = context;
  const { hash, diff, changes, counts, requiresRestart } = readOf(event);
  const { trigger } = requestIn(context);
  const changed = diff.map((change) => change['path'] ?? null);
  const data = { generation, hash, trigger, requiresRestart, changed, changes };
  const numbers = { generation, changes, ...counts };
  return { event: 'config.reloaded', rule: 'RE-4', numbers, publish: aggregate(data) };
}

export function rolledBack({ context }: Step): RecordParams {
  const { generation, committed: current } = context;
  const { result } = passIn(context);
  const failed = failedIn(result.outcomes);
  const hash = current?.hash ?? null;
  const { trigger, requiresRestart } = result;
  const data = { generation, hash, trigger, requiresRestart, failed };
  const numbers = { generation, failed: failed.length };
  return { event: 'config.rolled_back', rule: 'RE-15', numbers, publish: aggregate(data) };
}

export function refusal(step: Step): RecordParams {
  const { generation, committed: current } = step.context;
  const { status, trigger, outcomes, problems, loadError = null } = conclusion(step);
  const rule = examinedOf(step.event).kind === 'read' ? 'RE-3' : 'RE-2';
  const numbers = { generation, status, problems: problems.length };
  const hash = current?.hash ?? null;
  const requiresRestart = current?.requiresRestart ?? [];
  const failed = failedIn(outcomes);
  const data = { generation, hash, trigger, requiresRestart, status, failed, loadError };
  return { event: 'config.reload_failed', rule, numbers, publish: aggregate(data) };
}

function failedIn(outcomes: readonly Outcome[]): JsonObject[] {
  return outcomes
    .filter(({ error }) => error !== undefined)
    .map(({ name, error = null }) => ({ name, error }));
}

function aggregate(data: JsonObject): PublishParams {
  return { aggregateKind: 'config', aggregateId: 'config', data };
}
