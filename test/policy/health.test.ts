/** The health counter against HAProxy's tables, and its laws over any history. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ProbeResult } from '../../machines/model/messages.js';
import { counterMax, countProbe, type HealthCount, unknownCount } from '../../src/policy/health.js';
import { seedOfRun } from '../support/seed.js';

const PASS: ProbeResult = result(true, 'L7OK');
const FAIL: ProbeResult = result(false, 'L7STS');
const LATE: ProbeResult = { ...result(false, 'L4TOUT'), late: true };

function result(passed: boolean, code: string): ProbeResult {
  return { passed, code, detail: '', durationMs: 1, positive: false, late: false };
}

function probes(text: string): readonly ProbeResult[] {
  return [...text].map((letter) => ({ P: PASS, F: FAIL, L: LATE })[letter] ?? FAIL);
}

/** `up 4` after `FF` with `snap: false` reads `3 up, 2 up`. */
function history(start: HealthCount, letters: string, rule: { snap: boolean }): string {
  let count = start;
  const steps = probes(letters).map((probe) => {
    count = countProbe({ rise: 2, fall: 3, ...rule }, count, probe);
    return `${count.counter} ${count.state}`;
  });
  return steps.join(', ');
}

const UNKNOWN: HealthCount = { state: 'unknown', counter: 1 };
const up = (counter: number): HealthCount => ({ state: 'up', counter });
const down = (counter: number): HealthCount => ({ state: 'down', counter });

const plain = [
  { start: UNKNOWN, probes: 'PPPP', reads: '2 up, 3 up, 4 up, 4 up' },
  { start: up(4), probes: 'FFF', reads: '3 up, 2 up, 1 down' },
  { start: down(1), probes: 'F', reads: '0 down' },
  { start: down(0), probes: 'PP', reads: '1 down, 2 up' },
  { start: up(2), probes: 'F', reads: '1 down' },
  { start: up(2), probes: 'PFPF', reads: '3 up, 2 up, 3 up, 2 up' },
  { start: UNKNOWN, probes: 'F', reads: '0 down' },
  { start: down(0), probes: 'PFPP', reads: '1 down, 0 down, 1 down, 2 up' },
] as const;

const snapped = [
  { start: UNKNOWN, probes: 'PFFF', reads: '4 up, 3 up, 2 up, 0 down' },
  { start: up(4), probes: 'FFPF', reads: '3 up, 2 up, 3 up, 2 up' },
  { start: down(0), probes: 'PFPP', reads: '1 down, 0 down, 1 down, 4 up' },
  { start: UNKNOWN, probes: 'FPP', reads: '0 down, 1 down, 4 up' },
] as const;

for (const row of plain) {
  test(`[HE-1] [HE-2] health counter, plain: ${row.start.state} ${row.start.counter} sees ${row.probes}`, () => {
    assert.equal(history(row.start, row.probes, { snap: false }), row.reads);
  });
}

for (const row of snapped) {
  test(`[HE-3] health counter, snap: ${row.start.state} ${row.start.counter} sees ${row.probes}`, () => {
    assert.equal(history(row.start, row.probes, { snap: true }), row.reads);
  });
}

test('[HE-4] health counter: a timeout while our own loop ran late counts for nothing', () => {
  assert.equal(history(UNKNOWN, 'LLL', { snap: true }), '1 unknown, 1 unknown, 1 unknown');
  assert.equal(history(up(2), 'LF', { snap: false }), '2 up, 1 down');
  const refused: ProbeResult = { ...LATE, code: 'L4CON', positive: true };
  assert.equal(countProbe({ rise: 2, fall: 3, snap: true }, UNKNOWN, refused).state, 'down');
});

test('[HE-4] health counter: a check we could not make counts for nothing', () => {
  for (const code of ['SOCKERR', 'UNSUPPORTED']) {
    const count = countProbe({ rise: 2, fall: 1, snap: true }, up(2), result(false, code));
    assert.deepEqual(count, up(2));
  }
});

const anyRule = fc.record({
  rise: fc.integer({ min: 1, max: 6 }),
  fall: fc.integer({ min: 1, max: 6 }),
  snap: fc.boolean(),
});
const anyProbes = fc.array(fc.constantFrom(PASS, FAIL, LATE), { maxLength: 40 });

test('[HE-1] [HE-2] [HE-3] health counter: its laws hold after any probes', () => {
  fc.assert(
    fc.property(anyRule, anyProbes, (rule, results) => {
      let count = unknownCount(rule);
      let failuresInRow = 0;
      for (const probe of results) {
        const before = count;
        count = countProbe(rule, count, probe);
        if (probe !== LATE) failuresInRow = probe.passed ? 0 : failuresInRow + 1;
        assert.ok(count.counter >= 0 && count.counter <= counterMax(rule));
        if (count.state === 'up') assert.ok(count.counter >= rule.rise);
        if (count.state === 'down') assert.ok(count.counter < rule.rise);
        if (before.state === 'unknown' && probe !== LATE) {
          assert.equal(count.state, probe.passed ? 'up' : 'down');
        }
      }
    }),
    { seed: seedOfRun(), numRuns: 500 },
  );
});

test('[HE-3] health counter, snap: a backend just up survives any fall - 1 failures', () => {
  fc.assert(
    fc.property(anyRule, (drawn) => {
      const rule = { ...drawn, snap: true };
      let count = countProbe(rule, unknownCount(rule), PASS);
      for (let failure = 1; failure < rule.fall; failure += 1) {
        count = countProbe(rule, count, FAIL);
        assert.equal(count.state, 'up');
      }
      assert.deepEqual(countProbe(rule, count, FAIL), { state: 'down', counter: 0 });
    }),
    { seed: seedOfRun(), numRuns: 200 },
  );
});
