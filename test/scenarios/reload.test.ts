/** Reloads as operators meet them: the reload actor on a real host and store, in virtual time. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JsonObject } from '../../machines/model/json.js';
import type { Message } from '../../machines/model/messages.js';
import { unwrap } from '../contract/store-fixture.js';
import { SITE } from '../support/config.js';
import { boot, EVERYBODY, type Life, live, RELOAD } from '../support/reload-life.js';

const sized = (size: number): string => SITE.replace('size: 2', `size: ${size}`);
const withLevel = (level: string, text = SITE): string => `${text}log: { level: ${level} }\n`;
const patient = (text: string): string => `${text}reload: { hookTimeout: 10s }\n`;

const rows = (result: JsonObject, name: string): readonly JsonObject[] =>
  result[name] as readonly JsonObject[];
const outcomeOf = (result: JsonObject, name: string): JsonObject =>
  rows(result, 'outcomes').find((one) => one['name'] === name) ?? {};
const history = (life: Life): readonly JsonObject[] =>
  rows(life.host.views('reload')[0] ?? {}, 'history');
const signal = ({ host }: Life): void => {
  const asked = { trigger: 'signal', dryRun: false, disruptive: false };
  host.tell(RELOAD, { type: 'reload.requested', ...asked } as Message, 'test');
};
const eventsIn = async ({ store }: Life): Promise<readonly string[]> =>
  unwrap(await store.outboxPending(0, 1_000)).map(({ event }) => event.type);

/** Booted, and at rest. */
async function serving(text = SITE): Promise<Life> {
  const life = await live(text);
  await boot(life);
  life.told();
  return life;
}

describe('reload: what a pass does', () => {
  test('[RS-1] another log level: every part is applied in its order, one generation more', async () => {
    const life = await serving();
    life.write(withLevel('debug'));
    const { status, generation, outcomes } = await life.reload();
    assert.deepEqual([status, generation], ['full_success', 2]);
    const applied = (outcomes as readonly JsonObject[]).filter(
      ({ status: how }) => how === 'applied',
    );
    assert.equal(applied[0]?.['name'], 'log_level');
    assert.deepEqual(life.told(), EVERYBODY(2));
    assert.equal(life.levels.at(-1), 'debug');
  });

  test('[RS-2] no YAML any more: nothing is called, nothing changes', async () => {
    const life = await serving();
    const before = unwrap(await life.store.load(['reload']))[0]?.context['committed'];
    life.write(`${SITE}\n]`);
    const { status, generation, loadError, outcomes } = await life.reload();
    assert.deepEqual([status, generation, outcomes], ['load_failed', 1, []]);
    assert.notEqual(String(loadError), '');
    assert.deepEqual(life.told(), []);
    assert.deepEqual(unwrap(await life.store.load(['reload']))[0]?.context['committed'], before);
  });

  test('[RS-3] a part refuses beforehand: nothing is applied, and it says why', async () => {
    const life = await serving();
    life.write(SITE.replace('port: 443', 'port: 443\n    tableLength: 2048'));
    const refused = await life.reload();
    assert.deepEqual([refused['status'], refused['generation']], ['validation_failed', 1]);
    assert.match(String(outcomeOf(refused, 'dataplane')['error']), /needs --disruptive/);
    assert.deepEqual(life.told(), []);
  });

  test('[RS-4] a part fails while it is applied: the others are applied', async () => {
    const life = await serving();
    life.write(withLevel('warn', sized(4)));
    const partial = await life.reload();
    assert.deepEqual([partial['status'], partial['generation']], ['partial_applied', 2]);
    assert.equal(outcomeOf(partial, 'log_level')['status'], 'failed');
    assert.deepEqual(life.told(), EVERYBODY(2));
  });

  test('[RS-5] a part that this node does not have is skipped', async () => {
    const life = await serving('node: { name: n }\n');
    life.write('node: { name: n }\nlog: { level: debug }\n');
    const result = await life.reload();
    assert.equal(result['status'], 'full_success');
    assert.equal(outcomeOf(result, 'tenancy')['status'], 'skipped');
  });

  test('[RS-6] [CS-6] a restart-only field beside others: those are live, it stays named', async () => {
    const life = await serving();
    life.write(sized(5).replace('name: edge-1', 'name: edge-2'));
    const first = await life.reload();
    assert.deepEqual([first['status'], first['requiresRestart']], ['full_success', ['node.name']]);
    assert.deepEqual(life.told(), EVERYBODY(2));
    life.write(sized(6).replace('name: edge-1', 'name: edge-2'));
    assert.deepEqual((await life.reload())['requiresRestart'], ['node.name'], 'until the restart');
    const reloaded = (await eventsIn(life)).filter((type) => type === 'config.reloaded');
    assert.equal(reloaded.length, 3, 'one for each generation, the first one included');
  });

  test('[RS-17] a file that says the same: no part is called, the generation stays', async () => {
    const life = await serving();
    life.write(`# other words\n${SITE}`);
    const { status, generation } = await life.reload();
    assert.deepEqual([status, generation], ['unchanged', 1]);
    assert.deepEqual(life.told(), []);
  });
});

