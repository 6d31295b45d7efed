/**
 * Performs a supervision tree: starts, stops and cuts off what the reducer says, waits when it says so,
 * and tells it what came of that. Every decision is the reducer's; here is only the doing, and a report
 * of each end as data.
 *
 * Rules: [SU-22] the tree is performed as it is written, and every end is reported with what was
 * decided; who overstays a deadline is named.
 */
import { assert, unreachable } from '../../machines/model/assert.js';
import type { JsonObject } from '../../machines/model/json.js';
import { fail, ok, type Result } from '../../machines/model/result.js';
import type { Cancel, Clock, Random } from '../ports/clock.js';
import type { Log } from '../ports/log.js';
import type { Exit } from '../supervision/restart.js';
import type { SupervisorSpec } from '../supervision/spec.js';
import { supervise } from '../supervision/tree.js';
import {
  type ChildPhase,
  type Outcome,
  parentOf,
  ROOT,
  type TreeAction,
  type TreeEvent,
  treeOf,
} from '../supervision/tree-model.js';
import { validateSpec } from '../supervision/validate.js';

/** One start of a child. Its life names it in all that is said of it later. */
export interface Child<Start> {
  readonly path: string;
  readonly life: number;
  readonly start: Start;
}

export interface SupervisorOptions<Start> {
  readonly spec: SupervisorSpec<Start>;
  readonly clock: Pick<Clock, 'monotonic' | 'after'>;
  readonly random: Random;
  readonly log: Log;
  /** Resolves when the child serves, or with why it does not; a rejection is such a reason too. */
  start(child: Child<Start>): Promise<Result<void, string>>;
  /** To end by itself within the deadline; one that is only starting is to give that up. */
  stop(child: Child<Start>, deadlineMs: number): void;
  /** To be cut off now, whatever it is doing. */
  kill(child: Child<Start>): void;
  onQuarantine?(path: string): void;
  /** `supervisor` fails: its essential child `path` ended too often. */
  onEscalate?(supervisor: string, path: string, reason: string): void;
}

/** How it came that nothing runs any more; `reason` is that of the end which led to it. */
export interface Done {
  readonly outcome: Outcome;
  readonly reason: string;
}

export interface Supervisor {
  /** Starts everything. Resolves when all of it runs; else when all is undone, with why. */
  start(): Promise<Result<void, string>>;
  /** Resolves when nothing runs any more. */
  stop(): Promise<Done>;
  /** The same, whatever the cause: for whoever has to notice. */
  readonly done: Promise<Done>;
  /** To be called of every life that has started, however it ended; twice does no harm. */
  ended(child: { readonly path: string; readonly life: number }, exit: Exit, reason: string): void;
  /** False: it is not quarantined. */
  resume(path: string): boolean;
  phaseOf(path: string): ChildPhase | undefined;
  /** As operators see it, in the order of starting. */
  view(): readonly JsonObject[];
}

type Told = TreeEvent & { readonly reason?: string };

