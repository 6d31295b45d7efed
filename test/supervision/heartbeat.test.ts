/** Who is found silent, and that nobody is by a judge who was away himself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressOf } from '../../machines/model/ids.js';
import { createCulprits } from '../../src/supervision/culprits.js';
import {
  type HeartbeatState,
  judgeHeartbeats,
  NEVER_CHECKED,
} from '../../src/supervision/heartbeat.js';
import { CULPRITS_MAX } from '../../src/supervision/limits.js';
import { seedOfRun } from '../support/seed.js';

const RULES = { intervalMs: 10, timeoutMs: 50 };

/** A check for each number: when it is made; the threads in `live` have beaten since the last. */
function verdicts(checks: readonly number[], live: readonly number[] = []): readonly unknown[] {
  let state: HeartbeatState = NEVER_CHECKED;
  return checks.map((now, index) => {
    const beats = new Map([1, 2, 3].map((thread) => [thread, live.includes(thread) ? index : 7]));
    const judged = judgeHeartbeats(RULES, state, { now, beats });
    state = judged.state;
    return judged.silent;
  });
}

const CASES = [
  { name: 'all live', checks: [0, 10, 20, 30, 40, 50, 60], live: [1, 2, 3], last: undefined },
  {
    name: 'one is silent, not yet for too long',
    checks: [0, 10, 20, 30, 40, 49],
    live: [1, 3],
    last: undefined,
  },
  { name: 'one is silent for too long', checks: [0, 10, 20, 30, 40, 50], live: [1, 3], last: 2 },
  { name: 'all are silent: one is named', checks: [0, 10, 20, 30, 40, 50], live: [], last: 1 },
  {
    name: 'a check that is a little late still counts',
    checks: [0, 20, 40, 60],
    live: [1, 3],
    last: 2,
  },
  { name: 'the judge was away', checks: [0, 10, 20, 30, 4_000], live: [], last: undefined },
  {
    name: 'away, and everything counts anew',
    checks: [0, 10, 20, 500, 510, 520, 530, 540],
    live: [],
    last: undefined,
  },
  {
    name: 'away, and then silent for too long',
    checks: [0, 500, 510, 520, 530, 540, 550],
    live: [1, 3],
    last: 2,
  },
  { name: 'time goes back', checks: [100, 110, 120, 5], live: [], last: undefined },
];
for (const { name, checks, live, last } of CASES) {
  test(`[SU-12] heartbeats: ${name}`, () => {
    const told = verdicts(checks, live);
    assert.equal(told.at(-1), last);
    assert.ok(told.slice(0, -1).every((silent) => silent === undefined));
  });
}

test('[SU-12] heartbeats: who is named has said nothing for the whole time, in checks that all ran on time', () => {
  const step = fc.record({
    afterMs: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 200 })),
    beating: fc.subarray([1, 2, 3]),
    there: fc.subarray([1, 2, 3], { minLength: 1 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let state: HeartbeatState = NEVER_CHECKED;
      let now = 0;
      const counts = new Map([1, 2, 3].map((thread) => [thread, 0]));
      /** Since when each is known to be silent, by checks without a gap. */
      const silentSince = new Map<number, number>();
      for (const { afterMs, beating, there } of steps) {
        now += afterMs;
        for (const thread of beating) counts.set(thread, (counts.get(thread) ?? 0) + 1);
        const late = afterMs > 2 * RULES.intervalMs || state === NEVER_CHECKED;
        for (const thread of [1, 2, 3]) {
          if (!there.includes(thread)) silentSince.delete(thread);
          else if (late || beating.includes(thread) || !silentSince.has(thread)) {
            silentSince.set(thread, now);
          }
        }
        const beats = new Map([...counts].filter(([thread]) => there.includes(thread)));
        const judged = judgeHeartbeats(RULES, state, { now, beats });
        state = judged.state;
        const guilty = [...silentSince]
          .filter(([, since]) => now - since >= RULES.timeoutMs)
          .sort(([, one], [, other]) => one - other);
        if (judged.silent === undefined) assert.deepEqual(guilty, []);
        else assert.equal(silentSince.get(judged.silent), guilty[0]?.[1], 'silent the longest');
      }
    }),
    { seed: seedOfRun(), numRuns: 1_000 },
  );
});

test('[SU-13] culprits: counted by thread, kept out from the third, forgiven, and bounded', () => {
  const culprits = createCulprits(3);
  const [bad, worse] = [addressOf('group', 't/bad'), addressOf('group', 't/worse')];
  assert.deepEqual(
    [1, 2, 3].map(() => culprits.blame('a', bad)),
    [1, 2, 3],
  );
  culprits.blame('b', bad);
  culprits.blame('a', worse);
  assert.deepEqual([culprits.quarantined('a'), culprits.quarantined('b')], [[bad], []]);
  culprits.forgive(bad);
  assert.deepEqual(culprits.quarantined('a'), []);
  assert.equal(culprits.blame('a', bad), 1);
  for (let n = 0; n < CULPRITS_MAX; n += 1) culprits.blame('a', addressOf('group', `t/g${n}`));
  assert.equal(culprits.blame('a', bad), 1, 'the oldest was forgotten');
});
