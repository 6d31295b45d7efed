/** Restart limits, restart types and back-off, as grids and laws. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { backoffMs, type Exit, judgeRestart, wantsRestart } from '../../src/supervision/restart.js';
import { RESTARTS } from '../../src/supervision/spec.js';
import { seedOfRun } from '../support/seed.js';

const grid: readonly {
  readonly name: string;
  readonly intensity: number;
  readonly history: readonly number[];
  readonly now: number;
  readonly verdict: string;
  readonly kept: readonly number[];
}[] = [
  { name: 'a first end', intensity: 2, history: [], now: 100, verdict: 'restart', kept: [100] },
  {
    name: 'the last that is borne',
    intensity: 2,
    history: [90],
    now: 100,
    verdict: 'restart',
    kept: [90, 100],
  },
  {
    name: 'one more',
    intensity: 2,
    history: [80, 90],
    now: 100,
    verdict: 'give-up',
    kept: [80, 90, 100],
  },
  {
    name: 'the oldest just within the period',
    intensity: 2,
    history: [50, 90],
    now: 100,
    verdict: 'give-up',
    kept: [50, 90, 100],
  },
  {
    name: 'the oldest just out of it',
    intensity: 2,
    history: [49, 90],
    now: 100,
    verdict: 'restart',
    kept: [90, 100],
  },
  { name: 'none is borne', intensity: 0, history: [], now: 100, verdict: 'give-up', kept: [100] },
  {
    name: 'all forgotten',
    intensity: 1,
    history: [1, 2, 3],
    now: 100,
    verdict: 'restart',
    kept: [100],
  },
];
for (const { name, intensity, history, now, verdict, kept } of grid) {
  test(`[SU-5] restart limit: ${name}`, () => {
    const judged = judgeRestart({ intensity, periodMs: 50 }, history, now);
    assert.deepEqual(judged, { verdict, history: kept });
  });
}

test('[SU-5] restart limit: gives up exactly when a count over the whole past does', () => {
  const arbGaps = fc.array(fc.nat(40), { maxLength: 60 });
  fc.assert(
    fc.property(fc.nat(5), arbGaps, (intensity, gaps) => {
      const all: number[] = [];
      let history: readonly number[] = [];
      let now = 0;
      for (const gap of gaps) {
        now += gap;
        all.push(now);
        const judged = judgeRestart({ intensity, periodMs: 50 }, history, now);
        history = judged.history;
        const within = all.filter((at) => now - at <= 50).length;
        assert.equal(judged.verdict, within > intensity ? 'give-up' : 'restart');
        assert.ok(history.length <= intensity + 1);
      }
    }),
    { seed: seedOfRun() },
  );
});

const exits: readonly Exit[] = ['normal', 'shutdown', 'abnormal'];
const wanted: Readonly<Record<string, string>> = {
  permanent: 'normal shutdown abnormal',
  transient: 'abnormal',
  temporary: '',
};
for (const restart of RESTARTS) {
  test(`[SU-5] restart type ${restart}: comes back after ${wanted[restart] || 'nothing'}`, () => {
    assert.equal(exits.filter((exit) => wantsRestart(restart, exit)).join(' '), wanted[restart]);
  });
}

const waits = [
  { attempt: 0, random: 0, waitMs: 100 },
  { attempt: 1, random: 0, waitMs: 200 },
  { attempt: 3, random: 0, waitMs: 800 },
  { attempt: 4, random: 0, waitMs: 1_000 },
  { attempt: 1, random: 0.5, waitMs: 150 },
  { attempt: -1, random: 0, waitMs: 100 },
  { attempt: 1e9, random: 0, waitMs: 1_000 },
];
for (const { attempt, random, waitMs } of waits) {
  test(`[SU-6] back-off: attempt ${attempt}, chance ${random}: ${waitMs} ms`, () => {
    const backoff = { baseMs: 100, maxMs: 1_000, jitter: 0.5 };
    assert.equal(backoffMs(attempt, backoff, random), waitMs);
  });
}

test('[SU-6] back-off: within its bounds, and never shorter for a later attempt', () => {
  const arbBackoff = fc.record({
    baseMs: fc.nat(10_000),
    maxMs: fc.nat(100_000),
    jitter: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  const arbChance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(arbBackoff, fc.nat(100), arbChance, (backoff, attempt, random) => {
      const waitMs = backoffMs(attempt, backoff, random);
      assert.ok(Number.isSafeInteger(waitMs) && waitMs >= 0 && waitMs <= backoff.maxMs);
      assert.ok(backoffMs(attempt + 1, backoff, random) >= waitMs);
    }),
    { seed: seedOfRun() },
  );
});

test('[SU-6] back-off: some jitter also when none is named', () => {
  assert.ok(backoffMs(0, { baseMs: 1_000, maxMs: 1_000 }, 0.9) < 1_000);
});
