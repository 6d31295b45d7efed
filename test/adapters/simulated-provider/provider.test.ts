/** The simulated provider keeps the contract, and follows its script. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createSimulatedWorld,
  openSimulatedProvider,
} from '../../../src/adapters/simulated-provider/provider.js';
import { systemClock } from '../../../src/adapters/system/clock.js';
import { createVirtualClock } from '../../../src/runtime/virtual-clock.js';
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
    openSimulatedProvider({
      ...{ world, clock: systemClock(), maxInstances: LAB_MAX_INSTANCES },
      pageSize: 4,
    });
  let provider = open();
  const lab: ProviderLab = {
    get provider() {
      return provider;
    },
    template: templateOf({}),
    kill: (providerId) => world.kill(providerId, 'killed'),
    notify: (providerId, id, deadlineMs) => world.notify(providerId, { id, deadlineMs }),
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
    ['create', 'find'].flatMap((call) => [1, 2].map((index) => `${call} ${tokenOf(index)}`)),
  );
});

const LISTING = {
  call: 'list',
  code: 'unavailable',
  every: 3,
  from: 2,
  times: 2,
  lost: false,
} as const;

test('[PR-35] simulated provider: a script makes every nth call of a kind fail, so often', async () => {
  const world = createSimulatedWorld();
  const script = { latencyMs: {}, errors: [LISTING] };
  const provider = openSimulatedProvider({ world, clock: systemClock(), script });
  const fates: string[] = [];
  for (let call = 1; call <= 9; call += 1) {
    const listed = await provider.list('here');
    fates.push(listed.ok ? 'ok' : listed.failure.code);
  }
  const failed = fates.flatMap((fate, index) => (fate === 'ok' ? [] : [index + 1]));
  assert.deepEqual(failed, [2, 5]);
});

test('[PR-35] simulated provider: scripted latency, notices and deaths come at their time', async () => {
  const clock = createVirtualClock(1_000_000);
  const world = createSimulatedWorld();
  const script = {
    latencyMs: { create: 500 },
    errors: [],
    spot: { afterMs: 60_000, warningMs: 120_000 },
  };
  const provider = openSimulatedProvider({ world, clock, script });
  const notices: number[] = [];
  const deaths: number[] = [];
  provider.onNotice?.((_id, { deadlineMs }) => notices.push((deadlineMs ?? 0) - clock.now()));
  provider.onExit(() => deaths.push(clock.now()));
  const { lab } = await openLab();
  const asked = provider.create(requestFor(lab, 1));
  await clock.advance(499);
  assert.equal(world.instances.size, 0);
  await clock.advance(1);
  const made = expectOk(await asked);
  await clock.advance(60_000);
  assert.deepEqual(notices, [120_000]);
  await clock.advance(119_999);
  assert.deepEqual(deaths, []);
  await clock.advance(1);
  assert.deepEqual(deaths, [1_180_500]);
  assert.equal(expectOk(await provider.status(made.providerId)).state, 'terminal');
});

test('[PR-35] simulated provider: a hundred thousand are listed page by page, each once', async () => {
  const { lab } = await openLab();
  const provider = openSimulatedProvider({ world: createSimulatedWorld(), clock: systemClock() });
  const request = requestFor(lab, 1);
  for (let index = 0; index < 100_000; index += 1) {
    await provider.create({ ...request, token: `t-${index}` });
  }
  const seen = new Set<string>();
  let page: string | undefined;
  do {
    const read = expectOk(await provider.list(request.tags.installation, page));
    for (const { address } of read.instances) seen.add(address);
    page = read.next;
  } while (page !== undefined);
  assert.equal(seen.size, 100_000);
});
