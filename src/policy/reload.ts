/**
 * Reload: what one pass concludes, and how triggers share passes.
 *
 * Input: what was read of the file (already compared with the committed and the booted
 * configuration) and the request. Output: refusals, results in the operators' shape, the queue.
 * Pure; machines/reload.ts moves between these conclusions.
 */
import type { JsonObject } from '../../machines/model/json.js';

export const reloadLimits = {
  historyMax: 50,
  /** Askers waiting for one coalesced pass. */
  askersMax: 64,
  /** Names of vanished objects told again with each convergence, per kind, beyond the last pass. */
  retiredMax: 1_000,
  /** Problems and differences kept of a result in the history; its asker gets them all. */
  entriesKeptMax: 50,
} as const;

export const HOOKS = [
  'log_level',
  'providers',
  'pools',
  'tenants',
  'backends',
  'frontends',
  'dataplane',
  'outbox',
  'tenancy',
] as const;
export type HookName = (typeof HOOKS)[number];

export type Trigger = 'signal' | 'api' | 'file' | 'boot';

export interface ReloadRequest {
  readonly trigger: Trigger;
  readonly dryRun: boolean;
  readonly disruptive: boolean;
  /** Who waits for the result. */
  readonly askers: readonly string[];
}

export interface Names {
  readonly tenants: readonly string[];
  readonly backends: readonly string[];
  readonly frontends: readonly string[];
}

/** What loading found. The configuration itself is opaque here. */
export type Examined =
  | { readonly kind: 'unreadable'; readonly problems: readonly JsonObject[] }
  | {
      readonly kind: 'read';
      /** Of the configuration, what a process takes in once, at its start. */
      readonly atStart: JsonObject;
      readonly hash: string;
      readonly config: JsonObject;
      readonly names: Names;
      readonly diff: readonly JsonObject[];
      readonly requiresRestart: readonly string[];
      readonly disruptive: readonly string[];
      /** Hooks of parts that this configuration does not have. */
      readonly skipped: readonly HookName[];
      readonly hookTimeoutMs: number;
      readonly logLevel: string;
    };
export type Read = Extract<Examined, { kind: 'read' }>;

export interface Outcome {
  readonly name: HookName;
  readonly status: 'applied' | 'skipped' | 'failed' | 'timed_out';
  readonly error?: string;
}

export type ReloadStatus =
  | 'full_success'
  | 'partial_applied'
  | 'validation_failed'
  | 'load_failed'
  | 'unchanged';

/** The shape operators see. */
export interface ReloadResult {
  readonly generation: number;
  readonly status: ReloadStatus;
  readonly trigger: Trigger;
  readonly dryRun: boolean;
  readonly outcomes: readonly Outcome[];
  readonly diff?: readonly JsonObject[];
  readonly requiresRestart: readonly string[];
  readonly disruptive: readonly string[];
  readonly problems: readonly JsonObject[];
  readonly loadError?: string;
  readonly startedAt: string;
  readonly endedAt: string;
}

/** Why a pass must not commit: the part of its result that says so; `undefined`: it may. */
export function refusalOf(
  examined: Examined,
  request: ReloadRequest,
): Pick<ReloadResult, 'status' | 'outcomes' | 'problems' | 'loadError'> | undefined {
  if (examined.kind === 'unreadable') {
    const [first] = examined.problems;
    const loadError = String(first?.['message'] ?? 'the file cannot be read');
    const semantic = examined.problems.every((problem) => problem['code'] === 'semantic');
    const status = semantic ? 'validation_failed' : 'load_failed';
    const told = semantic ? {} : { loadError };
    return { status, outcomes: [], problems: examined.problems, ...told };
  }
  if (examined.disruptive.length === 0 || request.disruptive) return undefined;
  const fields = examined.disruptive.join(', ');
  const error = `needs --disruptive, since it interrupts traffic: ${fields}`;
  const outcomes = [{ name: 'dataplane', status: 'failed', error }] as const;
  return { status: 'validation_failed', outcomes, problems: [] };
}

/** Outcomes at the time of the commit: `log_level` is still out, the rest has been told. */
export function toldOutcomes(read: Read): readonly Outcome[] {
  return HOOKS.filter((name) => name !== 'log_level').map((name) => ({
    name,
    status: read.skipped.includes(name) ? 'skipped' : 'applied',
  }));
}

/** In the order of the hooks. */
export function withOutcome(outcomes: readonly Outcome[], outcome: Outcome): readonly Outcome[] {
  const others = outcomes.filter(({ name }) => name !== outcome.name);
  return [...others, outcome].sort((one, two) => HOOKS.indexOf(one.name) - HOOKS.indexOf(two.name));
}

export function statusOf(outcomes: readonly Outcome[]): 'full_success' | 'partial_applied' {
  const good = outcomes.every(({ status }) => status === 'applied' || status === 'skipped');
  return good ? 'full_success' : 'partial_applied';
}

/** RFC 3339 in UTC with milliseconds. */
export function printTime(atMs: number): string {
  return new Date(atMs).toISOString();
}

