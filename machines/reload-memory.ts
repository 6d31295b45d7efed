/**
 * What the reload machine remembers, hears, and says: its context, its events, the parameters of
 * its effects. Plain data.
 */
import type {
  Examined,
  HookName,
  Kept,
  Names,
  Outcome,
  Pass,
  Queue,
  ReloadRequest,
  ReloadResult,
} from '../src/policy/reload.js';
import type { Activated, Stamped } from './model/effects.js';
import type { Json, JsonObject } from './model/json.js';
import type { ReloadMessage } from './model/messages.js';

/** A configuration that was committed, and what goes with it. */
export interface InForce extends Kept {
  /** Its fields that wait for a restart. */
  readonly requiresRestart: readonly string[];
  /** Vanished objects, told again with each convergence. */
  readonly retired: Names;
}

export interface ReloadContext {
  readonly generation: number;
  readonly committed: InForce | null;
  /** What was in force before: whose objects must hear that they are gone, and where a pass goes back to. */
  readonly previous: InForce | null;
  /** The restart-only fields of what the process read when it started: they still have these values. */
  readonly booted: JsonObject | null;
  readonly request: ReloadRequest | null;
  readonly requestedAt: number;
  readonly pass: Pass | null;
  readonly queue: Queue;
  /** Newest first. */
  readonly history: readonly ReloadResult[];
}

export type ReloadEvent = Stamped<
  | Activated
  | ReloadMessage
  | { readonly type: 'config.examined'; readonly examined: Examined }
  | { readonly type: 'hook.finished'; readonly pass: string; readonly outcome: Outcome }
>;

export interface LoadParams {
  readonly committed: Kept | null;
  /** `null`: the process boots with what this load finds. */
  readonly booted: JsonObject | null;
  readonly retired: Names;
  readonly request: Pick<ReloadRequest, 'trigger' | 'dryRun' | 'disruptive'>;
}

/** Which configuration everybody is to converge to, and in which generation. */
export interface ConvergeParams {
  readonly kept: Kept;
  readonly generation: number;
  readonly retired: Names;
  /** Whose objects are gone unless it has them too. */
  readonly previous: Kept | null;
  /** A disruptive change was committed by this pass, with consent. */
  readonly mayRecreate: boolean;
}

export interface HookParams extends ConvergeParams {
  readonly hook: HookName | null;
  readonly pass: string;
}

/** The pass is over: which configurations are still needed. */
export interface SettleParams {
  readonly keep: readonly string[];
}

export interface AnswerParams {
  readonly askers: readonly string[];
  readonly body: Json;
}

/** One step, as guards, assigns and parameters see it. */
export interface Step {
  readonly context: ReloadContext;
  readonly event: ReloadEvent;
}
