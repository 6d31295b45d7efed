/**
 * What a running supervision tree is made of: the state of its children, what may happen to it, and
 * what it wants done. `tree.ts` is the reducer over these.
 */
import type { Exit } from './restart.js';
import type { ChildSpec, SupervisorSpec } from './spec.js';

/**
 * down         not started yet, or ended for good
 * waiting      to be started: when its back-off is over and its turn has come
 * starting     told to start; of a supervisor: its children are starting for the first time
 * running      serves
 * stopping     told to stop, or cut off; of a supervisor: its children are
 * quarantined  ended too often; an operator's `resume` brings it back
 */
export type ChildPhase = 'down' | 'waiting' | 'starting' | 'running' | 'stopping' | 'quarantined';

/** Why a supervisor is down: it was told to, an essential child ended too often, or one did not start. */
export type Outcome = 'shutdown' | 'failed' | 'start-failed';

export interface ChildState {
  readonly phase: ChildPhase;
  /** Raised by every start and every wait. */
  readonly life: number;
  /** Recent ends of its own, for its back-off; ascending. */
  readonly ends: readonly number[];
  /** Waiting: its back-off is over, only its turn is waited for. */
  readonly due: boolean;
  /** It has to stop: for good, or to be started again with the one it was built on. */
  readonly doom: 'none' | 'stay' | 'again';
  /** Of a supervisor: the restarts that still count, over all its children. */
  readonly history: readonly number[];
  /** Of a supervisor that stops or has stopped. */
  readonly outcome: Outcome;
}

/** By path; the root is ''. */
export type TreeState = ReadonlyMap<string, ChildState>;

/** `at` is of one monotonic clock; `random` uniform in [0, 1), for the jitter of a back-off. */
export interface Moment {
  readonly at: number;
  readonly random: number;
}

/** Which start, or which wait, something is told of. */
interface Life {
  readonly path: string;
  readonly life: number;
}

export type TreeEvent =
  | { readonly type: 'begin' }
  | (Life & { readonly type: 'started' })
  | (Life & { readonly type: 'startFailed' })
  | (Life & { readonly type: 'ended'; readonly exit: Exit })
  /** A `wait` is over. */
  | (Life & { readonly type: 'due' })
  /** An operator takes a quarantined child back. */
  | { readonly type: 'resume'; readonly path: string }
  | { readonly type: 'stop' };

export type TreeAction<Start> =
  /** Answered by `started` or `startFailed`, or by `ended`. */
  | (Life & { readonly type: 'start'; readonly start: Start })
  /** Answered by `due`; one that has been overtaken changes nothing. */
  | (Life & { readonly type: 'wait'; readonly waitMs: number })
  /** To end by itself within the deadline, whose `wait` follows. Answered by `ended`. */
  | (Life & { readonly type: 'stop'; readonly deadlineMs: number })
  /** To be cut off now; `overdue`: it overstayed its deadline. Answered by `ended`. */
  | (Life & { readonly type: 'kill'; readonly overdue: boolean })
  /** It stays down, its state kept, until it is resumed. */
  | { readonly type: 'quarantine'; readonly path: string }
  /** `supervisor` fails because its essential child `path` ended too often. */
  | { readonly type: 'escalate'; readonly supervisor: string; readonly path: string }
  /** Everything has started. */
  | { readonly type: 'up' }
  /** Nothing runs any more, and nothing will. */
  | { readonly type: 'done'; readonly outcome: Outcome };

export interface TreeStep<Start> {
  readonly state: TreeState;
  readonly actions: readonly TreeAction<Start>[];
}

/** A spec and what its reducer looks up in it. */
export interface Tree<Start> {
  readonly spec: SupervisorSpec<Start>;
  readonly children: ReadonlyMap<string, ChildSpec<Start>>;
  /** Paths of the children of each supervisor, in order. */
  readonly below: ReadonlyMap<string, readonly string[]>;
  readonly initial: TreeState;
}

export const ROOT = '';

const DOWN: ChildState = {
  phase: 'down',
  life: 0,
  ends: [],
  due: false,
  doom: 'none',
  history: [],
  outcome: 'shutdown',
};

/** @param spec a sound one: `validateSpec` has said so */
export function treeOf<Start>(spec: SupervisorSpec<Start>): Tree<Start> {
  const children = new Map<string, ChildSpec<Start>>();
  const below = new Map<string, readonly string[]>();
  const collect = (supervisor: SupervisorSpec<Start>, above: string): void => {
    below.set(
      above,
      supervisor.children.map(({ id }) => pathOf(above, id)),
    );
    for (const child of supervisor.children) {
      const path = pathOf(above, child.id);
      children.set(path, child);
      if ('supervisor' in child) collect(child.supervisor, path);
    }
  };
  collect(spec, ROOT);
  const initial = new Map([ROOT, ...children.keys()].map((path) => [path, DOWN]));
  return { spec, children, below, initial };
}

/** `above` is the path of a supervisor. */
export function pathOf(above: string, id: string): string {
  return above === ROOT ? id : `${above}/${id}`;
}

export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
