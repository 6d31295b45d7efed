/**
 * A supervision tree on a performer that does at once what it is told, or refuses to: what was done is
 * kept as words, so that a test reads as a transcript.
 */
import type { Exit } from '../../src/supervision/restart.js';
import type {
  ChildSpec,
  Restart,
  Strategy,
  SupervisorSpec,
  WorkerSpec,
} from '../../src/supervision/spec.js';
import { supervise } from '../../src/supervision/tree.js';
import { type TreeAction, type TreeEvent, treeOf } from '../../src/supervision/tree-model.js';

export interface TreeLab {
  begin(): void;
  /** A child that runs ends by itself. */
  ends(path: string, exit?: Exit): void;
  resume(path: string): void;
  stop(): void;
  /** Time passes; waits that are over are told. */
  advance(ms: number): void;
  /** Anything, as it is. */
  tell(event: TreeEvent): void;
  /** Children whose start fails. */
  readonly broken: Set<string>;
  /** Children that answer nothing: neither to a start nor to a stop. */
  readonly mute: Set<string>;
  /** Paths that run, by life. */
  readonly alive: Map<string, number>;
  phaseOf(path: string): string;
  lifeOf(path: string): number;
  /** What was done since the last look. */
  words(): string;
}

export function worker(
  id: string,
  restart: Restart = 'permanent',
  terms: Partial<WorkerSpec<string>> = {},
): WorkerSpec<string> {
  return { id, start: id, restart, essential: false, shutdownMs: 100, ...terms };
}

export function subtree(
  id: string,
  supervisor: SupervisorSpec<string>,
  essential = true,
): ChildSpec<string> {
  return { id, restart: 'permanent', essential, supervisor };
}

export function spec(
  strategy: Strategy,
  children: readonly ChildSpec<string>[],
  limit: Partial<SupervisorSpec<string>> = {},
): SupervisorSpec<string> {
  const backoff = { baseMs: 100, maxMs: 1_000, jitter: 0 };
  return { strategy, intensity: 3, periodMs: 1_000, backoff, children, ...limit };
}

/** `instant`: waits are over as soon as they begin. */
export function treeLab(of: SupervisorSpec<string>, instant = false): TreeLab {
  const tree = treeOf(of);
  let state = tree.initial;
  let at = 0;
  let said: string[] = [];
  let waits: { readonly path: string; readonly life: number; readonly dueAt: number }[] = [];
  const alive = new Map<string, number>();
  const broken = new Set<string>();
  const mute = new Set<string>();
  const inbox: TreeEvent[] = [];

  const tell = (event: TreeEvent): void => {
    inbox.push(event);
    if (inbox.length > 1) return;
    for (let next = inbox[0]; next !== undefined; next = inbox[0]) {
      const step = supervise(tree, state, { ...next, at, random: 0 });
      state = step.state;
      for (const action of step.actions) perform(action);
      inbox.shift();
    }
  };

  const perform = (action: TreeAction<string>): void => {
    if (action.type !== 'wait' || isBackOff(action.path)) said.push(wordsOf(action));
    if (action.type === 'wait') return wait(action);
    if (action.type === 'start') return start(action);
    if (action.type === 'stop' || action.type === 'kill') end(action);
  };

  /** Not the deadline of a stop, which the stop has said already. */
  const isBackOff = (path: string): boolean => state.get(path)?.phase === 'waiting';

  const wait = ({ path, life, waitMs }: TreeAction<string> & { type: 'wait' }): void => {
    // The deadline of a stop that is obeyed never comes.
    if (instant && isBackOff(path)) inbox.push({ type: 'due', path, life });
    else waits.push({ path, life, dueAt: at + waitMs });
  };

  const start = ({ path, life }: TreeAction<string> & { type: 'start' }): void => {
    if (broken.has(path)) return void inbox.push({ type: 'startFailed', path, life });
    alive.set(path, life);
    if (!mute.has(path)) inbox.push({ type: 'started', path, life });
  };

  const end = ({ type, path, life }: TreeAction<string> & { type: 'stop' | 'kill' }): void => {
    if (type === 'stop' && mute.has(path)) return;
    alive.delete(path);
    inbox.push({ type: 'ended', path, life, exit: 'shutdown' });
  };

  const advance = (ms: number): void => {
    const until = at + ms;
    for (;;) {
      const due = waits.filter(({ dueAt }) => dueAt <= until).sort((a, b) => a.dueAt - b.dueAt)[0];
      if (due === undefined) break;
      waits = waits.filter((wait) => wait !== due);
      at = Math.max(at, due.dueAt);
      tell({ type: 'due', path: due.path, life: due.life });
    }
    at = until;
  };

  const lifeOf = (path: string): number => state.get(path)?.life ?? 0;
  return {
    begin: () => tell({ type: 'begin' }),
    ends: (path, exit = 'abnormal') => {
      alive.delete(path);
      tell({ type: 'ended', path, life: lifeOf(path), exit });
    },
    resume: (path) => tell({ type: 'resume', path }),
    stop: () => tell({ type: 'stop' }),
    advance,
    tell,
    broken,
    mute,
    alive,
    phaseOf: (path) => state.get(path)?.phase ?? 'unknown',
    lifeOf,
    words: () => {
      const words = said.join('; ');
      said = [];
      return words;
    },
  };
}

function wordsOf(action: TreeAction<string>): string {
  switch (action.type) {
    case 'start':
      return `start ${action.path}`;
    case 'wait':
      return `wait ${action.path} ${action.waitMs}`;
    case 'stop':
      return `stop ${action.path}`;
    case 'kill':
      return `${action.overdue ? 'cut off' : 'kill'} ${action.path}`;
    case 'quarantine':
      return `quarantine ${action.path}`;
    case 'escalate':
      return `escalate ${action.supervisor}:${action.path}`;
    case 'done':
      return `done ${action.outcome}`;
    default:
      return action.type;
  }
}
