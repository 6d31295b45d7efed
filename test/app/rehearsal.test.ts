/** What a spare thread rehearses: real cells, many, with nobody behind them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../src/adapters/system/clock.js';
import { systemIds, systemRandom } from '../../src/adapters/system/identity.js';
import { openStage } from '../../src/adapters/threads/stage.js';
import { shardScene } from '../../src/app/rehearsal.js';
import { rehearse, type Scene } from '../../src/runtime/rehearsal.js';

const HOUSE = { clock: systemClock(), ids: systemIds(), random: systemRandom(), open: openStage };

/** The shard's scene, with what it does written down. */
function watched(onAsk: () => void = () => undefined) {
  const scene = shardScene();
  const asked: string[] = [];
  const states = new Set<unknown>();
  const performed: string[] = [];
  const types = scene.types.map((type) => ({
    ...type,
    effects: Object.fromEntries(
      Object.entries(type.effects).map(([name, row]) => [
        name,
        { ...row, perform: () => void performed.push(name) },
      ]),
    ),
    companion: () => void performed.push('companion'),
  }));
  const ask: Scene['ask'] = (cell) => {
    asked.push(cell.address);
    states.add(cell.context['state']);
    onAsk();
    return scene.ask(cell);
  };
  return { scene: { ...scene, types, ask }, asked, states, performed };
}

test('[SU-32] a rehearsal loads instances by the hundreds, each under a name of its own, and nothing leaves it', async () => {
  const { scene, asked, states, performed } = watched();
  await rehearse(scene, { ...HOUSE, isOver: () => false });
  const rounds = asked.filter((address) => address === asked[0]).length;
  assert.ok(rounds >= 2, `${rounds} rounds`);
  assert.ok(new Set(asked).size >= 1_000, `${new Set(asked).size} cells`);
  assert.equal(asked.length, rounds * new Set(asked).size, 'each once a round');
  assert.deepEqual([...states], ['creating'], 'as the opening left them');
  assert.deepEqual(performed, []);
});

test('[SU-32] a task that comes ends the rehearsal', async () => {
  let over = false;
  const { scene, asked } = watched(() => {
    over = true;
  });
  await rehearse(scene, { ...HOUSE, isOver: () => over });
  assert.equal(new Set(asked).size, asked.length, 'no second round');
  asked.length = 0;
  await rehearse(scene, { ...HOUSE, isOver: () => over });
  assert.deepEqual(asked, [], 'nothing is begun');
});
