/**
 * Timers as they ought to be, dumbly: one list, sorted at each look. A script says what each firing
 * does to other timers while they are being fired.
 */
import type { TimerOwner, Timers } from '../../src/runtime/timers.js';

/** What somebody does to timers, from outside or out of a firing. */
export type TimerDeed =
  | { readonly deed: 'arm'; readonly owner: number; readonly id: string; readonly waitMs: number }
  | { readonly deed: 'armAt'; readonly owner: number; readonly id: string; readonly offMs: number }
  | { readonly deed: 'cancel'; readonly owner: number; readonly id: string }
  | { readonly deed: 'cancelAll'; readonly owner: number };

interface Waiting {
  readonly owner: number;
  readonly id: string;
  readonly dueMs: number;
  readonly arming: number;
  fired: boolean;
}

/** `script`: deeds of the first firing, of the second, and so on. */
export function createTimerModel(script: readonly (readonly TimerDeed[])[]) {
  let nowMs = 0;
  let armings = 0;
  let firings = 0;
  let list: Waiting[] = [];
  const fired: string[] = [];
  const firedEntries: Waiting[] = [];

  const drop = (owner: number, id?: string): void => {
    list = list.filter((entry) => entry.owner !== owner || (id !== undefined && entry.id !== id));
  };

  const perform = (deed: TimerDeed): void => {
    drop(deed.owner, deed.deed === 'cancelAll' ? undefined : deed.id);
    if (deed.deed !== 'arm' && deed.deed !== 'armAt') return;
    const dueMs = nowMs + (deed.deed === 'arm' ? deed.waitMs : deed.offMs);
    list.push({ owner: deed.owner, id: deed.id, dueMs, arming: armings++, fired: false });
  };

  const look = (): void => {
    const due = list.filter((entry) => !entry.fired && Math.ceil(entry.dueMs) <= nowMs).sort(byDue);
    for (const entry of due) {
      if (!list.includes(entry)) continue;
      entry.fired = true;
      firedEntries.push(entry);
      fired.push(`${nowMs} ${entry.owner}${entry.id}`);
      for (const deed of script[firings++] ?? []) perform(deed);
    }
  };

  return {
    fired,
    perform,
    advance: (durationMs: number): void => {
      const untilMs = nowMs + durationMs;
      for (;;) {
        const ticks = list.filter(({ fired }) => !fired).map(({ dueMs }) => Math.ceil(dueMs));
        const next = Math.max(nowMs, Math.min(...ticks));
        if (next > untilMs) break;
        nowMs = next;
        look();
      }
      nowMs = untilMs;
    },
    /** As `armedOf` has them, fired ones included. */
    armedOf: (owner: number) =>
      list
        .filter((entry) => entry.owner === owner)
        .sort(byDue)
        .map(({ id, dueMs }) => ({ id, dueMonotonicMs: dueMs })),
    /** Whether each firing so far still counts: its timer was neither cancelled nor armed again. */
    counting: () => firedEntries.map((entry) => list.includes(entry)),
    get size() {
      return list.length;
    },
  };
}

function byDue(a: Waiting, b: Waiting): number {
  return a.dueMs - b.dueMs || a.arming - b.arming;
}

/** The same deed done to real timers, at `nowMs` of their clock. */
export function performOn(timers: Timers, owner: TimerOwner, on: TimerDeed & { nowMs: number }) {
  if (on.deed === 'cancelAll') return timers.cancelAll(owner);
  if (on.deed === 'cancel') return timers.cancel(owner, on.id);
  if (on.deed === 'arm') return timers.arm(owner, on.id, on.waitMs);
  const dueMonotonicMs = on.nowMs + on.offMs;
  timers.armAt(owner, { id: on.id, dueMonotonicMs, dueAtMs: dueMonotonicMs });
}