export function createSupervisor<Start>(options: SupervisorOptions<Start>): Supervisor {
  const { spec, clock, random, log } = options;
  const checked = validateSpec(spec);
  assert(checked.ok, `the supervision tree is not sound: ${JSON.stringify(checked)}`);
  const tree = treeOf(spec);
  let state = tree.initial;
  /** Started and not ended, by path. */
  const running = new Map<string, Child<Start>>();
  const waits = new Map<string, Cancel>();
  const inbox: Told[] = [];
  let lastReason = 'nothing has ended';
  let resolveUp: (outcome: Result<void, string>) => void = () => undefined;
  let resolveDone: (done: Done) => void = () => undefined;
  const up = new Promise<Result<void, string>>((resolve) => {
    resolveUp = resolve;
  });
  const done = new Promise<Done>((resolve) => {
    resolveDone = resolve;
  });

  /** Events are taken one after the other, also those that come of performing one. */
  const tell = (event: Told): void => {
    inbox.push(event);
    if (inbox.length > 1) return;
    for (let next = inbox[0]; next !== undefined; next = inbox[0]) {
      take(next);
      inbox.shift();
    }
  };

  const take = (event: Told): void => {
    const before = state;
    const step = supervise(tree, state, {
      ...event,
      at: clock.monotonic(),
      random: random.next(),
    });
    state = step.state;
    if (event.type === 'ended' || event.type === 'startFailed') {
      if (before.get(event.path)?.life === event.life) report(event, before.get(event.path)?.phase);
    }
    for (const action of step.actions) perform(action);
  };

  const report = (
    { path, reason = '' }: Told & { readonly path: string },
    phase: ChildPhase | undefined,
  ): void => {
    const supervisor = parentOf(path) || 'node';
    if (phase === 'stopping')
      return log.debug({ supervisor, child: path, reason }, 'child stopped');
    lastReason = `${path}: ${reason}`;
    const restarts = state.get(parentOf(path))?.history.length ?? 0;
    const now = state.get(path)?.phase;
    log.error({ supervisor, child: path, reason, restarts, now }, 'child ended');
  };

  const perform = (action: TreeAction<Start>): void => {
    switch (action.type) {
      case 'start':
        return start(action);
      case 'wait':
        return wait(action.path, action.life, action.waitMs);
      case 'stop':
        return withChild(action.path, (child) => options.stop(child, action.deadlineMs));
      case 'kill':
        if (action.overdue) {
          log.error({ child: action.path }, 'child overstayed its deadline and is cut off');
        }
        return withChild(action.path, options.kill);
      case 'quarantine':
        log.error(
          { child: action.path },
          'child quarantined: it ended too often; resume it by hand',
        );
        return options.onQuarantine?.(action.path);
      case 'escalate':
        log.error(
          { supervisor: action.supervisor || 'node', child: action.path },
          'supervisor fails: a child it cannot do without ended too often',
        );
        return options.onEscalate?.(action.supervisor, action.path, lastReason);
      case 'up':
        return resolveUp(ok(undefined));
      case 'done':
        return finish(action.outcome);
      default:
        return unreachable(action);
    }
  };

  const start = ({ path, life, start: what }: TreeAction<Start> & { type: 'start' }): void => {
    const child = { path, life, start: what };
    running.set(path, child);
    const failed = (reason: string): void => {
      if (running.get(path) === child) running.delete(path);
      tell({ type: 'startFailed', path, life, reason });
    };
    options.start(child).then(
      (outcome) => (outcome.ok ? tell({ type: 'started', path, life }) : failed(outcome.failure)),
      (error: unknown) => failed(String(error)),
    );
  };

  const wait = (path: string, life: number, waitMs: number): void => {
    waits.get(path)?.();
    const over = (): void => tell({ type: 'due', path, life });
    waits.set(path, clock.after(waitMs, over));
  };

  const withChild = (path: string, act: (child: Child<Start>) => void): void => {
    const child = running.get(path);
    if (child !== undefined) act(child);
  };

  const finish = (outcome: Outcome): void => {
    for (const cancel of waits.values()) cancel();
    waits.clear();
    const reason = outcome === 'shutdown' ? 'it was told to stop' : lastReason;
    resolveUp(fail(reason));
    resolveDone({ outcome, reason });
  };

  return {
    start: () => {
      tell({ type: 'begin' });
      return up;
    },
    stop: () => {
      tell({ type: 'stop' });
      return done;
    },
    done,
    ended: ({ path, life }, exit, reason) => {
      const child = running.get(path);
      if (child?.life === life) running.delete(path);
      tell({ type: 'ended', path, life, exit, reason });
    },
    resume: (path) => {
      if (state.get(path)?.phase !== 'quarantined') return false;
      tell({ type: 'resume', path });
      return true;
    },
    phaseOf: (path) => state.get(path)?.phase,
    view: () =>
      [...state].flatMap(([path, { phase, life, history }]) =>
        path === ROOT ? [] : [{ path, phase, life, restarts: history.length }],
      ),
  };
}
