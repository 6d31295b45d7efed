/** Turns: who protects comes first, and keeps nobody from theirs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf } from '../../machines/model/ids.js';
import type { Message } from '../../machines/model/messages.js';
import { TURN_MESSAGES_MAX, URGENT_TURN_ACTORS } from '../../src/runtime/limits.js';
import { createVirtualClock } from '../../src/runtime/virtual-clock.js';
import { toyWorld } from '../support/toy-node.js';

const PROTECTOR = addressOf('backend', 'protector');
const OTHERS = 200;

/** Toys of which backends protect; `round` gives the event loop one turn. */
async function busyWorld() {
  const soon: (() => void)[] = [];
  const clock = { ...createVirtualClock(), soon: (run: () => void) => void soon.push(run) };
  const world = await toyWorld({ clock, isUrgent: true });
  const { host } = world;
  const said = (): readonly string[] => world.said.filter((what) => what.startsWith('only'));
  const tell = (to: Parameters<typeof host.tell>[0], by: number): void =>
    host.tell(to, { type: 'reflex', by } as Message, 'test');
  const round = (): void => {
    for (const run of soon.splice(0)) run();
  };
  for (let n = 0; n < OTHERS; n += 1) tell(addressOf('group', `t/g${n}`), 0);
  return { said, tell, round };
}

test('[RT-73] who protects waits for one other actor at most, and what it sends leaves soon after', async () => {
  const { said, tell, round } = await busyWorld();
  tell(PROTECTOR, 7);
  round();
  assert.ok(said().indexOf('only reflex 7') <= 1, 'it was its turn');
  assert.ok(said().length <= URGENT_TURN_ACTORS, `${said().length} ran before the turn was over`);
  for (let turn = 0; turn < OTHERS; turn += 1) round();
  assert.equal(said().length, OTHERS + 1);
});

test('[RT-73] who protects and has very much to do keeps nobody from every second turn', async () => {
  const { said, tell, round } = await busyWorld();
  for (let n = 0; n < 10_000; n += 1) tell(PROTECTOR, 7);
  while (said().filter((what) => what !== 'only reflex 7').length < OTHERS) {
    const before = said().length;
    round();
    assert.ok(said().length > before, 'somebody runs');
  }
  assert.ok(said().length <= OTHERS * (TURN_MESSAGES_MAX + 1) + TURN_MESSAGES_MAX);
});
