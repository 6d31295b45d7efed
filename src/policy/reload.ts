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
  /** Names of vanished objects told again with each convergence, per kind, beyond the last commit. */
  retiredMax: 1_000,
  /** Problems and differences kept of a result in the history; its asker gets them all. */
  entriesKeptMax: 20,
  /** Characters kept of what a hook said went wrong. */
  errorCharactersMax: 500,
} as const;

/**
 * In the order in which they are applied: first what belongs to the process, then actors' settings, then
 * what is wanted, then what is not: nothing is missing when it is asked for, and what leaves a
 * frontend need not be drained from it. Operators script against the names.
 */
export const HOOKS = [
  'log_level',
  'tls_certificate',
  'inspector',
  'retention',
  'watch_file',
  'feed',
  'guards',
  'providers',
  'pools',
  'dataplane',
  'outbox',
  'tenancy',
  'backends',
  'frontends',
  'tenants',
  'ordered_groups',
  'removals',
] as const;
export type HookName = (typeof HOOKS)[number];

/** A hook that failed fails the whole pass, or itself alone. */
export type ReloadMode = 'partial' | 'all-or-nothing';

export type Trigger = 'signal' | 'api' | 'file' | 'boot';

export interface ReloadRequest {
  readonly trigger: Trigger;
  readonly dryRun: boolean;
  readonly disruptive: boolean;
  /** Who waits for the result. */
  readonly askers: readonly string[];
}

/** A committed configuration: its content lies in the store under its hash. */
export interface Kept {
  readonly hash: string;
  /** Its content, in rows of releases that kept it here. */
  readonly inline?: JsonObject;
}

export interface Names {
  readonly tenants: readonly string[];
  readonly backends: readonly string[];
  readonly frontends: readonly string[];
}

export const NOBODY: Names = { tenants: [], backends: [], frontends: [] };

