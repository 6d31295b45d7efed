/**
 * Which of the streams that claim to be the same agent is heard.
 *
 * Input:  the stream that is heard now, with the newest report of it, and one more report. Output: whether
 *         it is taken, and which stream has to go.
 *
 * Rules: [ID-10] a report is taken when it is newer, by (boot, seq), than every one before it, and its stream
 * is the one that is heard from then on; [ID-11] a stream of an older start of the agent than one that is
 * heard is refused: somebody else has its key, or its clock went back.
 */

export interface Heard {
  readonly stream: number;
  readonly boot: number;
  readonly seq: number;
}

export interface Claim {
  readonly stream: number;
  readonly boot: number;
  readonly seq: number;
}

export type Judgement =
  /** `replaces`: that stream is not heard any more. */
  | { readonly kind: 'taken'; readonly heard: Heard; readonly replaces?: number }
  | { readonly kind: 'ignored' }
  | { readonly kind: 'refused' };

export function judgeReport(heard: Heard | undefined, claim: Claim): Judgement {
  if (heard === undefined) return { kind: 'taken', heard: claim };
  const same = heard.stream === claim.stream;
  if (!same && claim.boot < heard.boot) return { kind: 'refused' };
  const newer = claim.boot > heard.boot || (claim.boot === heard.boot && claim.seq > heard.seq);
  if (!newer) return { kind: 'ignored' };
  return { kind: 'taken', heard: claim, ...(same ? {} : { replaces: heard.stream }) };
}
