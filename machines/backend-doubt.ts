/**
 * How a backend stands towards the node's suspicion of itself: what it has told, what it was asked, and which
 * failures of it are held meanwhile.
 *
 * Input: the memory, a probe's result, the word of the suspicion. Output: the next memory.
 *
 * Rules: [HE-62] what is held changes nothing but the counter; [HE-64] who falls silent waits for the word
 * whether the node hears at all, and goes by itself when there is none.
 */
import {
  type CounterRule,
  countFailure,
  countProbe,
  type HealthCount,
  isUnheard,
  provesNothing,
} from '../src/policy/health.js';
import type { BackendName } from './model/ids.js';
import type { ProbeResult } from './model/messages.js';
import type { SuspicionLevel, SuspicionMessage } from './model/suspicion.js';

/** For so long a backend that fell silent waits for the suspicion, which may be nowhere at all. */
export const SELF_HOLD_MS = 2_000;

export interface Doubt {
  /** The last probe that counted got no answer, or a wrong one; nothing is proven. */
  readonly silent: boolean;
  /** It got no answer at all: it may be us who do not hear. */
  readonly unheard: boolean;
  /** It fell silent, and the suspicion has not spoken yet. */
  readonly doubts: boolean;
  /** A failure that is held would have taken it down. */
  readonly owesDown: boolean;
  /** Until then failures without proof are held. Wall clock. */
  readonly heldUntilMs: number;
  /** The round that the next result answers, and the latest that was answered; 0: none. */
  readonly asked: number;
  readonly answered: number;
  /** As last told to the suspicion; `null`: nothing. */
  readonly told: Pick<Doubt, 'silent' | 'doubts' | 'answered'> | null;
}

export const NO_DOUBT: Doubt = {
  silent: false,
  unheard: false,
  doubts: false,
  owesDown: false,
  heldUntilMs: 0,
  asked: 0,
  answered: 0,
  told: null,
};

/** Of a backend's memory, what is needed here. */
interface Doubting {
  readonly count: HealthCount;
  readonly doubt: Doubt;
}

/** A result, when it came, and the rule it is counted by. */
export interface Counting {
  readonly result: ProbeResult;
  readonly atMs: number;
  readonly rule: CounterRule;
}

/** Whether this failure changes nothing yet. */
export function isHeld(
  { doubt }: Pick<Doubting, 'doubt'>,
  { result, atMs }: Pick<Counting, 'result' | 'atMs'>,
): boolean {
  if (result.passed || result.positive) return false;
  return atMs < doubt.heldUntilMs || fallsSilent(doubt, result);
}

function fallsSilent({ unheard }: Doubt, result: ProbeResult): boolean {
  return !unheard && isUnheard(result);
}

/** While it is held the counter stops where one more failure would tell. */
export function countHeld(memory: Doubting, counting: Counting): HealthCount {
  const { count: before } = memory;
  const { rule, result } = counting;
  const count = countProbe(rule, before, result);
  if (!wouldFall(before, count) || !isHeld(memory, counting)) return count;
  return before.state === 'up' ? { state: 'up', counter: rule.rise } : before;
}

function wouldFall(before: HealthCount, after: HealthCount): boolean {
  return before.state !== 'down' && after.state === 'down';
}

export function doubted(memory: Doubting, counting: Counting): Doubt {
  const { doubt, count } = memory;
  const { result, atMs, rule } = counting;
  const answers = { asked: 0, answered: doubt.asked === 0 ? doubt.answered : doubt.asked };
  if (provesNothing(result)) return { ...doubt, ...answers };
  const begins = fallsSilent(doubt, result);
  return {
    ...doubt,
    ...answers,
    silent: !result.passed && !result.positive,
    unheard: isUnheard(result),
    doubts: begins || (doubt.doubts && !result.passed),
    owesDown: wouldFall(count, countProbe(rule, count, result)) && isHeld(memory, counting),
    heldUntilMs: begins ? Math.max(doubt.heldUntilMs, atMs + SELF_HOLD_MS) : doubt.heldUntilMs,
  };
}

/** Whether the word of the suspicion takes it down now. */
export function isBelieved({ doubt }: Pick<Doubting, 'doubt'>, level: SuspicionLevel): boolean {
  return level.believed && level.untilMs === 0 && doubt.owesDown;
}

export function advised({ doubt }: Pick<Doubting, 'doubt'>, { untilMs }: SuspicionLevel): Doubt {
  const owesDown = untilMs > 0 && doubt.owesDown;
  return { ...doubt, heldUntilMs: untilMs, doubts: false, owesDown };
}

/** The failure that was held counts after all. */
export function fallen({ count }: Doubting, rule: CounterRule): HealthCount {
  return countFailure(rule, count);
}

export function isHearingOwed({ silent, doubts, answered, told }: Doubt): boolean {
  if (told === null) return true;
  return told.silent !== silent || told.doubts !== doubts || told.answered !== answered;
}

export function toldOf({ silent, doubts, answered }: Doubt): Doubt['told'] {
  return { silent, doubts, answered };
}

export function hearingOf(name: BackendName, doubt: Doubt): SuspicionMessage {
  const { silent, doubts, answered: round } = doubt;
  const hearing = silent ? 'silent' : 'answers';
  return { type: 'hearing.level', backend: name, hearing, doubts, round };
}
