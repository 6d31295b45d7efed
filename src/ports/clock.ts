/**
 * Time, identity and chance, as the rest of the tree may have them. The system implementation is in
 * src/adapters/system; the virtual one (src/runtime/virtual-clock.ts) runs the same node in one
 * thread at any speed.
 */

export interface Clock {
  /** Wall clock, whole ms since the epoch. For people and for stored deadlines; may step. */
  now(): number;
  /** Monotonic ms. For every wait. */
  monotonic(): number;
  /** Calls `run` once, `delayMs` from now on the monotonic clock; never before the current turn ends. */
  after(delayMs: number, run: () => void): Cancel;
  /** Calls `run` after the current turn, before any timer. */
  soon(run: () => void): void;
}

export type Cancel = () => void;

export interface Ids {
  /** A time-ordered unique id (UUIDv7 text). */
  next(): string;
}

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
}
