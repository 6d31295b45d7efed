/**
 * Lbsync for real: on the runtime's host, with the store, through the VPP client, against the
 * simulator on a socket. What the other tests prove with stand-ins must hold with the real parts.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { lbsyncActor } from '../../actors/lbsync-actor.js';
import { addressOf } from '../../machines/model/ids.js';
import { type DesiredVip, vipKey } from '../../machines/model/lb.js';
import type { Message, VipReport } from '../../machines/model/messages.js';
import { systemClock } from '../../src/adapters/system/clock.js';
import { openVpp } from '../../src/adapters/vpp/client.js';
import type { Store } from '../../src/ports/store.js';
import type { ActorType, ServiceType } from '../../src/runtime/actor-type.js';
import { createHost } from '../../src/runtime/host.js';
import { createSinglePlacement } from '../../src/runtime/placement.js';
import { startVppSim } from '../../src/vppsim/simulator.js';
import { numberedIds, rememberingLog, rememberingMetrics, seededRandom } from '../support/quiet.js';
import { memoryStore } from '../support/toy-node.js';
import { SETTINGS } from './lbsync-lab.js';
import { vipAt, wish } from './lbsync-wishes.js';

const LBSYNC = addressOf('lbsync', 'main');
const folder = mkdtempSync(join(tmpdir(), 'lbsync-'));
const sim = await startVppSim({ path: join(folder, 'vpp.sock') });

after(async () => {
  for (const stop of stops) await stop();
  await sim.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Long enough for any machine; nothing waits this long unless it fails. */
const PATIENCE_MS = 20_000;

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let waitedMs = 0; !(await holds()); waitedMs += 10) {
    assert.ok(waitedMs < PATIENCE_MS, `never came true: ${what}`);
    await delay(10);
  }
}

async function eventsIn(store: Store): Promise<readonly string[]> {
  const journal = await store.journal(0, 10);
  return journal.ok ? journal.value.map(({ event }) => event) : [];
}

/** Everything started here ends with the file, whether its test passed or not. */
const stops: (() => Promise<void>)[] = [];

/** One daemon's worth of lbsync, with an ear where the frontends would be. */
async function startNode(store: Store, incarnation: number) {
  const clock = systemClock();
  const heard: Message[] = [];
  const frontends: ServiceType = {
    kind: 'frontend',
    start: () => ({
      receive: (message) => void heard.push(message),
      view: () => ({}),
      stop: () => undefined,
    }),
  };
  const dataplane = openVpp({ path: sim.path, clock });
  const host = createHost({
    thread: 'main',
    incarnation,
    types: [lbsyncActor as ActorType],
    services: [frontends],
    placement: createSinglePlacement(),
    clock,
    ids: numberedIds(`d${incarnation}`),
    random: seededRandom(incarnation),
    log: rememberingLog(),
    metrics: rememberingMetrics(),
    store,
    ports: { dataplane, store, driver: 'simulated' },
    remote: { send: () => false, reply: () => undefined },
    generation: () => 1,
  });
  const stop = async () => {
    await host.stop();
    await dataplane.close();
  };
  stops.push(stop);
  assert.ok((await host.start()).ok);
  const tell = (message: Message) => host.tell(LBSYNC, message, 'test');
  tell({ type: 'lbsync.settings', settings: SETTINGS } as Message);
  return {
    host,
    heard,
    tell,
    want: (desired: DesiredVip) => tell({ type: 'vip.desired', desired } as Message),
    last: () => (heard.at(-1) as { readonly report?: VipReport } | undefined)?.report,
    stop,
  };
}

const WEB = vipAt(443);

test('[LB-58] lbsync on a host: builds, survives a restart of VPP and its own, and withdraws', async () => {
  const store = memoryStore();
  const first = await startNode(store, 1);
  const desired = wish('web', WEB, { '10.0.0.1': 2, '10.0.0.2': 1 });
  first.want(desired);
  await until('built', () => first.last()?.synced === true);
  const buckets = first.last()?.servers.map((as) => as.buckets);
  assert.deepEqual(buckets, [683, 341]);
  const ledger = await store.ledger();
  assert.deepEqual(ledger.ok && ledger.value.map(({ vip }) => vipKey(vip)), [vipKey(WEB)]);

  await sim.control({ restartEmpty: true });
  await until('rebuilt', () =>
    sim.state().vips.some((vip) => vip.used && vip.servers.length === 2),
  );
  // The record follows what it records: the VIPs are back before the journal says so.
  await until('recorded', async () => (await eventsIn(store)).length > 0);
  assert.deepEqual(await eventsIn(store), ['dataplane.rebuilt']);
  await first.stop();

  const opsBefore = sim.ops().length;
  const second = await startNode(store, 2);
  second.want(desired);
  await until('found as wanted', () => second.last()?.synced === true);
  assert.equal(sim.ops().length, opsBefore);

  second.tell({ type: 'vip.withdrawn', frontend: 'web', revision: 1 } as Message);
  await until('gone', () => second.heard.at(-1)?.type === 'vip.gone');
  assert.ok(sim.state().vips.every((vip) => !vip.used));
  await second.stop();
  assert.deepEqual(sim.violations(), []);
  await store.close();
});
