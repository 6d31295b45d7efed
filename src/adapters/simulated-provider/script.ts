/**
 * A script at work: how long this call takes, and whether it fails. Counts calls; no clock, no chance, so
 * the same calls meet the same fate.
 */
import type { ProviderFailure } from '../../../machines/model/failures.js';
import {
  type ProviderScript,
  type ScriptedError,
  SIMULATED_CALLS,
  type SimulatedCall,
} from '../../../machines/model/provider-script.js';

export interface Failing {
  readonly failure: ProviderFailure;
  readonly lost: boolean;
}

export interface Played {
  /** Counts the call; undefined: it goes well. */
  next(call: SimulatedCall): Failing | undefined;
}

export function play({ errors }: Pick<ProviderScript, 'errors'>): Played {
  const calls = new Map<SimulatedCall, number>(SIMULATED_CALLS.map((call) => [call, 0]));
  const hits = new Map<ScriptedError, number>();
  return {
    next: (call) => {
      const number = (calls.get(call) ?? 0) + 1;
      calls.set(call, number);
      const error = errors.find((entry) => entry.call === call && strikes(entry, number, hits));
      if (error === undefined) return undefined;
      hits.set(error, (hits.get(error) ?? 0) + 1);
      const message = `scripted: ${call} number ${number} is ${error.code}`;
      return { failure: { code: error.code, message }, lost: error.lost };
    },
  };
}

function strikes(
  error: ScriptedError,
  number: number,
  hits: ReadonlyMap<ScriptedError, number>,
): boolean {
  if ((hits.get(error) ?? 0) >= (error.times ?? Number.POSITIVE_INFINITY)) return false;
  return number >= error.from && (number - error.from) % error.every === 0;
}
