/** When a node doubts itself: the rule, against counting by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { clears, conclusionOf, type Round, raises, WINDOW_MS } from '../../src/policy/suspicion.js';
import { seedOfRun } from '../support/seed.js';

const at = (total: number, ...silentSinceMs: readonly number[]) => ({ total, silentSinceMs });

test('[HE-60] suspicion: more than half, at least four, within ten seconds', () => {
  const rows: readonly (readonly [ReturnType<typeof at>, boolean])[] = [
    [at(4, 0, 0, 0, 0), true],
    [at(3, 0, 0, 0), false],
    [at(8, 0, 0, 0, 0), false],
    [at(7, 0, 0, 0, 0), true],
    [at(4, -1, 0, 0, 0), false],
    [at(6, -1, 0, 0, 0, 0), true],
  ];
  for (const [hearing, expected] of rows) {
    assert.equal(raises(hearing, WINDOW_MS), expected, JSON.stringify(hearing));
  }
});

test('[HE-60] [HE-61] suspicion: what raises does not clear, and with half answering nothing raises', () => {
  fc.assert(
    fc.property(fc.nat(40), fc.array(fc.nat(30_000), { maxLength: 40 }), (more, silentSinceMs) => {
      const hearing = { total: silentSinceMs.length + more, silentSinceMs };
      if (raises(hearing, 30_000)) assert.equal(clears(hearing), false);
      assert.equal(clears(hearing), silentSinceMs.length * 2 <= hearing.total);
    }),
    { seed: seedOfRun() },
  );
});

const rounds = fc
  .record({ asked: fc.nat(32), more: fc.nat(200), silentBefore: fc.nat(50), gone: fc.nat(20) })
  .chain(({ asked, more, silentBefore, gone }) =>
    fc.record({ silent: fc.nat(asked) }).map(({ silent }): Round => {
      const answering = asked === 0 ? 0 : asked + more;
      const total = answering + silentBefore + gone;
      return { total, answering, silentBefore, asked, silent, answered: asked - silent };
    }),
  );

test('[HE-60] [HE-64] suspicion: a round of all is the count itself, one of some its estimate', () => {
  fc.assert(
    fc.property(rounds, (round) => {
      const { total, answering, silentBefore, asked, silent } = round;
      const share = asked === 0 ? 0 : silent / asked;
      const estimate = silentBefore + answering * share;
      const deaf = estimate >= 4 && estimate * 2 > total;
      assert.equal(conclusionOf(round, false), deaf ? 'deaf' : 'hears');
    }),
    { seed: seedOfRun() },
  );
});

test('[HE-64] suspicion: a round speaks before all have, once what is missing cannot change it', () => {
  const round = { total: 10, answering: 9, silentBefore: 1, asked: 9, silent: 0, answered: 0 };
  assert.equal(conclusionOf({ ...round, answered: 5, silent: 1 }, false), 'hears');
  assert.equal(conclusionOf({ ...round, answered: 4, silent: 1 }, false), undefined);
  assert.equal(conclusionOf({ ...round, answered: 4, silent: 1 }, true), 'hears');
  assert.equal(conclusionOf({ ...round, answered: 3, silent: 5 }, false), 'deaf');
});
