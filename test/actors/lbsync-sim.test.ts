/**
 * Lbsync through the real client against the simulator that misbehaves on command: replies get lost,
 * requests fail, answers come late, VPP freezes, dies empty, or somebody else writes to it. In the end
 * VPP is as wanted, nothing deadly was ever sent, and nothing more is.
 *
 * Lbsync's own clock is a hand's; what the socket needs is waited for in real time.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { type DesiredVip, vipKey } from '../../machines/model/lb.js';
import { systemClock } from '../../src/adapters/system/clock.js';
import { openVpp } from '../../src/adapters/vpp/client.js';
import { startVppSim, type VppSim } from '../../src/vppsim/simulator.js';
import { seedOfRun } from '../support/seed.js';
import { type LbsyncLab, SETTINGS, startLbsync } from './lbsync-lab.js';
import { vipAt, wish } from './lbsync-wishes.js';

const folder = mkdtempSync(join(tmpdir(), 'lbsync-sim-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const REQUEST_TIMEOUT_MS = 150;
/** Of lbsync's clock: enough for reconnects, retries, an audit and the end of warm-up. */
const CALM_MS = 150_000;

const fault = fc.constantFrom(
  { dropNthReply: 1 },
  { dropNthReply: 3 },
  { failNthRequest: { n: 1, retval: -5 } },
  { failNthRequest: { n: 2, retval: -81 } },
  { failNthRequest: { n: 2, retval: -6 } },
  { answerLateMs: 20 },
  { answerLateMs: 0 },
  { freezeMs: 60 },
  { restartEmpty: true },
  { restartEmpty: true, samePid: true },
);

const weight = fc.constantFrom(0, 1, 1, 2, 5);
const event = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constant('want' as const),
      vip: fc.nat(2),
      weights: fc.array(weight, { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ what: fc.constant('fault' as const), fault }) },
  fc.record({ what: fc.constant('hand' as const), vip: fc.nat(2), weight: fc.nat(100) }),
);

interface Scene {
  readonly sim: VppSim;
  readonly lab: LbsyncLab;
  readonly wanted: Map<string, DesiredVip>;
  revision: number;
}

/** Real time for the socket, then time of lbsync's own. */
async function live({ lab }: Scene, ms: number): Promise<void> {
  for (let gone = 0; gone < ms; gone += 500) {
    await delay(1);
    await lab.pass(500);
  }
}

/** Until lbsync has nothing under way, whatever the machine is busy with. */
async function calm(scene: Scene): Promise<void> {
  for (let round = 0; round < 200; round += 1) {
    await live(scene, CALM_MS / 10);
    const { connected, synced, dirty } = scene.lab.view();
    if (round >= 10 && connected === true && synced === true && dirty === 0) return;
    await delay(REQUEST_TIMEOUT_MS / 10);
  }
  assert.fail(`lbsync never came to rest: ${JSON.stringify(scene.lab.view())}`);
}

async function byHand(path: string, vip: number, weightNow: number): Promise<void> {
  const other = openVpp({ path, clock: systemClock() });
  if ((await other.connect()).ok && (await other.read()).ok) {
    await other.apply({
      op: 'as.weight',
      vip: vipAt(80 + vip),
      as: '10.0.0.1',
      weight: weightNow,
      flush: false,
    });
  }
  await other.close();
}

function want(scene: Scene, vip: number, weights: readonly number[]): void {
  scene.revision += 1;
  const servers = Object.fromEntries(weights.map((one, index) => [`10.0.0.${index + 1}`, one]));
  const desired = wish(`f${vip}`, vipAt(80 + vip), servers, { revision: scene.revision });
  scene.wanted.set(vipKey(desired.vip), desired);
  scene.lab.want(desired);
}

function has({ sim }: Scene): Readonly<Record<string, Readonly<Record<string, number>>>> {
  const live = sim.state().vips.filter(({ used }) => used);
  return Object.fromEntries(
    live.map(({ vip, servers }) => [
      vip,
      Object.fromEntries(servers.filter(({ used }) => used).map((as) => [as.address, as.weight])),
    ]),
  );
}

function wants({ wanted }: Scene): ReturnType<typeof has> {
  return Object.fromEntries(
    [...wanted].map(([key, { servers }]) => [
      key,
      Object.fromEntries(servers.map((as) => [as.address, as.weight])),
    ]),
  );
}

let sockets = 0;

test('[VP-80] [LB-58] whatever VPP loses, refuses, delays or forgets, it ends as wanted', async () => {
  const histories = fc.array(event, { minLength: 1, maxLength: 7 });
  const property = fc.asyncProperty(histories, async (history) => {
    sockets += 1;
    const sim = await startVppSim({ path: join(folder, `vpp${sockets}.sock`) });
    const dataplane = openVpp({
      path: sim.path,
      clock: systemClock(),
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
    });
    const lab = startLbsync(SETTINGS, { dataplane });
    const scene: Scene = { sim, lab, wanted: new Map(), revision: 0 };
    try {
      want(scene, 0, [2, 1]);
      await live(scene, 3_000);
      for (const one of history) {
        if (one.what === 'want') want(scene, one.vip, one.weights);
        if (one.what === 'fault') assert.deepEqual((await sim.control(one.fault)).ok, true);
        if (one.what === 'hand') await byHand(sim.path, one.vip, one.weight);
        await live(scene, 2_000);
      }
      await sim.control({ answerLateMs: 0 });
      await calm(scene);
      assert.deepEqual(has(scene), wants(scene));
      assert.deepEqual(sim.violations(), []);
      const written = sim.ops().length;
      await live(scene, 120_000);
      assert.equal(sim.ops().length, written, 'nothing more is written');
    } finally {
      await dataplane.close();
      await sim.close();
    }
  });
  await fc.assert(property, { seed: seedOfRun(), numRuns: Number(process.env['SIM_RUNS'] ?? 6) });
});
