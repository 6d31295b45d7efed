/**
 * Coalescing before the append: what is only observed and changes too often waits, and of all that
 * waited only the newest is appended, with how many there were and where they began.
 *
 * The first change goes at once and opens a window of its ordering key. What changes again while it is
 * open waits until nothing has changed for a whole window, at most `WINDOWS_MAX` of them. Nothing of this
 * is stored: whatever is lost with the process is observed anew, and is told if it is news.
 *
 * Rule: [ST-27] within a window an observed aggregate is appended at most once; the last change always is.
 */
import type { PackedDecision, PackedPublish } from '../../ports/packed.js';
import { RECENT_MAX } from './limits.js';

/** A record that publishes, and what it is to be told with. */
export interface Published {
  readonly publish: PackedPublish;
  readonly key: string;
  readonly part: number;
  readonly root: string;
  /** Its journal entry. */
  readonly entry: number;
  /** It says more than its entry does. */
  readonly isWhole?: boolean;
}

/** A change that waits: the newest of its key. */
export interface Held {
  readonly decision: PackedDecision;
  readonly published: Published;
}

/** What is told of the changes that were not. */
export interface Coalesced {
  readonly changes: number;
  /** The level before the first of them. */
  readonly from: string;
}

export interface Due extends Held, Coalesced {}

export interface Coalescer {
  /** 0: nothing waits. */
  setWindow(windowMs: number): void;
  /** Whether it has to wait; else it opens a window. */
  holds(held: Held, at: { readonly nowMs: number; readonly level: string | null }): boolean;
  isWaiting(key: string): boolean;
  /** A whole aggregate of this key is appended: what waited is older. */
  supersede(key: string): void;
  /** What is to be appended now. */
  due(nowMs: number): readonly Due[];
  /** Until there may be something due. */
  dueInMs(nowMs: number): number | undefined;
  /** What was taken since `begin` counts from now on, or never happened. */
  begin(): void;
  keep(): void;
  undo(): void;
}

/** Longest wait of something that never rests. */
const WINDOWS_MAX = 30;

interface Window {
  readonly key: string;
  readonly openedMs: number;
  readonly lastMs: number;
  readonly changes: number;
  readonly from: string;
  readonly held?: Held;
}

export function createCoalescer(): Coalescer {
  const windows = new Map<string, Window>();
  /** As they were before this transaction. */
  const before = new Map<string, Window | undefined>();
  let windowMs = 0;
  /** Before this nothing is due. */
  let earliestMs = Number.POSITIVE_INFINITY;

  const put = (key: string, window: Window | undefined): void => {
    if (!before.has(key)) before.set(key, windows.get(key));
    set(key, window);
  };
  const set = (key: string, window: Window | undefined): void => {
    if (window === undefined) windows.delete(key);
    else windows.set(key, window);
    earliestMs = Math.min(earliestMs, window === undefined ? earliestMs : endOf(window));
  };
  const endOf = ({ openedMs, lastMs }: Window): number =>
    Math.min(lastMs + windowMs, openedMs + WINDOWS_MAX * windowMs);

  return {
    setWindow: (ms) => {
      windowMs = ms;
      earliestMs = 0;
    },
    holds: (held, { nowMs, level }) => {
      if (windowMs === 0) return false;
      const { key } = held.published;
      const open = windows.get(key);
      if (open === undefined || (open.held === undefined && nowMs >= endOf(open))) {
        const opened = { key, openedMs: nowMs, lastMs: nowMs, changes: 0, from: '' };
        // At the bound nothing waits: all is told at once, as without a window.
        if (open !== undefined || windows.size < RECENT_MAX) put(key, opened);
        return false;
      }
      const from = open.held === undefined ? (level ?? '') : open.from;
      put(key, { ...open, lastMs: nowMs, changes: open.changes + 1, from, held });
      return true;
    },
    isWaiting: (key) => windows.get(key)?.held !== undefined,
    supersede: (key) => {
      if (windows.has(key)) put(key, undefined);
    },
    due: (nowMs) => {
      if (nowMs < earliestMs) return [];
      const due: Due[] = [];
      for (const window of windows.values()) {
        if (nowMs < endOf(window)) continue;
        const { held, changes, from, key } = window;
        put(key, undefined);
        if (held !== undefined) due.push({ ...held, changes, from });
      }
      earliestMs = Math.min(...[...windows.values()].map(endOf), Number.POSITIVE_INFINITY);
      return due;
    },
    dueInMs: (nowMs) => (windows.size === 0 ? undefined : Math.max(0, earliestMs - nowMs)),
    begin: () => before.clear(),
    keep: () => before.clear(),
    undo: () => {
      for (const [key, window] of before) set(key, window);
      before.clear();
    },
  };
}
