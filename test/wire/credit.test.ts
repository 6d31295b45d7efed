/** Credit: two ends that tell each other counts, over two ways that may overtake one another. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createCredit } from '../../src/wire/credit.js';
import { CREDIT_ENVELOPES, CREDIT_GRANT } from '../../src/wire/limits.js';
import { seedOfRun } from '../support/seed.js';

test('[WI-20] credit: never more under way than allowed, nobody honest is a liar, and it never runs dry', () => {
  const step = fc.record({
    does: fc.constantFrom('send', 'send', 'arrive', 'tell'),
    much: fc.integer({ min: 1, max: 2 * CREDIT_ENVELOPES }),
    open: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const [sender, receiver] = [createCredit(), createCredit()];
      const bulk: number[] = [];
      const told: number[] = [];
      const total = { sent: 0, taken: 0 };
      const arrive = (): void => {
        const count = bulk.shift() ?? 0;
        assert.ok(receiver.arrived(count), 'it was allowed');
        receiver.taken(count);
        total.taken += count;
      };
      for (const { does, much, open } of steps) {
        if (does === 'send') {
          const count = Math.min(much, sender.left);
          sender.posted(count);
          total.sent += count;
          bulk.push(count);
        } else if (does === 'arrive') arrive();
        else told.push(receiver.tell(open));
        // In any order, also twice.
        if (told.length > 2) {
          for (const count of told.splice(0).reverse()) assert.ok(sender.acknowledged(count));
        }
        assert.ok(total.sent - total.taken <= CREDIT_ENVELOPES);
        assert.ok(sender.left >= 0);
      }
      while (bulk.length > 0) arrive();
      if (receiver.due) assert.ok(sender.acknowledged(receiver.tell(true)));
      for (const count of told) assert.ok(sender.acknowledged(count));
      assert.ok(sender.left > CREDIT_ENVELOPES - CREDIT_GRANT, 'all was taken: there is credit');
    }),
    { seed: seedOfRun(), numRuns: 1_000 },
  );
});

test('[WI-20] credit: whoever claims more than it was sent, or sends more than it may, is found out', () => {
  const sender = createCredit();
  sender.posted(10);
  assert.ok(sender.acknowledged(10));
  assert.ok(!sender.acknowledged(11));
  const receiver = createCredit();
  assert.ok(receiver.arrived(CREDIT_ENVELOPES));
  assert.ok(!receiver.arrived(1));
});

test('[WI-20] credit: while there is no room nothing more is granted', () => {
  const receiver = createCredit();
  receiver.arrived(CREDIT_GRANT);
  receiver.taken(CREDIT_GRANT);
  assert.deepEqual([receiver.due, receiver.tell(false), receiver.due], [true, 0, true]);
  assert.deepEqual([receiver.tell(true), receiver.due], [CREDIT_GRANT, false]);
});
