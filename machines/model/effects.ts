/**
 * Effects as data. A machine names what it wants done; the runtime decides when it may happen:
 *
 *   durable     permissive or destructive: leaves only after the decision that asked for it committed
 *   protective  weight down or up after a verdict, a death: leaves at once, its record follows
 *   observed    recomputed after a restart: leaves at once, is never recorded
 *
 * Three effects belong to the runtime itself and mean the same for every actor: `record` (journal
 * entry and feed event of a decision), `spawn` (first row of a child, in the same commit) and
 * `forget` (delete my row). A step that records, spawns or forgets is a decision: it commits.
 */
import type { Address, TenantId } from './ids.js';
import type { Json, JsonObject } from './json.js';

export type EffectClass = 'durable' | 'protective' | 'observed';

/** One decision: what happened, the rule that decided, the numbers it used, who may hear of it. */
export interface RecordParams {
  /** `subject.pastTense`, also the type of the feed event when `publish` is given. */
  readonly event: string;
  /** Id of the rule in docs/INVARIANTS.md that decided, or `operator`. */
  readonly rule: string;
  readonly numbers: JsonObject;
  /** The whole aggregate after the decision; absent: journal only. */
  readonly publish?: PublishParams;
}

export interface PublishParams {
  readonly aggregateKind: string;
  readonly aggregateId: string;
  readonly tenantId?: TenantId;
  readonly data: JsonObject;
  /**
   * For what is observed anew after every restart: the level a reader sees. An event whose level is the
   * one last published of its aggregate is no news and is not appended; the journal has it all the same.
   */
  readonly level?: string;
  /**
   * For what comes and goes with the lives of its actor: an arrival is news only of what nobody was told of,
   * a departure only of what somebody was. What is no news is not even in the journal.
   */
  readonly presence?: 'arrives' | 'leaves';
}

export interface SpawnParams {
  readonly address: Address;
  /** Input of the child's machine; its initial snapshot is stored in the parent's commit. */
  readonly input: Json;
}

/** `record` and `spawn` take a list as well: a step that makes many alike names the effect once. */
export type OneOrMany<T> = T | readonly T[];

/** What the runtime adds to every event a machine sees, so that machines need no clock and no chance. */
export interface Meta {
  /** Wall clock, milliseconds since the epoch. */
  readonly at: number;
  /** Uniform in [0, 1), from the node's seeded source. */
  readonly random: number;
  /** Unique id of this step; a decision taken in it is stored under this id. */
  readonly id: string;
  /** Id of the decision or outside event this message follows from. */
  readonly cause: string;
  readonly from: Address;
  /** Where an answer to an `ask` goes; absent for a tell. */
  readonly replyTo?: string;
}

export type Stamped<E> = E & { readonly meta: Meta };

/** First event of every activation: fresh start, restart after a crash, or load from the store. */
export interface Activated {
  readonly type: 'activated';
  /** Stored cells whose first row this actor inserted. */
  readonly children: readonly ChildRow[];
}

export interface ChildRow {
  readonly address: Address;
  readonly value: Json;
  readonly context: JsonObject;
  /** Its row is not of this release: value and context may say nothing. It exists all the same. */
  readonly unreadable?: boolean;
}

/** Declares a named effect in `setup({ actions })`: the machine names it, the actor performs it. */
export function effect<P>(): (_args: unknown, _params: P) => void {
  return () => undefined;
}