describe('reload: many, slow ones, and ends', () => {
  /** So many more are asked for while a pass takes 2 s. */
  async function askedMeanwhile(signals: number): Promise<void> {
    const life = await serving();
    life.outside.slowMs = 2_000;
    life.write(sized(3));
    signal(life);
    await life.clock.advance(500);
    life.write(sized(4));
    for (let sent = 0; sent < signals; sent += 1) signal(life);
    await life.clock.advance(10_000);
    const made = history(life).slice(0, -1);
    assert.deepEqual(
      made.map(({ generation, status }) => [generation, status]),
      [
        [3, 'full_success'],
        [2, 'full_success'],
      ],
    );
    const [second, first] = made.map((one) => one as Record<string, string>);
    assert.ok((first?.['endedAt'] ?? '') <= (second?.['endedAt'] ?? ''));
  }

  test('[RS-8] another one while a pass takes 2 s: exactly one pass more, after it', () =>
    askedMeanwhile(1));

  test('[RS-9] fifty while a pass takes 2 s: exactly one pass more, after it', () =>
    askedMeanwhile(50));

  test('[RS-11] a part that needs 30 s of its 10: it is given up, the others are applied in time', async () => {
    const life = await serving(patient(SITE));
    life.outside.slowMs = 30_000;
    life.write(patient(withLevel('debug', sized(4))));
    signal(life);
    await life.clock.advance(10_500);
    const [result = {}] = history(life);
    assert.equal(result['status'], 'partial_applied');
    assert.equal(outcomeOf(result, 'log_level')['status'], 'timed_out');
    assert.deepEqual(life.told(), EVERYBODY(2));
  });

  test('[RS-14] stopped in the middle of a pass: the next life brings it to its end', async () => {
    const life = await serving();
    life.outside.slowMs = 2_000;
    life.write(sized(4));
    signal(life);
    await life.clock.advance(500);
    const stopped = Promise.all([life.host.stop(), life.host.stop()]);
    await life.clock.advance(10_000);
    await stopped;
    assert.deepEqual(life.told(), [], 'nobody was told yet');
    const next = await live(sized(4), { store: life.store, clock: life.clock });
    await next.clock.advance(1_000);
    assert.deepEqual(next.told(), EVERYBODY(2));
    assert.equal(history(next)[0]?.['generation'], 2);
  });

  test('[RS-16] before the first pass there is no result', async () => {
    const life = await live(SITE);
    assert.deepEqual(life.host.views('reload'), []);
  });

  test('[RS-20] after sixty reloads the last fifty are remembered, the newest first', async () => {
    const life = await serving();
    for (let turn = 0; turn < 60; turn += 1) {
      life.write(sized(1 + (turn % 2)));
      assert.equal((await life.reload())['status'], 'full_success');
    }
    const generations = history(life).map(({ generation }) => Number(generation));
    assert.deepEqual(
      generations,
      Array.from({ length: 50 }, (_, index) => 61 - index),
    );
  });

  test('[RS-21] a new process goes on from the generation that was stored', async () => {
    const first = await serving();
    for (const size of [3, 4]) {
      first.write(sized(size));
      await first.reload();
    }
    await first.host.stop();
    const second = await live(sized(5), first);
    const { generation, status, trigger } = await boot(second);
    assert.deepEqual([generation, status, trigger], [4, 'full_success', 'boot']);
  });
});
