/** The event stream: where it begins, and that a store that is away only delays it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fail } from '../../machines/model/result.js';
import { watchJournal } from '../../src/app/watch.js';
import type { Store } from '../../src/ports/store.js';
import { createVirtualClock } from '../../src/runtime/virtual-clock.js';
import { decisionOf } from '../contract/store-values.js';
import { memoryStore } from '../support/toy-node.js';

async function journalled(count: number): Promise<Store> {
  const store = memoryStore();
  for (let n = 0; n < count; n += 1) await store.commit([decisionOf(`d-${n}`)]);
  return store;
}

test('[CL-52] watch: new entries only means none of the old ones is read', async () => {
  const clock = createVirtualClock();
  const base = await journalled(700);
  let read = 0;
  const store: Store = {
    ...base,
    journal: async (after, max) => {
      const page = await base.journal(after, max);
      read += page.ok ? page.value.length : 0;
      return page;
    },
  };
  const seen: number[] = [];
  const stop = watchJournal({ store, clock, since: -1, listener: ({ seq }) => seen.push(seq) });
  await clock.advance(1_000);
  await base.commit([decisionOf('new')]);
  await clock.advance(1_000);
  assert.deepEqual(seen, [701]);
  assert.equal(read, 1);
  stop();
});

test('[CL-52] watch: a store that does not answer at first costs no entry and repeats none', async () => {
  const clock = createVirtualClock();
  const base = await journalled(3);
  let away = true;
  const gone = async () => fail({ code: 'unavailable', message: 'away' } as const);
  const store: Store = {
    ...base,
    journalHead: () => (away ? gone() : base.journalHead()),
    journal: (after, max) => (away ? gone() : base.journal(after, max)),
  };
  const seen: number[] = [];
  const stop = watchJournal({ store, clock, since: -1, listener: ({ seq }) => seen.push(seq) });
  await clock.advance(1_000);
  away = false;
  await clock.advance(1_000);
  await base.commit([decisionOf('new')]);
  await clock.advance(1_000);
  assert.deepEqual(seen, [4]);
  stop();
});
