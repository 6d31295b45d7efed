/**
 * A running supervision tree as a pure reducer: (state, event) → (state, actions). It says what starts,
 * waits, stops and is cut off; whoever performs that tells back what came of it.
 *
 *   down ──► waiting ──► starting ──► running ──┬──► waiting      a back-off, then its turn
 *               ▲                        │      ├──► down         it ended and stays ended
 *               │                        │      └──► quarantined ──► waiting    resumed
 *               └────────── stopping ◄───┘           doomed with the one it was built on
 *
 * Semantics follow Erlang/OTP `supervisor`: children start in order, each when the one before it runs,
 * and stop in reverse, each when the one after it is gone; a supervisor takes the time its children
 * need. A start that fails while its supervisor starts undoes that; a restart that fails is one more
 * end, re-queued to itself, so that a stop overtakes it. What differs is ours: a child backs off on its
 * own, its first restart at once; too many restarts quarantine the child; an essential one fails its
 * supervisor, which has then ended abnormally for the one above it.
 *
 * Rules: [SU-16] of a child one life runs at a time, and only it is heard; [SU-17] order; [SU-18]
 * deadlines; [SU-19] failed starts; [SU-20] limits; [SU-21] a stop overtakes everything.
 */
import { assert, unreachable } from '../../machines/model/assert.js';
import { BACKOFF_DEFAULT } from './limits.js';
import { type Exit, restartWaitMs } from './restart.js';
import type { SupervisorSpec } from './spec.js';
import { decide } from './supervise.js';
import {
  type ChildPhase,
  type ChildState,
  type Moment,
  type Outcome,
  parentOf,
  pathOf,
  ROOT,
  type Tree,
  type TreeAction,
  type TreeEvent,
  type TreeState,
  type TreeStep,
} from './tree-model.js';

/** One event's work: a copy of the state for the helpers below to write, and what they want done. */
interface Draft<Start> {
  readonly tree: Tree<Start>;
  readonly moment: Moment;
  readonly state: Map<string, ChildState>;
  readonly actions: TreeAction<Start>[];
}

export function supervise<Start>(
  tree: Tree<Start>,
  before: TreeState,
  event: TreeEvent & Moment,
): TreeStep<Start> {
  const draft: Draft<Start> = { tree, moment: event, state: new Map(before), actions: [] };
  take(draft, event);
  return { state: draft.state, actions: draft.actions };
}

function take<Start>(draft: Draft<Start>, event: TreeEvent): void {
  switch (event.type) {
    case 'begin':
      if (get(draft, ROOT).life === 0) startChild(draft, ROOT);
      return;
    case 'stop':
      return stopRoot(draft);
    case 'resume':
      return resume(draft, event.path);
    case 'started':
      return isNews(draft, event) ? started(draft, event.path) : undefined;
    case 'startFailed':
      return isNews(draft, event) ? gone(draft, event.path, 'abnormal') : undefined;
    case 'ended':
      return isNews(draft, event) ? gone(draft, event.path, event.exit) : undefined;
    case 'due':
      return isNews(draft, event) ? due(draft, event.path) : undefined;
    default:
      return unreachable(event);
  }
}

/** What is told of an earlier life has been counted, or overtaken. */
function isNews<Start>(
  draft: Draft<Start>,
  told: { readonly path: string; readonly life: number },
): boolean {
  return get(draft, told.path).life === told.life;
}

function started<Start>(draft: Draft<Start>, path: string): void {
  if (get(draft, path).phase !== 'starting') return;
  set(draft, path, { phase: 'running' });
  advance(draft, parentOf(path));
}

function due<Start>(draft: Draft<Start>, path: string): void {
  const { phase, life } = get(draft, path);
  if (phase === 'stopping') draft.actions.push({ type: 'kill', path, life, overdue: true });
  if (phase !== 'waiting') return;
  set(draft, path, { due: true });
  advance(draft, parentOf(path));
}

/** It does not run any more, or did not come to run. */
function gone<Start>(draft: Draft<Start>, path: string, exit: Exit): void {
  const { phase, doom } = get(draft, path);
  const above = parentOf(path);
  if (phase === 'stopping' || (isAlive(phase) && doom !== 'none')) return stopped(draft, path);
  if (!isAlive(phase)) return;
  if (phase === 'running') return judge(draft, path, exit);
  // What could not be started is wanted all the same: to come to nothing is to end abnormally.
  if (get(draft, above).phase !== 'starting') return judge(draft, path, 'abnormal');
  set(draft, path, { phase: 'down' });
  stopAll(draft, above, 'start-failed');
}

