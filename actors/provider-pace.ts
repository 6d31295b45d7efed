/**
 * How fast creates of one provider may begin: its token bucket, and what is given back to it.
 *
 * Input: the settings, the monotonic time, answers. Output: the wait until a create may begin; 0: now.
 *
 * Rule: [PR-16] at most `createRate` creates a second begin; the first of a row of refused ones does not count:
 * nothing was made. The others do, or a provider that refuses everything would be asked without end.
 */
import type { ProviderSettings } from '../machines/model/messages.js';
import {
  type Bucket,
  fullBucket,
  givePermitBack,
  type RateRule,
  takePermit,
} from '../src/policy/rate.js';
import type { ProviderAnswer } from './provider-calls.js';

export interface Pace {
  /** Other settings: the bucket is full. */
  begin(settings: ProviderSettings, nowMs: number): void;
  waitMs(settings: ProviderSettings, nowMs: number): number;
  settle(settings: ProviderSettings, answer: ProviderAnswer): void;
}

export function createPace(): Pace {
  let bucket: Bucket = { permits: 0, atMs: 0 };
  let refusals = 0;
  return {
    begin: (settings, nowMs) => {
      const rule = rateOf(settings);
      if (rule !== undefined) bucket = fullBucket(rule, nowMs);
    },
    waitMs: (settings, nowMs) => {
      const rule = rateOf(settings);
      if (rule === undefined) return 0;
      const taken = takePermit(rule, bucket, nowMs);
      bucket = taken.bucket;
      return taken.granted ? 0 : taken.waitMs;
    },
    settle: (settings, answer) => {
      if (answer.type === 'provider.created') refusals = 0;
      if (answer.type !== 'provider.createFailed' || answer.failure.code === 'unavailable') return;
      refusals += 1;
      const rule = rateOf(settings);
      if (refusals === 1 && rule !== undefined) bucket = givePermitBack(rule, bucket);
    },
  };
}

/** A second's worth of creates may come at once. */
function rateOf({ createRate }: ProviderSettings): RateRule | undefined {
  if (createRate === undefined) return undefined;
  return { perSecond: createRate, burst: Math.max(1, Math.floor(createRate)) };
}
