/**
 * Suspect ourselves first: when most of what we probe falls silent at once, it is likelier that we went deaf.
 *
 * Input: how many backends are probed, since when each silent one is silent, the wall clock.
 * Output: whether to doubt our own verdicts now.
 *
 * Rules: [HE-60] more than half of the node's backends, and at least four, fell silent within ten seconds;
 * [HE-61] it is over as soon as half of them answer, and after thirty seconds whatever they do.
 */
export const WINDOW_MS = 10_000;
export const HOLD_MS = 30_000;
const SILENT_MIN = 4;

export interface Hearing {
  /** Backends that are probed. */
  readonly total: number;
  /** When each that is silent became so. */
  readonly silentSinceMs: readonly number[];
}

/** Enough fell silent lately to doubt ourselves. */
export function raises({ total, silentSinceMs }: Hearing, nowMs: number): boolean {
  const lately = silentSinceMs.filter((since) => nowMs - since <= WINDOW_MS).length;
  return lately >= SILENT_MIN && lately > total / 2;
}

/** Half of them answer: it was not us. */
export function clears({ total, silentSinceMs }: Hearing): boolean {
  return silentSinceMs.length <= total / 2;
}
