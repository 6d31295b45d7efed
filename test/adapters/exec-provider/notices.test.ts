/** Termination notices of an operator's program: told once for each thing they say, and to a later run. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TerminationNotice } from '../../../machines/model/agent.js';
import { openExecProvider } from '../../../src/adapters/exec-provider/provider.js';
import type { Provider } from '../../../src/ports/provider.js';
import { expectOk, LAB_INSTALLATION, requestFor } from '../../contract/provider.js';
import { execOptions, openExecLab } from '../../support/exec-lab.js';
import { templateOf } from '../../support/process-lab.js';
import { repoPath } from '../../support/root.js';

const NOON_MS = Date.parse('2026-03-01T12:00:00Z');

function heard(provider: Provider): readonly TerminationNotice[] {
  const notices: TerminationNotice[] = [];
  provider.onNotice?.((_, notice) => notices.push(notice));
  return notices;
}

test('[PR-36] exec provider: each notice once, another deadline again, and all of it to a later run', async () => {
  const lab = await openExecLab();
  try {
    const { providerId } = expectOk(await lab.provider.create(requestFor(lab, 1)));
    const notices = heard(lab.provider);
    const look = async (provider: Provider) => {
      expectOk(await provider.status(providerId));
      expectOk(await provider.list(LAB_INSTALLATION));
    };
    await look(lab.provider);
    assert.deepEqual(notices, []);
    lab.notify(providerId, 'n-1', NOON_MS);
    await look(lab.provider);
    await look(lab.provider);
    lab.notify(providerId, 'n-1', NOON_MS - 60_000);
    await look(lab.provider);
    const told = [
      { id: 'n-1', deadlineMs: NOON_MS },
      { id: 'n-1', deadlineMs: NOON_MS - 60_000 },
    ];
    assert.deepEqual(notices, told);
    const later = await lab.restart();
    const again = heard(later);
    expectOk(await later.watch(providerId));
    await look(later);
    assert.deepEqual(again, told.slice(1));
  } finally {
    await lab.dispose();
  }
});

const ANSWER = (notice: string) =>
  `echo '{"instance":{"providerId":"p","token":"t","address":"10.0.0.1","state":"running","notice":${notice},"tags":{"installation":"here","node":"n","tenant":"a","group":"a/b","instance":"i-0000-000000000001","epoch":1}}}'`;

test('[PR-36] [PR-30] exec provider: a notice without a deadline is one; what is none makes the answer worth nothing', async () => {
  const answered = async (notice: string) => {
    const command = ['sh', '-c', ANSWER(notice)];
    const provider = expectOk(openExecProvider(execOptions({ command })));
    const notices = heard(provider);
    expectOk(
      await provider
        .watch('p')
        .then((one) => (one.ok ? one : { ...one, ok: true, value: undefined })),
    );
    const status = await provider.status('p');
    await provider.close();
    return status.ok
      ? notices.map(({ id, deadlineMs }) => [id, deadlineMs ?? null])
      : status.failure.message;
  };
  assert.deepEqual(await answered('null'), []);
  assert.deepEqual(await answered('{"id":"n-1"}'), [['n-1', null]]);
  assert.deepEqual(await answered('{"id":"n-1","deadline":"2026-03-01T13:00:00+01:00"}'), [
    ['n-1', NOON_MS],
  ]);
  for (const bad of [
    '{"id":""}',
    '{"deadline":"2026-03-01T12:00:00Z"}',
    '{"id":"n","deadline":"noon"}',
    '7',
  ]) {
    assert.match(
      String(await answered(bad)),
      /status answered what was not asked for: instance\.notice/,
    );
  }
});

test('[PR-36] exec provider: a host of a list that is to leave is lent no more, and who has it is told', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'switchyard-hosts-'));
  const file = join(dir, 'hosts.json');
  const write = (hosts: readonly unknown[]) => writeFile(file, JSON.stringify({ hosts }));
  await write(['10.0.0.1', '10.0.0.2']);
  const command = [process.execPath, repoPath('examples', 'exec', 'hosts.mjs'), file];
  const provider = expectOk(openExecProvider(execOptions({ command })));
  const lab = { template: templateOf({}) } as Parameters<typeof requestFor>[0];
  assert.equal(expectOk(await provider.create(requestFor(lab, 1))).address, '10.0.0.1');
  const notices = heard(provider);
  const leaves = '2026-03-01T12:00:00Z';
  await write([
    { address: '10.0.0.1', leaves },
    { address: '10.0.0.2', leaves },
  ]);
  expectOk(await provider.list(LAB_INSTALLATION));
  assert.deepEqual(notices, [{ id: `leaves ${leaves}`, deadlineMs: NOON_MS }]);
  const refused = await provider.create(requestFor(lab, 2));
  assert.equal(refused.ok ? 'ok' : refused.failure.code, 'quota');
  await provider.close();
  await rm(dir, { recursive: true });
});
