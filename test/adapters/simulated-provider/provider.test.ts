/** The simulated provider keeps the contract, and follows its script. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createSimulatedWorld,
  openSimulatedProvider,
} from '../../../src/adapters/simulated-provider/provider.js';
import { systemClock } from '../../../src/adapters/system/clock.js';
import {
  expectOk,
  LAB_MAX_INSTANCES,
  type ProviderLab,
  providerContract,
  requestFor,
  tokenOf,
} from '../../contract/provider.js';
import { templateOf } from '../../support/process-lab.js';

async function openLab() {
  const world = createSimulatedWorld();
  const open = () =>
    openSimulatedProvider({ world, clock: systemClock(), maxInstances: LAB_MAX_INSTANCES });
  let provider = open();
  const lab: ProviderLab = {
    get provider() {
      return provider;
    },
    template: templateOf({}),
    kill: (providerId) => world.kill(providerId, 'killed'),
    async restart() {
      await provider.close();
      provider = open();
      return provider;
    },
    dispose: () => provider.close(),
  };
  return { lab, world };
}

providerContract('simulated provider', async () => (await openLab()).lab);

test('[PR-1] simulated provider: a lost answer made the instance, a refused call did not', async () => {
  const { lab, world } = await openLab();
  const failure = { code: 'unavailable', message: 'no answer' } as const;
  world.failures.push({ call: 'create', failure, lost: true }, { call: 'create', failure });
  for (const index of [1, 2]) {
    const answer = await lab.provider.create(requestFor(lab, index));
    assert.deepEqual(answer, { ok: false, failure });
  }
  assert.notEqual(expectOk(await lab.provider.findByToken(tokenOf(1))), undefined);
  assert.equal(expectOk(await lab.provider.findByToken(tokenOf(2))), undefined);
  assert.deepEqual(
    world.calls.map(({ call, subject }) => `${call} ${subject}`),
    ['create', 'findByToken'].flatMap((call) => [1, 2].map((index) => `${call} ${tokenOf(index)}`)),
  );
});