function stopped<Start>(draft: Draft<Start>, path: string): void {
  if (get(draft, path).doom === 'again') wait(draft, path, 0);
  else set(draft, path, { phase: 'down', doom: 'none' });
  advance(draft, parentOf(path));
}

function judge<Start>(draft: Draft<Start>, path: string, exit: Exit): void {
  const above = parentOf(path);
  const spec = specOf(draft, above);
  const childId = path.slice(path.lastIndexOf('/') + 1);
  const end = { childId, exit, at: draft.moment.at, history: get(draft, above).history };
  const { action, history } = decide(spec, end);
  set(draft, above, { history });
  switch (action.type) {
    case 'leave':
      set(draft, path, { phase: 'down' });
      return advance(draft, above);
    case 'restart':
      backOff(draft, path, spec);
      for (const id of action.set.stop) {
        doom(draft, pathOf(above, id), action.set.start.includes(id) ? 'again' : 'stay');
      }
      for (const id of action.set.start) revive(draft, pathOf(above, id));
      return advance(draft, above);
    case 'quarantine':
      noteEnd(draft, path, spec);
      set(draft, path, { phase: 'quarantined' });
      draft.actions.push({ type: 'quarantine', path });
      return advance(draft, above);
    case 'escalate':
      set(draft, path, { phase: 'down' });
      draft.actions.push({ type: 'escalate', supervisor: above, path });
      return stopAll(draft, above, 'failed');
    default:
      return unreachable(action);
  }
}

function backOff<Start>(draft: Draft<Start>, path: string, spec: SupervisorSpec<Start>): void {
  const ends = noteEnd(draft, path, spec);
  wait(draft, path, restartWaitMs(ends, spec.backoff ?? BACKOFF_DEFAULT, draft.moment.random));
}

/** How many ends of its own still count, this one included. */
function noteEnd<Start>(draft: Draft<Start>, path: string, spec: SupervisorSpec<Start>): number {
  const { at } = draft.moment;
  const recent = get(draft, path).ends.filter((time) => at - time <= spec.periodMs);
  const ends = [...recent, at].slice(-(spec.intensity + 1));
  set(draft, path, { ends });
  return ends.length;
}

/** A sibling has to stop for another. One that stops already only changes what comes after that. */
function doom<Start>(draft: Draft<Start>, path: string, to: 'stay' | 'again'): void {
  const { phase } = get(draft, path);
  if (isAlive(phase) || phase === 'stopping') set(draft, path, { doom: to });
}

/** A sibling that had ended starts with the others; one in quarantine is the operator's. */
function revive<Start>(draft: Draft<Start>, path: string): void {
  if (get(draft, path).phase === 'down') wait(draft, path, 0);
}

function wait<Start>(draft: Draft<Start>, path: string, waitMs: number): void {
  const life = get(draft, path).life + 1;
  set(draft, path, { phase: 'waiting', life, due: waitMs === 0, doom: 'none' });
  if (waitMs > 0) draft.actions.push({ type: 'wait', path, life, waitMs });
}

/** Its ends are forgiven, in the count of its supervisor too. */
function resume<Start>(draft: Draft<Start>, path: string): void {
  const { phase, ends } = get(draft, path);
  if (phase !== 'quarantined') return;
  const above = parentOf(path);
  const { phase: phaseAbove, history } = get(draft, above);
  set(draft, above, { history: history.filter((time) => !ends.includes(time)) });
  set(draft, path, { phase: 'down', ends: [] });
  // Otherwise it starts with its supervisor.
  if (!isAlive(phaseAbove)) return;
  wait(draft, path, 0);
  advance(draft, above);
}

/** What a supervisor can do next, given what its children are at. Called whenever one has changed. */
function advance<Start>(draft: Draft<Start>, path: string): void {
  const children = draft.tree.below.get(path) ?? [];
  const last = children.findLast((child) => get(draft, child).doom !== 'none');
  if (last !== undefined) return stopChild(draft, last);
  const { phase } = get(draft, path);
  if (phase === 'stopping') return conclude(draft, path);
  if (isDoomed(draft, path)) return;
  const comesUp = phase === 'starting';
  if (!comesUp && specOf(draft, path).strategy === 'one-for-one') {
    for (const child of children) startIfDue(draft, child);
    return;
  }
  const next = children.find((child) => isBetween(get(draft, child).phase));
  if (next !== undefined) return startIfDue(draft, next);
  if (comesUp) runs(draft, path);
}

