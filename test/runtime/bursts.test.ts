/** Bursts for one actor: while the store answers, nothing of what it decides is given up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf } from '../../machines/model/ids.js';
import type { Message } from '../../machines/model/messages.js';
import { fail } from '../../machines/model/result.js';
import type { Store } from '../../src/ports/store.js';
import { ACTOR_DECISIONS_MAX, REFLEX_DECISIONS_MAX } from '../../src/runtime/limits.js';
import { createVirtualClock } from '../../src/runtime/virtual-clock.js';
import { toyWorld } from '../support/toy-node.js';

const ONE = addressOf('group', 'acme/one');

async function world() {
  const clock = createVirtualClock();
  const disk = { away: false };
  const wrap = (store: Store): Store => ({
    ...store,
    commit: async (decisions) => {
      await new Promise<void>((resolve) => clock.after(5, resolve));
      const away = fail({ code: 'unavailable', message: 'no room' } as const);
      return disk.away ? decisions.map(() => away) : store.commit(decisions);
    },
  });
  const toy = await toyWorld({ clock, wrap });
  const tell = (body: object, times: number): void => {
    for (let n = 0; n < times; n += 1) toy.host.tell(ONE, body as Message, `n${n}`);
  };
  const recorded = async (): Promise<number> => {
    const entries = await toy.store.journalOf(ONE, 10_000);
    assert.ok(entries.ok);
    return entries.value.length;
  };
  return { clock, disk, toy, tell, recorded };
}

for (const times of [REFLEX_DECISIONS_MAX + 1, ACTOR_DECISIONS_MAX, 5 * ACTOR_DECISIONS_MAX]) {
  test(`[RT-67] ${times} decisions of one actor in one go: all of them are stored`, async () => {
    const { clock, toy, tell, recorded } = await world();
    tell({ type: 'flinch', by: 1 }, times);
    await clock.advance(60_000);
    assert.equal(await recorded(), times);
    await toy.host.stop();
  });
}

test('[RT-67] who waits for room when the store goes away acts on its reflexes all the same', async () => {
  const { clock, disk, toy, tell } = await world();
  disk.away = true;
  tell({ type: 'flinch', by: 1 }, 3 * ACTOR_DECISIONS_MAX);
  await clock.advance(1_000);
  assert.equal(toy.said.filter((what) => what === 'flinched 1').length, 3 * ACTOR_DECISIONS_MAX);
  await toy.host.stop();
});
