/**
 * The fleet's lease: who may do what must happen once. One holder at a time, by the server's clock; a
 * holder counts for itself until when, from the moment it *asked*, on a clock that no suspension stops.
 *
 * Every call answers with a value and never rejects, within its own time limit.
 */
import type { LeaseFailure } from '../../machines/model/failures.js';
import type { Result } from '../../machines/model/result.js';

export interface LeaseClaim {
  /** Names the data directory: tells a node from its namesake. */
  readonly writer: string;
  readonly node: string;
  /** Of the authority that its agents know. */
  readonly agentCa?: string;
}

export interface LeaseGrant {
  /** Of the server's record; names this grant in the next renewal. */
  readonly revision: number;
}

export interface Lease {
  /** How long a grant lasts without renewal, from when the server had it. */
  readonly ttlMs: number;
  /** Granted when nobody has it, or we have it from an earlier life. */
  acquire(claim: LeaseClaim): Promise<Result<LeaseGrant, LeaseFailure>>;
  /** `lost` when the record is no longer the one of this grant. */
  renew(claim: LeaseClaim, grant: LeaseGrant): Promise<Result<LeaseGrant, LeaseFailure>>;
  /** The next may have it at once. No longer ours: done. */
  release(grant: LeaseGrant): Promise<Result<void, LeaseFailure>>;
  close(): Promise<void>;
}

/** Milliseconds since some moment, suspension of the machine included. */
export interface SuspensionClock {
  elapsedMs(): number;
}

/** Whether we may act for the fleet at this very moment; asked before each side effect. */
export interface Hold {
  mayAct(): boolean;
  /** 0 while we never held it in this life. */
  readonly epoch: number;
  /** Names the fleet: instances are tagged with it. Ours until the log says otherwise. */
  readonly fleet: string;
}

export interface HoldControl extends Hold {
  /** Until this moment of the suspension clock. */
  extend(untilMs: number): void;
  begin(epoch: number, fleet: string): void;
  end(): void;
}

/** @param fleet Until the log says otherwise. */
export function createHold(clock: SuspensionClock, fleet: string): HoldControl {
  let until = 0;
  let acting = false;
  let epoch = 0;
  let named = fleet;
  return {
    mayAct: () => acting && clock.elapsedMs() < until,
    get epoch() {
      return epoch;
    },
    get fleet() {
      return named;
    },
    extend: (untilMs) => {
      until = untilMs;
    },
    begin: (raised, name) => {
      epoch = raised;
      named = name;
      acting = true;
    },
    end: () => {
      acting = false;
      until = 0;
    },
  };
}
