/**
 * Credit: how far one end of a link may send ahead of what the other has taken in. Pure bookkeeping of
 * cumulative counts, so that a count that is lost to a later one, or arrives twice, changes nothing.
 *
 * Rules: [WI-20] never more than CREDIT_ENVELOPES are on their way; what was taken in is told before
 * the sender must stop for lack of knowing; an end that claims or sends more than it may is a liar.
 */
import { CREDIT_ENVELOPES, CREDIT_GRANT } from './limits.js';

export interface Credit {
  /** How many may leave now. */
  readonly left: number;
  /** So many have left. */
  posted(count: number): void;
  /** The peer says how many it has taken in; false: more than it was sent. */
  acknowledged(received: number): boolean;
  /** So many have come; false: more than the peer was allowed to send. */
  arrived(count: number): boolean;
  /** So many of those that came are in their mailboxes, or were answered otherwise. */
  taken(count: number): void;
  /** Enough was taken in that the peer should hear of it. */
  readonly due: boolean;
  /** The count to put into a frame that leaves now. Not `open`: no more than it was told before. */
  tell(open: boolean): number;
}

export function createCredit(): Credit {
  let sent = 0;
  let acknowledged = 0;
  let come = 0;
  let taken = 0;
  let told = 0;
  return {
    get left() {
      return acknowledged + CREDIT_ENVELOPES - sent;
    },
    posted: (count) => {
      sent += count;
    },
    acknowledged: (received) => {
      if (received > sent) return false;
      // The two ports of a link may overtake each other: the higher count is the later one.
      if (received > acknowledged) acknowledged = received;
      return true;
    },
    arrived: (count) => {
      come += count;
      return come <= told + CREDIT_ENVELOPES;
    },
    taken: (count) => {
      taken += count;
    },
    get due() {
      return taken - told >= CREDIT_GRANT;
    },
    tell: (open) => {
      if (open) told = taken;
      return told;
    },
  };
}
