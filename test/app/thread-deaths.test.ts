/**
 * Real threads that end in every way there is: whoever asked one of them hears of it at once, whoever
 * watched it is told once, its sibling goes on as if nothing had happened, its successor serves.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { die, WAYS_TO_DIE, type WayToDie, watch } from '../support/mortal-cast.js';
import { actorsOf, MOURNER, type MortalThreads, mortalThreads } from '../support/mortal-threads.js';

/** Longer than a thread of a busy machine is kept waiting by the others. */
const HEARTBEAT = { intervalMs: 50, timeoutMs: 2_000 };

const [KILLER = MOURNER, VICTIM = MOURNER] = actorsOf('shard-0', 2);
const [SIBLING = MOURNER, OTHER = MOURNER] = actorsOf('shard-1', 2);

/** Nothing is in turn when a thread dies of something it had only begun. */
const NAMED: Readonly<Record<WayToDie, boolean>> = {
  throw: false,
  reject: false,
  exit: true,
  memory: true,
  hang: true,
};

async function lab(run: (world: MortalThreads) => Promise<void>, more = {}): Promise<void> {
  const world = await mortalThreads({ heartbeat: HEARTBEAT, heapMb: 96, ...more });
  try {
    await run(world);
  } finally {
    await world.stop();
  }
}

for (const way of WAYS_TO_DIE) {
  test(`[SU-11] [SU-4] thread death by ${way}: told at once, once, and to those it concerns`, () =>
    lab(async ({ host, ask, peek, replaced, log, metrics, deaths, gaveUp }) => {
      for (const to of [SIBLING, VICTIM]) host.tell(to, { type: 'count' }, 'test');
      for (const to of [VICTIM, OTHER]) await peek(to);
      for (const watcher of [SIBLING, MOURNER]) {
        for (const address of [VICTIM, OTHER]) {
          host.tell(watcher, watch(address), 'test');
        }
      }
      assert.equal((await peek(VICTIM)).count, 1);
      for (const to of [SIBLING, MOURNER, OTHER]) await peek(to);

      const pending = [ask(VICTIM, { type: 'ignore' }), ask(KILLER, { type: 'ignore' })];
      const patient = ask(OTHER, { type: 'ignore' });
      host.tell(KILLER, die(way), 'test');
      const lost = { code: 'thread-lost', message: 'thread shard-0 died' };
      for (const asked of await Promise.all(pending)) {
        assert.deepEqual(asked, { ok: false, failure: lost });
      }
      await replaced('shard-0', 1);

      const down = { address: VICTIM, incarnation: 101, reason: 'thread-lost' };
      const nobody = Symbol('nobody');
      assert.equal((await peek(VICTIM)).count, 0, 'its successor serves, and had none of it');
      assert.deepEqual((await peek(MOURNER)).downs, [down]);
      assert.deepEqual(await peek(SIBLING), { count: 1, downs: [down] });
      assert.equal(await Promise.race([patient, nobody]), nobody, 'what others were asked waits');
      assert.deepEqual(deaths(), ['died shard-0', 'replaced shard-0']);
      assert.deepEqual(gaveUp, []);
      assert.equal(metrics.counts['thread_deaths_total'], 1);
      const died = log.lines.find(({ message }) => message === 'thread died');
      const { actor, message } = (died?.fields ?? {}) as { actor?: string; message?: string };
      assert.deepEqual([actor, message], NAMED[way] ? [KILLER, 'die'] : [undefined, undefined]);
    }));
}

test('[SU-13] thread death: who killed three lives is quarantined in the next, its siblings serve, and it is forgiven', () =>
  lab(async ({ host, mesh, ask, peek, replaced, threads, deaths }) => {
    for (let life = 1; life <= 3; life += 1) {
      host.tell(KILLER, die('exit'), 'test');
      await replaced('shard-0', life);
    }
    const refused = await ask(KILLER, { type: 'peek' });
    assert.match(refused.ok ? '' : refused.failure.message, /quarantined/);
    assert.equal((await peek(VICTIM)).count, 0);
    threads.forgive(KILLER);
    assert.equal(await mesh.query('shard-0', 'resume', KILLER), true);
    assert.equal((await peek(KILLER)).count, 0);
    host.tell(KILLER, die('exit'), 'test');
    await replaced('shard-0', 4);
    assert.equal((await peek(KILLER)).count, 0, 'counted from the beginning again');
    assert.equal(deaths().length, 8);
  }));

test('[SU-12] [SU-14] threads that hang are ended one at a time, the second when the first serves again', () =>
  lab(async ({ host, ask, peek, replaced, deaths }) => {
    const asked = [KILLER, SIBLING].map((to) => {
      host.tell(to, die('hang'), 'test');
      return ask(to, { type: 'peek' });
    });
    for (const answer of await Promise.all(asked)) assert.equal(answer.ok, false);
    await Promise.all([replaced('shard-0', 1), replaced('shard-1', 1)]);
    for (const to of [KILLER, SIBLING]) assert.equal((await peek(to)).count, 0);
    const told = deaths();
    assert.equal(told.length, 4);
    assert.deepEqual(
      told.map((line) => line.split(' ', 1)[0]),
      ['died', 'replaced', 'died', 'replaced'],
    );
  }));

test('[SU-14] [WI-9] a thread that main sends garbage is replaced, one that is accused of it too; only that life', () =>
  lab(async ({ host, peek, ports, replaced, threads, deaths, log }) => {
    for (const to of [KILLER, SIBLING]) host.tell(to, { type: 'count' }, 'test');
    for (const to of [KILLER, SIBLING]) assert.equal((await peek(to)).count, 1);
    ports.get('shard-0')?.urgent.postMessage(new Uint8Array([0xc1, 0xc1]));
    await replaced('shard-0', 1);
    threads.accuse({ name: 'shard-0', incarnation: 101 }, 'it is over');
    threads.accuse({ name: 'shard-0', incarnation: 103 }, 'it sent something odd');
    await replaced('shard-0', 2);
    assert.deepEqual([(await peek(KILLER)).count, (await peek(SIBLING)).count], [0, 1]);
    assert.equal(deaths().length, 4);
    const why = log.lines
      .filter(({ message }) => message === 'thread died')
      .map(({ fields }) => (fields as { reason: string }).reason);
    assert.match(why[0] ?? '', /distrusts main/);
    assert.match(why[1] ?? '', /cannot be believed: it sent something odd/);
  }));

test('[SU-18] [SU-22] a thread that hangs as it is told to stop is cut off at its deadline, the others stop', async () => {
  const { host, threads, log, peek } = await mortalThreads({ shutdownMs: 200 });
  await peek(SIBLING);
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-hang-'));
  const begun = join(folder, 'begun');
  host.tell(SIBLING, die('hang', begun), 'test');
  while (!existsSync(begun)) await sleep(10);
  rmSync(folder, { recursive: true });
  host.tell(KILLER, { type: 'count' }, 'test');
  assert.equal((await peek(KILLER)).count, 1);
  await host.stop();
  await threads.stop();
  await threads.close();
  const late = log.lines.filter(({ message }) => /deadline/.test(message));
  assert.equal(late.length, 1);
  assert.match(JSON.stringify(late), /shard-1/);
});
