/**
 * A machine as the compiler sees it: its states in document order, and for each what is done on
 * entering and leaving it and which transitions it offers. Names are resolved to the functions behind
 * them; nothing here changes once it is lowered.
 */
import type { JsonObject } from '../../../machines/model/json.js';
import type { CollectedEffect, MachineEvent, TimerOp } from '../step.js';
import type { Revision } from './revision.js';

/** What guards, parameters, assignments and delays are called with. */
export interface Arguments {
  readonly context: JsonObject;
  readonly event: MachineEvent;
}

export type Expression<T> = (args: Arguments, params: unknown) => T;

export interface Node {
  /** Place in document order; the root is 0. */
  readonly index: number;
  readonly id: string;
  readonly key: string;
  readonly type: 'atomic' | 'final' | 'compound' | 'parallel';
  readonly parent: Node | undefined;
  /** In document order. */
  readonly children: readonly Node[];
  /** Of a compound state. */
  readonly initial: Node | undefined;
  readonly initialOps: readonly Op[];
  readonly entry: readonly Op[];
  readonly exit: readonly Op[];
  /** By event descriptor: a type, `*` or `a.*`. */
  readonly transitions: ReadonlyMap<string, readonly Transition[]>;
  readonly always: readonly Transition[];
}

export interface Transition {
  readonly index: number;
  readonly source: Node;
  /** Empty: stays where it is. */
  readonly targets: readonly Node[];
  readonly reenter: boolean;
  readonly guard: Guard | undefined;
  readonly ops: readonly Op[];
}

export interface Guard {
  readonly kind: 'test' | 'and' | 'or' | 'not' | 'in';
  readonly test: Expression<boolean>;
  readonly params: unknown;
  readonly paramsOf: Expression<unknown> | undefined;
  readonly inner: readonly Guard[];
  /** Of `in`: a node, or a (partial) state value. */
  readonly node: Node | undefined;
  readonly value: unknown;
}

/**
 * One thing to do. Every op has every field, so that the loop over them meets one shape only.
 *
 *   effect   a named action, collected        assign   the next context
 *   raise    an event, at once or delayed     cancel   a delayed event
 */
export interface Op {
  readonly kind: 'effect' | 'assign' | 'raise' | 'cancel';
  readonly type: string;
  readonly params: unknown;
  readonly paramsOf: Expression<unknown> | undefined;
  /** Of an effect whose parameters never change. */
  readonly effect: CollectedEffect | undefined;
  /** Of a timer operation that never changes. */
  readonly timer: TimerOp | undefined;
  /** Of `assign`: the next context, but for what `compute` adds. */
  readonly revision: Revision;
  /** Of `assign` by function: what changes. Of `raise`: the event. Of `cancel`: the id. */
  readonly compute: Expression<unknown> | undefined;
  readonly event: MachineEvent | undefined;
  readonly id: string | undefined;
  readonly delay: unknown;
  readonly delayOf: Expression<unknown> | undefined;
}

export interface Chart {
  readonly machineId: string;
  /** In document order. */
  readonly nodes: readonly Node[];
  readonly transitions: readonly Transition[];
  /** The fixed context, or what makes one of the input. */
  readonly context: JsonObject | ((args: object) => object);
}
