/**
 * Keeps a granted lease: renews it each third of its time, and says once when it is lost: when the server
 * says so, or when our own reckoning does. That begins at the moment a renewal was *sent*, runs on a clock
 * that counts suspension, and ends a margin before the server's.
 *
 * Rules: [LE-2] whoever cannot renew stops before the next may begin; [LE-9] a holder's own deadline is
 * counted from the sending of what was granted.
 */
import type { Cancel, Clock } from '../src/ports/clock.js';
import type {
  HoldControl,
  Lease,
  LeaseClaim,
  LeaseGrant,
  SuspensionClock,
} from '../src/ports/lease.js';

export interface KeeperParts {
  readonly lease: Lease;
  readonly claim: LeaseClaim;
  readonly hold: HoldControl;
  readonly suspension: SuspensionClock;
  readonly clock: Clock;
}

export interface Keeper {
  /** Answers why it was not granted; `undefined`: it is, and is kept from now on. */
  ask(onLost: (message: string) => void): Promise<string | undefined>;
  readonly isHeld: boolean;
  /** Ends it here, then gives it back, if it is held. */
  release(): Promise<void>;
}

/** Of the lease's time: clocks that run apart, and a side effect's first step. */
const MARGIN_SHARE = 0.1;
const RENEW_SHARE = 1 / 3;
const RETRY_SHARE = 1 / 15;

export function createKeeper({ lease, claim, hold, suspension, clock }: KeeperParts): Keeper {
  const { ttlMs } = lease;
  let grant: LeaseGrant | undefined;
  let untilMs = 0;
  let wake: Cancel | undefined;

  const extend = (sentMs: number, granted: LeaseGrant): void => {
    grant = granted;
    untilMs = sentMs + ttlMs * (1 - MARGIN_SHARE);
    hold.extend(untilMs);
  };

  const keep = (onLost: (message: string) => void, delayMs: number): void => {
    wake = clock.after(delayMs, () => void renew(onLost));
  };

  const lose = (message: string, onLost: (message: string) => void): void => {
    grant = undefined;
    onLost(message);
  };

  const renew = async (onLost: (message: string) => void): Promise<void> => {
    const held = grant;
    if (held === undefined) return;
    const sentMs = suspension.elapsedMs();
    if (sentMs >= untilMs) return lose('it could not be renewed in its time', onLost);
    const renewed = await lease.renew(claim, held);
    if (grant !== held) return;
    if (renewed.ok) {
      extend(sentMs, renewed.value);
      return keep(onLost, ttlMs * RENEW_SHARE);
    }
    if (renewed.failure.code !== 'unavailable') return lose(renewed.failure.message, onLost);
    const leftMs = untilMs - suspension.elapsedMs();
    if (leftMs <= 0) return lose(renewed.failure.message, onLost);
    keep(onLost, Math.min(ttlMs * RETRY_SHARE, leftMs));
  };

  return {
    ask: async (onLost) => {
      const sentMs = suspension.elapsedMs();
      const granted = await lease.acquire(claim);
      if (!granted.ok) return granted.failure.message;
      wake?.();
      extend(sentMs, granted.value);
      keep(onLost, ttlMs * RENEW_SHARE);
      return undefined;
    },
    get isHeld() {
      return grant !== undefined;
    },
    release: async () => {
      wake?.();
      hold.end();
      const held = grant;
      grant = undefined;
      if (held !== undefined) await lease.release(held);
    },
  };
}