export function pushHistory(
  history: readonly ReloadResult[],
  result: ReloadResult,
): readonly ReloadResult[] {
  const kept: ReloadResult = {
    ...result,
    problems: result.problems.slice(0, reloadLimits.entriesKeptMax),
    ...(result.diff === undefined
      ? {}
      : { diff: result.diff.slice(0, reloadLimits.entriesKeptMax) }),
  };
  return [kept, ...history].slice(0, reloadLimits.historyMax);
}

/** At most one real pass and one dry run wait; a request that finds one waiting joins it. */
export interface Queue {
  readonly real: ReloadRequest | null;
  readonly dry: ReloadRequest | null;
}

export const EMPTY_QUEUE: Queue = { real: null, dry: null };

export function mayJoin(queue: Queue, dryRun: boolean): boolean {
  const waiting = dryRun ? queue.dry : queue.real;
  return (waiting?.askers.length ?? 0) < reloadLimits.askersMax;
}

export function joinQueue(queue: Queue, request: ReloadRequest): Queue {
  const slot = request.dryRun ? 'dry' : 'real';
  const waiting = queue[slot];
  if (waiting === null) return { ...queue, [slot]: request };
  const merged: ReloadRequest = {
    trigger: waiting.trigger === 'boot' ? 'boot' : request.trigger,
    dryRun: request.dryRun,
    disruptive: waiting.disruptive || request.disruptive,
    askers: [...waiting.askers, ...request.askers],
  };
  return { ...queue, [slot]: merged };
}

export function nextOf(
  queue: Queue,
): { readonly request: ReloadRequest; readonly rest: Queue } | undefined {
  if (queue.real !== null) return { request: queue.real, rest: { ...queue, real: null } };
  if (queue.dry !== null) return { request: queue.dry, rest: EMPTY_QUEUE };
  return undefined;
}

/** Names that are gone and must be told so: this pass's, and earlier ones while there is room. */
export function retire(retired: Names, before: Names, after: Names): Names {
  const one = (kind: keyof Names): readonly string[] => {
    const kept = new Set(after[kind]);
    const vanished = before[kind].filter((name) => !kept.has(name));
    const fresh = new Set(vanished);
    const older = retired[kind].filter((name) => !kept.has(name) && !fresh.has(name));
    const room = Math.max(0, reloadLimits.retiredMax - vanished.length);
    return [...vanished, ...older.slice(0, room)];
  };
  return { tenants: one('tenants'), backends: one('backends'), frontends: one('frontends') };
}

/** As plain data for journal, feed and answers. */
export function asJson(result: ReloadResult): JsonObject {
  return result as unknown as JsonObject;
}

/** What a pass started from. */
export interface Start {
  readonly generation: number;
  readonly hash: string | undefined;
  readonly requiresRestart: readonly string[];
  readonly request: ReloadRequest;
  readonly requestedAt: number;
}

/** A pass that has committed and waits for its hooks. */
export interface Pass {
  /** Of the step that committed; hooks answer with it. */
  readonly id: string;
  readonly result: Omit<ReloadResult, 'status' | 'endedAt'>;
  /** Committed for the sake of a new process: the file was the same. */
  readonly unchanged: boolean;
  readonly askers: readonly string[];
  readonly hookTimeoutMs: number;
  readonly logLevel: string;
}

/** The result of a pass that ends with its examination. */
export function concludePass(start: Start, examined: Examined, at: number): ReloadResult {
  const read = examined.kind === 'read' ? examined : undefined;
  return {
    generation: start.generation,
    status: read !== undefined && read.hash === start.hash ? 'unchanged' : 'full_success',
    trigger: start.request.trigger,
    dryRun: start.request.dryRun,
    outcomes: [],
    diff: read?.diff ?? [],
    requiresRestart: read?.requiresRestart ?? start.requiresRestart,
    disruptive: read?.disruptive ?? [],
    problems: [],
    ...refusalOf(examined, start.request),
    startedAt: printTime(start.requestedAt),
    endedAt: printTime(at),
  };
}

export function openPass(start: Start, read: Read, id: string): Pass {
  const unchanged = read.hash === start.hash;
  const { trigger, dryRun, askers } = start.request;
  return {
    id,
    result: {
      generation: unchanged ? start.generation : start.generation + 1,
      trigger,
      dryRun,
      outcomes: toldOutcomes(read),
      diff: read.diff,
      requiresRestart: read.requiresRestart,
      disruptive: read.disruptive,
      problems: [],
      startedAt: printTime(start.requestedAt),
    },
    unchanged,
    askers,
    hookTimeoutMs: read.hookTimeoutMs,
    logLevel: read.logLevel,
  };
}

export function closePass(pass: Pass, outcome: Outcome, at: number): ReloadResult {
  const outcomes = withOutcome(pass.result.outcomes, outcome);
  const reached = statusOf(outcomes);
  const status = pass.unchanged && reached === 'full_success' ? 'unchanged' : reached;
  return { ...pass.result, outcomes, status, endedAt: printTime(at) };
}
