/** Ends threads one at a time, and only the life that was accused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createExecutioner } from '../../src/app/executioner.js';
import { seedOfRun } from '../support/seed.js';

test('[SU-14] executioner: one at a time, of the life that was accused; all of them in the end', () => {
  const step = fc.record({
    does: fc.constantFrom('accuse', 'accuse late', 'over'),
    name: fc.constantFrom('a', 'b', 'c'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const lives = new Map([
        ['a', 1],
        ['b', 1],
        ['c', 1],
      ]);
      let current: string | undefined;
      const executioner = createExecutioner((suspect) => {
        if (lives.get(suspect.name) !== suspect.incarnation) return false;
        assert.equal(current, undefined, 'one at a time');
        current = suspect.name;
        return true;
      });
      const replace = (name: string): void => {
        lives.set(name, (lives.get(name) ?? 0) + 1);
        if (current === name) current = undefined;
        executioner.over(name);
      };
      for (const { does, name } of steps) {
        const life = lives.get(name) ?? 0;
        if (does === 'over') replace(name);
        else executioner.accuse({ name, incarnation: does === 'accuse' ? life : life - 1 }, 'test');
      }
      for (let rest = 0; rest < 4; rest += 1) if (current !== undefined) replace(current);
      assert.equal(current, undefined);
      executioner.accuse({ name: 'a', incarnation: lives.get('a') ?? 0 }, 'last');
      assert.equal(current, 'a', 'nobody is in its way');
    }),
    { seed: seedOfRun(), numRuns: 1_000 },
  );
});
