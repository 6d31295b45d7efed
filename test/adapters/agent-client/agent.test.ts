/** The reference agent against a real door: it comes back, counts on, drains once, and knows when to give up. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { DrainTold } from '../../../src/adapters/agent-client/client.js';
import { createDrains } from '../../../src/adapters/agent-client/drains.js';
import { type AgentOptions, runAgent } from '../../../src/adapters/agent-client/run.js';
import { openStateDir } from '../../../src/adapters/agent-client/state-dir.js';
import { systemClock } from '../../../src/adapters/system/clock.js';
import { type DoorLab, INSTANCE, openDoorLab } from '../../support/agent-door.js';
import { eventually } from '../../support/http-client.js';
import { rememberingLog, seededRandom } from '../../support/quiet.js';

const folder = mkdtempSync(join(tmpdir(), 'agent-'));
after(() => rmSync(folder, { recursive: true }));
const freshDir = (): string => mkdtempSync(join(folder, 'state-'));

async function start(lab: DoorLab, dir: string, more: Partial<AgentOptions> = {}) {
  return runAgent({
    server: lab.address,
    state: await openStateDir(dir, Date.now()),
    intervalMs: 40,
    clock: systemClock(),
    random: seededRandom(1),
    log: rememberingLog(),
    check: async () => ({ healthy: true, detail: 'fine' }),
    carryOut: async () => undefined,
    ...more,
  });
}

const reports = (lab: DoorLab) =>
  (lab.told('agent.reported') as unknown as { report: { boot: number; seq: number } }[]).map(
    ({ report }) => report,
  );

test('[ID-31] reports count on over restarts of the agent, which keeps its key and needs its token once', async () => {
  const lab = await openDoorLab();
  const dir = freshDir();
  const first = await start(lab, dir, { token: lab.token() });
  await eventually(() => reports(lab).length >= 3);
  first.stop();
  assert.equal(await first.ended, undefined);
  const before = reports(lab);
  const second = await start(lab, dir);
  await eventually(() => reports(lab).length >= before.length + 2);
  second.stop();
  await second.ended;
  const all = reports(lab);
  for (const [index, { boot, seq }] of all.entries()) {
    const last = all[index - 1] ?? { boot: 0, seq: 0 };
    assert.ok(boot > last.boot || (boot === last.boot && seq > last.seq));
  }
  for (const name of ['agent.key', 'identity.json']) {
    assert.equal(statSync(join(dir, name)).mode & 0o777, 0o600);
  }
  await lab.close();
});

test('[ID-31] a daemon that was away is found again, without a token', async () => {
  const dir = mkdtempSync(join(folder, 'ca-'));
  const first = await openDoorLab({ dir });
  const agent = await start(first, freshDir(), { token: first.token() });
  await eventually(() => reports(first).length >= 2);
  const { port } = first.address;
  const last = reports(first).at(-1)?.seq ?? 0;
  await first.close();
  const second = await openDoorLab({ dir, port });
  for (const [instance, key] of first.bound) second.bound.set(instance, key);
  await eventually(() => reports(second).length >= 2);
  assert.ok((reports(second)[0]?.seq ?? 0) > last);
  assert.deepEqual(second.told('agent.registered'), []);
  agent.stop();
  await agent.ended;
  await second.close();
});

test('[ID-6] renews in time, and goes on with the new certificate', async () => {
  const lab = await openDoorLab({ lifetimeMs: 3_000 });
  const dir = freshDir();
  const agent = await start(lab, dir, { token: lab.token() });
  const goodUntil = async () => (await openStateDir(dir, 0)).identity?.notAfterMs ?? 0;
  await eventually(async () => (await goodUntil()) > 0);
  const first = await goodUntil();
  await eventually(async () => (await goodUntil()) > first);
  const count = reports(lab).length;
  await eventually(() => reports(lab).length > count + 1);
  agent.stop();
  await agent.ended;
  await lab.close();
});

test('[ID-30] [ID-5] gives up on a refusal, and shows its token to no other daemon', async () => {
  const lab = await openDoorLab();
  const elsewhere = await openDoorLab();
  lab.bound.set(INSTANCE, 'the key of somebody else');
  const late = await start(lab, freshDir(), { token: lab.token() });
  assert.match((await late.ended) ?? '', /^ID-5: /);
  const none = await start(lab, freshDir());
  assert.match((await none.ended) ?? '', /no token/);
  const log = rememberingLog();
  const lost = await start(elsewhere, freshDir(), { token: lab.token(), log });
  await eventually(() =>
    log.lines.some(({ fields }) => /another key/.test(JSON.stringify(fields))),
  );
  lost.stop();
  await lost.ended;
  assert.equal(elsewhere.bound.size, 0);
  await Promise.all([lab.close(), elsewhere.close()]);
});

test('[ID-32] a drain is carried out once and acknowledged', async () => {
  const lab = await openDoorLab();
  const carried: string[] = [];
  const agent = await start(lab, freshDir(), {
    token: lab.token(),
    carryOut: async ({ reason }) => void carried.push(reason),
  });
  await eventually(() => reports(lab).length >= 1);
  const drain = {
    reason: 'scale-down',
    startedAt: '2026-03-01T12:00:00.000Z',
    deadline: '2026-03-01T12:05:00.000Z',
  };
  lab.show(INSTANCE, { state: 'draining', drain });
  for (const event of ['instance.draining', 'instance.drain_held']) {
    lab.node.emit({ kind: 'instance', object: INSTANCE, event });
  }
  const acks = () =>
    lab.node.asked.filter((one) => one.call === 'ask' && one.message.type === 'operator.ackDrain');
  await eventually(() => acks().length === 1);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual([carried, acks().length], [['scale-down'], 1]);
  agent.stop();
  await agent.ended;
  await lab.close();
});

test('[ID-32] told again it is the same drain; of another time it is another one', async () => {
  const carried: number[] = [];
  const drains = createDrains({
    log: rememberingLog(),
    carryOut: async ({ startedAtMs }) => {
      carried.push(startedAtMs);
      if (startedAtMs === 3) throw new Error('the hook failed');
    },
    due: () => undefined,
  });
  const told = (startedAtMs: number, phase: DrainTold['phase'] = 'PENDING'): void =>
    drains.heard({
      instance: INSTANCE,
      reason: 'r',
      note: '',
      startedAtMs,
      deadlineMs: 9,
      phase,
      endedBy: '',
    });
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  told(1);
  told(1);
  await settled();
  assert.deepEqual([carried, drains.isDue], [[1], true]);
  told(1, 'ENDED');
  assert.equal(drains.isDue, false);
  told(2);
  await settled();
  drains.acknowledged();
  told(2);
  told(3);
  await settled();
  assert.deepEqual([carried, drains.isDue], [[1, 2, 3], false], 'what failed is not acknowledged');
});
