/**
 * What the reload machine remembers, hears, and says: its context, its events, the parameters of
 * its effects. Plain data.
 */
import type {
  Examined,
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

export interface ReloadContext {
  readonly generation: number;
  readonly committed: {
    readonly hash: string;
    readonly config: JsonObject;
    readonly names: Names;
  } | null;
  /** The restart-only fields of what the process read when it started: they still have these values. */
  readonly booted: JsonObject | null;
  /** Fields of the committed configuration that wait for a restart. */
  readonly requiresRestart: readonly string[];
  /** Vanished objects, told again with each convergence. */
  readonly retired: Names;
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
  readonly committed: JsonObject | null;
  /** `null`: the process boots with what this load finds. */
  readonly booted: JsonObject | null;
}

export interface ConvergeParams {
  readonly config: JsonObject;
  readonly hash: string;
  readonly generation: number;
  readonly retired: Names;
  /** A disruptive change was committed by this pass, with consent. */
  readonly mayRecreate: boolean;
}

export interface LogLevelParams {
  readonly level: string;
  readonly pass: string;
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
