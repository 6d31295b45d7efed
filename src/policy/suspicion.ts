/**
 * Suspect ourselves first: when most of what we probe falls silent at once, it is likelier that we went deaf.
 *
 * Input: how many backends are probed, since when each silent one is silent, the wall clock; what a round of
 * asking others found. Output: whether to doubt our own verdicts now.
 *
 * With long intervals the first backends would be taken down before the rest is even asked. So whoever falls
 * silent waits for a round: some of those that answered so far are probed at once, all of them where they are few.
 *
 * Rules: [HE-60] more than half of the node's backends, and at least four, fell silent within ten seconds, by
 * count or by the estimate of a round; [HE-61] it is over as soon as half of them answer, and after thirty
 * seconds whatever they do; [HE-64] nobody who falls silent goes down before a round has answered.
 */
export const WINDOW_MS = 10_000;
export const HOLD_MS = 30_000;
/** Fewer backends than this say nothing about us. */
export const SILENT_MIN = 4;
/** Probed at once in a round. */
export const ASKED_MAX = 32;
/** A round is over by then: checks with a longer timeout say nothing in it. */
export const ROUND_MS = 10_000;
/** Between two rounds: what falls silent meanwhile is judged by the next. */
export const ROUND_PAUSE_MS = 100;

export interface Hearing {
  /** Backends that are probed. */
  readonly total: number;
  /** When each that is silent became so. */
  readonly silentSinceMs: readonly number[];
}

/** Enough fell silent lately to doubt ourselves. */
export function raises({ total, silentSinceMs }: Hearing, nowMs: number): boolean {
  return isMost(latelyIn(silentSinceMs, nowMs), total);
}

export function latelyIn(silentSinceMs: readonly number[], nowMs: number): number {
  return silentSinceMs.filter((since) => nowMs - since <= WINDOW_MS).length;
}

function isMost(silent: number, total: number): boolean {
  return silent >= SILENT_MIN && silent > total / 2;
}

/** Half of them answer: it was not us. */
export function clears({ total, silentSinceMs }: Hearing): boolean {
  return silentSinceMs.length <= total / 2;
}

/** Some of those that answered when it began were asked to probe at once. */
export interface Round {
  readonly total: number;
  /** That answered when it began; the asked are some of them. */
  readonly answering: number;
  /** That had fallen silent lately when it began. */
  readonly silentBefore: number;
  readonly asked: number;
  readonly answered: number;
  readonly silent: number;
}

/** `undefined`: not before more of the asked have spoken, unless the round is `over`. */
export function conclusionOf(round: Round, over: boolean): 'hears' | 'deaf' | undefined {
  const { total, asked, answered } = round;
  if (isMost(silentIf(round, round.silent), total)) return 'deaf';
  const worst = silentIf(round, asked - answered);
  return over || asked === 0 || !isMost(worst, total) ? 'hears' : undefined;
}

/** How many are silent of all, if so many of the asked are. */
function silentIf({ silentBefore, answering, asked }: Round, silent: number): number {
  return silentBefore + (asked === 0 ? 0 : (answering * silent) / asked);
}
