/** Whether the world should send a VIP its traffic: the whole table. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AnnounceFacts, announcement } from '../../src/policy/announce.js';

const both = [true, false];

function everyCase(): readonly AnnounceFacts[] {
  return both.flatMap((enabled) =>
    both.flatMap((drained) =>
      (['unknown', 'up', 'down'] as const).flatMap((state) =>
        [undefined, true, false].flatMap((exists) =>
          both.map((synced) => ({ enabled, drained, state, exists, synced })),
        ),
      ),
    ),
  );
}

test('[AN-1] [AN-2] [AN-3] announcement: the whole table', () => {
  for (const facts of everyCase()) {
    const { enabled, drained, state, exists, synced } = facts;
    const wanted = announcement(facts)?.wanted;
    const stops = !enabled || drained || state === 'down' || exists === false;
    const starts = state === 'up' && synced;
    const expected = stops ? false : starts ? true : undefined;
    assert.equal(wanted, expected, JSON.stringify(facts));
  }
});

test('[AN-3] announcement: the reason is the strongest one', () => {
  const facts = { enabled: true, drained: true, state: 'down', exists: false, synced: false };
  const of = (change: Partial<AnnounceFacts>) =>
    announcement({ ...facts, ...change } as AnnounceFacts)?.reason;
  assert.equal(of({ enabled: false }), 'configuration');
  assert.equal(of({}), 'node-drain');
  assert.equal(of({ drained: false }), 'down');
  assert.equal(of({ drained: false, state: 'up' }), 'no-vip');
  assert.equal(of({ drained: false, state: 'up', exists: true, synced: true }), 'up');
});