/** It, or what it is part of, will be stopped when its turn comes: nothing starts there meanwhile. */
function isDoomed<Start>(draft: Draft<Start>, path: string): boolean {
  if (get(draft, path).doom !== 'none') return true;
  return path !== ROOT && isDoomed(draft, parentOf(path));
}

/** Every child of it has started. */
function runs<Start>(draft: Draft<Start>, path: string): void {
  set(draft, path, { phase: 'running' });
  if (path === ROOT) draft.actions.push({ type: 'up' });
  else advance(draft, parentOf(path));
}

function startIfDue<Start>(draft: Draft<Start>, path: string): void {
  const child = get(draft, path);
  if (child.phase === 'waiting' && child.due) startChild(draft, path);
}

function startChild<Start>(draft: Draft<Start>, path: string): void {
  const life = get(draft, path).life + 1;
  set(draft, path, { phase: 'starting', life, due: false });
  const child = draft.tree.children.get(path);
  if (child === undefined || 'supervisor' in child) return startBelow(draft, path);
  draft.actions.push({ type: 'start', path, life, start: child.start });
}

/** A supervisor that starts has seen no end yet. */
function startBelow<Start>(draft: Draft<Start>, path: string): void {
  set(draft, path, { history: [] });
  for (const child of draft.tree.below.get(path) ?? []) {
    if (get(draft, child).phase !== 'down') continue;
    set(draft, child, { ends: [] });
    wait(draft, child, 0);
  }
  advance(draft, path);
}

/** Nothing happens to one that is stopping: it is waited for. */
function stopChild<Start>(draft: Draft<Start>, path: string): void {
  const child = draft.tree.children.get(path);
  const { phase, life } = get(draft, path);
  if (child === undefined || phase === 'stopping') return;
  if ('supervisor' in child) return stopAll(draft, path, 'shutdown');
  set(draft, path, { phase: 'stopping' });
  const { shutdownMs } = child;
  if (shutdownMs === 'brutal') {
    draft.actions.push({ type: 'kill', path, life, overdue: false });
    return;
  }
  draft.actions.push({ type: 'stop', path, life, deadlineMs: shutdownMs });
  draft.actions.push({ type: 'wait', path, life, waitMs: shutdownMs });
}

function stopRoot<Start>(draft: Draft<Start>): void {
  const { life } = get(draft, ROOT);
  if (life > 0) return stopAll(draft, ROOT, 'shutdown');
  // It never began, and never will.
  set(draft, ROOT, { life: 1 });
  draft.actions.push({ type: 'done', outcome: 'shutdown' });
}

/** Takes a supervisor down, all its children first. One that is going down goes on doing so. */
function stopAll<Start>(draft: Draft<Start>, path: string, why: Outcome): void {
  const { phase } = get(draft, path);
  if (!isAlive(phase)) return;
  const outcome = why === 'failed' && phase === 'starting' ? 'start-failed' : why;
  set(draft, path, { phase: 'stopping', outcome });
  for (const child of draft.tree.below.get(path) ?? []) {
    const below = get(draft, child);
    if (below.phase === 'waiting') set(draft, child, { phase: 'down', life: below.life + 1 });
    doom(draft, child, 'stay');
  }
  advance(draft, path);
}

/** All its children are gone: for the supervisor above it, it is a child that has ended. */
function conclude<Start>(draft: Draft<Start>, path: string): void {
  const { doom: told, outcome } = get(draft, path);
  if (path === ROOT) {
    set(draft, path, { phase: 'down' });
    draft.actions.push({ type: 'done', outcome });
    return;
  }
  if (told !== 'none') return stopped(draft, path);
  set(draft, path, { phase: outcome === 'start-failed' ? 'starting' : 'running' });
  gone(draft, path, 'abnormal');
}

function isAlive(phase: ChildPhase): boolean {
  return phase === 'starting' || phase === 'running';
}

/** On its way up or down: those after it wait to see where it ends. */
function isBetween(phase: ChildPhase): boolean {
  return phase === 'waiting' || phase === 'starting' || phase === 'stopping';
}

function specOf<Start>({ tree }: Draft<Start>, path: string): SupervisorSpec<Start> {
  const child = tree.children.get(path);
  if (child === undefined) return tree.spec;
  assert('supervisor' in child, `${path} supervises nothing`);
  return child.supervisor;
}

function get<Start>({ state }: Draft<Start>, path: string): ChildState {
  const child = state.get(path);
  assert(child !== undefined, `no child ${path}`);
  return child;
}

function set<Start>(draft: Draft<Start>, path: string, change: Partial<ChildState>): void {
  draft.state.set(path, { ...get(draft, path), ...change });
}
