/** The virtual clock beside a list that is sorted each time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Cancel } from '../../src/ports/clock.js';
import { createVirtualClock } from '../../src/runtime/virtual-clock.js';
import { seedOfRun } from '../support/seed.js';

interface Waiting {
  readonly dueMs: number;
  readonly n: number;
}

/** What each run asks for when it runs, by its number: more waits, and cancels of others. */
interface Deed {
  readonly waitMs: readonly number[];
  readonly cancels: readonly number[];
}

const waitMs = fc.integer({ min: -8, max: 800 }).map((eighths) => eighths / 8);
const deed = fc.record({
  waitMs: fc.array(waitMs, { maxLength: 3 }),
  cancels: fc.array(fc.nat(40), { maxLength: 2 }),
});

function modelOf(deeds: readonly Deed[], untilMs: number): string[] {
  let nowMs = 0;
  let asked = 0;
  let list: Waiting[] = [];
  const ran: string[] = [];
  const perform = ({ waitMs, cancels }: Deed): void => {
    for (const wait of waitMs) list.push({ dueMs: nowMs + Math.max(0, wait), n: asked++ });
    list = list.filter(({ n }) => !cancels.includes(n));
  };
  for (let turn = 0; ; turn += 1) {
    perform(deeds[turn] ?? { waitMs: [], cancels: [] });
    const [first] = list.sort((a, b) => a.dueMs - b.dueMs || a.n - b.n);
    if (first === undefined || first.dueMs > untilMs) return ran;
    list = list.filter((entry) => entry !== first);
    nowMs = first.dueMs;
    ran.push(`${nowMs} ${first.n}`);
  }
}

test('[RT-59] virtual clock: whatever is asked for and cancelled, also meanwhile, runs as from a sorted list', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(deed, { minLength: 1, maxLength: 30, size: 'max' }),
      fc.nat(400),
      async (deeds, untilMs) => {
        const clock = createVirtualClock();
        const cancels: Cancel[] = [];
        const ran: string[] = [];
        const perform = (deed: Deed | undefined): void => {
          for (const wait of deed?.waitMs ?? []) {
            const n = cancels.length;
            const cancel = clock.after(wait, () => {
              ran.push(`${clock.monotonic()} ${n}`);
              perform(deeds[ran.length]);
            });
            cancels.push(cancel);
          }
          for (const n of deed?.cancels ?? []) cancels[n]?.();
        };
        perform(deeds[0]);
        await clock.advance(untilMs);
        assert.deepEqual(ran, modelOf(deeds, untilMs));
        assert.equal(clock.monotonic(), untilMs);
      },
    ),
    { seed: seedOfRun(), numRuns: 300 },
  );
});

test('[RT-59] virtual clock: 100,000 waits, most of them cancelled in any order, are no burden', async () => {
  const clock = createVirtualClock();
  const ran: number[] = [];
  const cancels = Array.from({ length: 100_000 }, (_, n) =>
    clock.after((n * 7_919) % 100_003, () => ran.push((n * 7_919) % 100_003)),
  );
  for (let n = 0; n < cancels.length; n += 1) {
    const at = (n * 31) % cancels.length;
    if (at % 100 !== 0) cancels[at]?.();
  }
  await clock.advance(100_003);
  const kept = Array.from({ length: 1_000 }, (_, n) => (n * 100 * 7_919) % 100_003);
  assert.deepEqual(
    ran,
    kept.sort((a, b) => a - b),
  );
  for (const cancel of cancels) cancel();
  let last = 0;
  clock.after(5, () => {
    last = clock.monotonic();
  });
  await clock.advance(10);
  assert.equal(last, 100_008);
});