/** What loading found. The configuration itself is opaque here. */
export type Examined =
  | { readonly kind: 'unreadable'; readonly problems: readonly JsonObject[] }
  | {
      readonly kind: 'read';
      /** Of the configuration, what a process takes in once, at its start. */
      readonly atStart: JsonObject;
      readonly hash: string;
      /** Static objects it has. */
      readonly counts: Readonly<Record<keyof Names, number>>;
      /** Names to tell of that they are gone, should it be committed; at most `retiredMax` of a kind. */
      readonly retired: Names;
      /** Names that would be gone again, should it be taken back. */
      readonly appeared: Names;
      /** The first ones; `changes` counts them all. */
      readonly diff: readonly JsonObject[];
      readonly changes: number;
      readonly requiresRestart: readonly string[];
      readonly disruptive: readonly string[];
      /** Hooks of parts that this configuration does not have. */
      readonly skipped: readonly HookName[];
      /** Hooks that could not apply it, and where the file says what they cannot. */
      readonly unprepared: readonly Outcome[];
      readonly problems: readonly JsonObject[];
      readonly hookTimeoutMs: number;
      readonly mode: ReloadMode;
      /** Of a dry run: what a reload would do to instances and VIPs. */
      readonly plan?: JsonObject;
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
  | 'unchanged'
  | 'rolled_back';

/** The shape operators see. */
export interface ReloadResult {
  readonly generation: number;
  readonly status: ReloadStatus;
  readonly trigger: Trigger;
  readonly dryRun: boolean;
  readonly outcomes: readonly Outcome[];
  /** The first ones; `changes` counts them all. */
  readonly diff?: readonly JsonObject[];
  readonly changes?: number;
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
  const { unprepared, problems } = examined;
  const outcomes = [...unprepared, ...consentOf(examined, request)];
  return outcomes.length === 0 ? undefined : { status: 'validation_failed', outcomes, problems };
}

function consentOf({ disruptive }: Read, request: ReloadRequest): readonly Outcome[] {
  if (disruptive.length === 0 || request.disruptive) return [];
  const error = shorten(
    `needs --disruptive, since it interrupts traffic: ${disruptive.join(', ')}`,
  );
  return [{ name: 'dataplane', status: 'failed', error }];
}

function shorten(text: string): string {
  const { errorCharactersMax: max } = reloadLimits;
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`;
}

/** In the order of the hooks. */
export function withOutcome(outcomes: readonly Outcome[], outcome: Outcome): readonly Outcome[] {
  const { error } = outcome;
  const told = error === undefined ? outcome : { ...outcome, error: shorten(error) };
  const others = outcomes.filter(({ name }) => name !== outcome.name);
  return [...others, told].sort((one, two) => HOOKS.indexOf(one.name) - HOOKS.indexOf(two.name));
}

export function statusOf(outcomes: readonly Outcome[]): 'full_success' | 'partial_applied' {
  return failuresIn(outcomes).length === 0 ? 'full_success' : 'partial_applied';
}

function failuresIn(outcomes: readonly Outcome[]): readonly Outcome[] {
  return outcomes.filter(({ status }) => status === 'failed' || status === 'timed_out');
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

/** Names that are gone and must be told so: this pass's, and earlier ones, while there is room. */
export function retire(retired: Names, before: Names, after: Names): Names {
  const one = (kind: keyof Names): readonly string[] => {
    const kept = new Set(after[kind]);
    const vanished = before[kind].filter((name) => !kept.has(name));
    const fresh = new Set(vanished);
    const older = retired[kind].filter((name) => !kept.has(name) && !fresh.has(name));
    return [...vanished, ...older].slice(0, reloadLimits.retiredMax);
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

/** A pass that has committed and goes from hook to hook. */
export interface Pass {
  /** Of the step that committed; hooks answer with it. */
  readonly id: string;
  readonly result: Omit<ReloadResult, 'status' | 'endedAt'>;
  /** Committed for the sake of a new process, or of consent: the file was the same. */
  readonly unchanged: boolean;
  readonly askers: readonly string[];
  readonly hookTimeoutMs: number;
  readonly mode: ReloadMode;
  readonly skipped: readonly HookName[];
  readonly appeared: Names;
  /** The hook being applied; `null`: there is none to apply. */
  readonly hook: HookName | null;
  /** It applies what was in force before, because hooks had failed; their outcomes stay as they were. */
  readonly back: boolean;
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
    ...(read === undefined ? {} : { changes: read.changes }),
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
  const { skipped } = read;
  return {
    id,
    result: {
      generation: unchanged ? start.generation : start.generation + 1,
      trigger,
      dryRun,
      outcomes: skipped.map((name) => ({ name, status: 'skipped' })),
      diff: read.diff,
      changes: read.changes,
      requiresRestart: read.requiresRestart,
      disruptive: read.disruptive,
      problems: [],
      startedAt: printTime(start.requestedAt),
    },
    unchanged,
    askers,
    hookTimeoutMs: read.hookTimeoutMs,
    mode: read.mode,
    skipped,
    appeared: read.appeared,
    hook: hookAfter(null, skipped),
    back: false,
  };
}

/** The next one that has a part to apply to; `null`: that was the last. */
export function hookAfter(hook: HookName | null, skipped: readonly HookName[]): HookName | null {
  const from = hook === null ? 0 : HOOKS.indexOf(hook) + 1;
  return HOOKS.slice(from).find((name) => !skipped.includes(name)) ?? null;
}

/** What is known once a hook has answered. On the way back only what fails is news. */
export function answered(pass: Pass, outcome: Outcome): Pass {
  const { result, back, skipped } = pass;
  const told = back ? wayBack(result.outcomes, outcome) : withOutcome(result.outcomes, outcome);
  return { ...pass, hook: hookAfter(outcome.name, skipped), result: { ...result, outcomes: told } };
}

function wayBack(outcomes: readonly Outcome[], outcome: Outcome): readonly Outcome[] {
  if (failuresIn([outcome]).length === 0) return outcomes;
  const before = outcomes.find(({ name }) => name === outcome.name)?.error;
  const error = `rolling back: ${outcome.error ?? outcome.status}`;
  return withOutcome(outcomes, {
    ...outcome,
    error: before === undefined ? error : `${before}; ${error}`,
  });
}

/** Hooks failed, and their pass is one that then leaves nothing behind. */
export function mustGoBack(pass: Pass): boolean {
  const { mode, unchanged, back, result } = pass;
  return mode === 'all-or-nothing' && !unchanged && !back && failuresIn(result.outcomes).length > 0;
}

/** Everything again, as it was before, in a generation of its own. */
export function turnBack(pass: Pass, requiresRestart: readonly string[], id: string): Pass {
  const generation = pass.result.generation + 1;
  const skipped = pass.skipped.filter((name) => name !== 'removals');
  const result = { ...pass.result, generation, requiresRestart };
  return { ...pass, id, result, skipped, back: true, hook: hookAfter(null, skipped) };
}

export function closePass(pass: Pass, at: number): ReloadResult {
  const reached = statusOf(pass.result.outcomes);
  const status = pass.unchanged && reached === 'full_success' ? 'unchanged' : reached;
  return { ...pass.result, status: pass.back ? 'rolled_back' : status, endedAt: printTime(at) };
}
