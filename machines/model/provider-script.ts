/**
 * What a simulated provider is told to do wrong, or slowly. Plain data: it comes from the configuration, or
 * from a test.
 */
import type { ProviderFailure } from './failures.js';

export const SIMULATED_CALLS = ['create', 'delete', 'status', 'list', 'find', 'watch'] as const;
export type SimulatedCall = (typeof SIMULATED_CALLS)[number];

/** Of the calls of one kind, every `every`th fails, beginning with the `from`th, `times` times. */
export interface ScriptedError {
  readonly call: SimulatedCall;
  readonly code: ProviderFailure['code'];
  readonly every: number;
  readonly from: number;
  /** Absent: for ever. */
  readonly times?: number;
  /** It does its work first: the answer is what fails. */
  readonly lost: boolean;
}

export interface ProviderScript {
  readonly latencyMs: Readonly<Partial<Record<SimulatedCall, number>>>;
  readonly errors: readonly ScriptedError[];
  /** Every instance is given notice `afterMs` after its creation, and is ended `warningMs` later. */
  readonly spot?: { readonly afterMs: number; readonly warningMs: number };
  /** Every instance dies without a word so long after its creation. */
  readonly diesAfterMs?: number;
}

export const NO_SCRIPT: ProviderScript = { latencyMs: {}, errors: [] };
