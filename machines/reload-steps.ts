/**
 * Steps of the reload machine: what it reads of an event, what it concludes, and what its effects
 * are given. Pure functions of one step; machines/reload.ts says when each applies.
 */
import {
  asJson,
  closePass,
  concludePass,
  type Examined,
  type Names,
  type Outcome,
  openPass,
  type Pass,
  type Read,
  type ReloadRequest,
  type ReloadResult,
  refusalOf,
  retire,
  type Start,
} from '../src/policy/reload.js';
import { assert } from './model/assert.js';
import type { PublishParams, RecordParams } from './model/effects.js';
import type { JsonObject } from './model/json.js';
import type {
  AnswerParams,
  ConvergeParams,
  LoadParams,
  LogLevelParams,
  ReloadContext,
  ReloadEvent,
  Step,
} from './reload-memory.js';

export const NOBODY: Names = { tenants: [], backends: [], frontends: [] };

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

function startOf(context: ReloadContext): Start {
  const { generation, committed: before, requiresRestart, requestedAt } = context;
  const request = requestIn(context);
  return { generation, hash: before?.hash, requiresRestart, request, requestedAt };
}

// --- decisions ------------------------------------------------------------------------------------

export function conclusion({ context, event }: Step): ReloadResult {
  return concludePass(startOf(context), examinedOf(event), event.meta.at);
}

export function committed({ context, event }: Step): Partial<ReloadContext> {
  const read = readOf(event);
  const pass = openPass(startOf(context), read, event.meta.id);
  const before = context.committed?.names ?? NOBODY;
  return {
    pass,
    generation: pass.result.generation,
    committed: { hash: read.hash, config: read.config, names: read.names },
    booted: askedAtBoot(context) ? read.atStart : (context.booted ?? read.atStart),
    requiresRestart: read.requiresRestart,
    retired: retire(context.retired, before, read.names),
  };
}

export function closure({ context, event }: Step): ReloadResult {
  const late = 'no answer within reload.hookTimeout';
  const outcome: Outcome =
    event.type === 'hook.finished'
      ? event.outcome
      : { name: 'log_level', status: 'timed_out', error: late };
  return closePass(passIn(context), outcome, event.meta.at);
}

// --- parameters of effects --------------------------------------------------------------------------

export function loadOf(context: ReloadContext): LoadParams {
  const booted = askedAtBoot(context) ? null : context.booted;
  return { committed: context.committed?.config ?? null, booted };
}

export function convergence({
  committed: current,
  generation,
  retired,
  request,
}: ReloadContext): ConvergeParams {
  assert(current !== null, 'nothing to converge to');
  const mayRecreate = request?.disruptive === true;
  return { config: current.config, hash: current.hash, generation, retired, mayRecreate };
}

export function logLevelOf(context: ReloadContext): LogLevelParams {
  const { logLevel, id } = passIn(context);
  return { level: logLevel, pass: id };
}

export function answerOf({ pass, request }: ReloadContext, result: ReloadResult): AnswerParams {
  const askers = pass?.askers ?? request?.askers ?? [];
  return { askers, body: { ok: true, ...asJson(result) } };
}

export function tooMany(event: ReloadEvent): AnswerParams {
  const message = 'too many callers wait for the next reload; try again in a moment';
  const body = { ok: false, refusal: { code: 'refused', rule: 'RE-1', message } };
  return { askers: requestOf(event).askers, body };
}

/** Journal only. */
export function note({ context, event }: Step, name: string): RecordParams {
  const { generation, history } = context;
  const status = name === 'config.converged' ? (history[0]?.status ?? null) : null;
  const why = event.type === 'reload.reconverge' ? event.reason : null;
  return { event: name, rule: 'RE-6', numbers: { generation, status, why } };
}

export function reloaded({ context, event }: Step): RecordParams {
  const { generation, requiresRestart } = context;
  const { hash, diff, names } = readOf(event);
  const { trigger } = requestIn(context);
  const changed = diff.map((change) => change['path'] ?? null);
  const data = { generation, hash, trigger, requiresRestart, changed };
  const numbers = {
    generation,
    changes: diff.length,
    tenants: names.tenants.length,
    backends: names.backends.length,
    frontends: names.frontends.length,
  };
  return { event: 'config.reloaded', rule: 'RE-4', numbers, publish: aggregate(data) };
}

export function refusal(step: Step): RecordParams {
  const { generation, committed: current, requiresRestart } = step.context;
  const { status, trigger, outcomes, problems, loadError = null } = conclusion(step);
  const rule = examinedOf(step.event).kind === 'read' ? 'RE-3' : 'RE-2';
  const numbers = { generation, status, problems: problems.length };
  const hash = current?.hash ?? null;
  const failed = outcomes.map(({ name, error = null }) => ({ name, error }));
  const data = { generation, hash, trigger, requiresRestart, status, failed, loadError };
  return { event: 'config.reload_failed', rule, numbers, publish: aggregate(data) };
}

function aggregate(data: JsonObject): PublishParams {
  return { aggregateKind: 'config', aggregateId: 'config', data };
}
