/**
 * Supervision as data, in Erlang/OTP's words, with one difference that is ours: a child that
 * exceeds the restart limit is quarantined, and only an essential one takes its supervisor with it.
 *
 *   strategy   one-for-one    a child's end concerns that child
 *              rest-for-one   and all children after it, which were built on it
 *              one-for-all    and all its siblings
 *   restart    permanent      always started again
 *              transient      unless it ended as it should
 *              temporary      never
 *
 * Children start in order and stop in reverse. A worker has a deadline to stop in; a supervisor
 * takes the time its own children need.
 */

export const STRATEGIES = ['one-for-one', 'rest-for-one', 'one-for-all'] as const;
export type Strategy = (typeof STRATEGIES)[number];

export const RESTARTS = ['permanent', 'transient', 'temporary'] as const;
export type Restart = (typeof RESTARTS)[number];

export interface Backoff {
  readonly baseMs: number;
  readonly maxMs: number;
  /** Share of the wait, 0..1, that chance may take away, so that many do not come back at once. */
  readonly jitter?: number;
}

interface ChildTerms {
  readonly restart: Restart;
  /** Its quarantine is its supervisor's failure. */
  readonly essential: boolean;
}

/** `Start` says what runs, in the words of whoever starts it. */
export interface WorkerSpec<Start> extends ChildTerms {
  readonly id: string;
  readonly start: Start;
  /** Time to stop by itself; `brutal` gives none. */
  readonly shutdownMs: number | 'brutal';
}

export interface SubtreeSpec<Start> extends ChildTerms {
  readonly id: string;
  readonly supervisor: SupervisorSpec<Start>;
}

export type ChildSpec<Start> = WorkerSpec<Start> | SubtreeSpec<Start>;

export interface RestartLimit {
  /** Restarts within the period that are still borne. */
  readonly intensity: number;
  readonly periodMs: number;
}

export interface SupervisorSpec<Start> extends RestartLimit {
  readonly strategy: Strategy;
  /** Waits between a child's second restart in a row and its last; the first is immediate. */
  readonly backoff?: Backoff;
  readonly children: readonly ChildSpec<Start>[];
}

export interface PlacedWorker<Start> {
  /** Ids from the root's children down, joined by `/`. */
  readonly path: string;
  readonly worker: WorkerSpec<Start>;
}

/** Every worker, in the order of starting; stopping is the reverse. */
export function workersOf<Start>(
  spec: SupervisorSpec<Start>,
  prefix = '',
): readonly PlacedWorker<Start>[] {
  return spec.children.flatMap((child) => {
    const path = `${prefix}${child.id}`;
    return 'supervisor' in child
      ? workersOf(child.supervisor, `${path}/`)
      : [{ path, worker: child }];
  });
}
