/**
 * What a crash of the daemon may leave, and what the next run makes of it. A crash is made by rewriting
 * a record to what it was at that moment: the process itself is real.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { identify, isRunning } from '../../../src/adapters/proc/processes.js';
import {
  expectOk,
  LAB_INSTALLATION,
  nextExit,
  requestFor,
  tokenOf,
} from '../../contract/provider.js';
import { openProcessLab, type ProcessLab, templateOf } from '../../support/process-lab.js';

type Meta = Record<string, unknown> & { readonly process: Record<string, unknown> };

function check(title: string, body: (lab: ProcessLab) => Promise<void>): void {
  test(title, async () => {
    const lab = await openProcessLab();
    try {
      await body(lab);
    } finally {
      await lab.dispose();
    }
  });
}

function rewrite(
  lab: ProcessLab,
  providerId: string,
  change: (meta: Meta) => object | string,
): void {
  const path = join(lab.dir, providerId, 'meta.json');
  const changed = change(JSON.parse(readFileSync(path, 'utf8')));
  writeFileSync(path, typeof changed === 'string' ? changed : JSON.stringify(changed));
}

/** The record as it was before the process was started. */
function half({ process: _process, ...meta }: Meta): object {
  return meta;
}

check('[PR-1] process provider: killed after the start, the process is found', async (lab) => {
  const made = expectOk(await lab.provider.create(requestFor(lab, 1)));
  const pid = lab.pidOf(made.providerId);
  rewrite(lab, made.providerId, half);
  const later = await lab.restart();
  assert.deepEqual(expectOk(await later.findByToken(tokenOf(1))), made);
  assert.equal(lab.pidOf(made.providerId), pid, 'the record is complete again');
});

check('[PR-1] process provider: killed before the start, the token is absent', async (lab) => {
  const { providerId } = expectOk(await lab.provider.create(requestFor(lab, 1)));
  const exit = nextExit(lab.provider);
  lab.kill(providerId);
  await exit;
  rewrite(lab, providerId, half);
  const later = await lab.restart();
  assert.equal(expectOk(await later.findByToken(tokenOf(1))), undefined);
  assert.equal(existsSync(join(lab.dir, providerId)), false);
  const again = expectOk(await later.create(requestFor(lab, 1)));
  assert.equal(again.state, 'running');
});

check('[PR-4] process provider: a pid that came back is neither ours nor killed', async (lab) => {
  const { providerId } = expectOk(await lab.provider.create(requestFor(lab, 1)));
  const identity = identify(lab.pidOf(providerId));
  assert.ok(identity);
  const other = { ...identity, startTicks: identity.startTicks - 1 };
  rewrite(lab, providerId, (meta) => ({ ...meta, process: other }));
  const later = await lab.restart();
  assert.equal(expectOk(await later.status(providerId)).state, 'terminal');
  expectOk(await later.delete(providerId));
  assert.equal(isRunning(identity), true);
  process.kill(identity.pid, 'SIGKILL');
});

check('[PR-3] process provider: nothing of another boot is alive', async (lab) => {
  const { providerId } = expectOk(await lab.provider.create(requestFor(lab, 1)));
  const pid = lab.pidOf(providerId);
  rewrite(lab, providerId, (meta) => ({ ...meta, process: { ...meta.process, bootId: 'other' } }));
  const later = await lab.restart();
  const exit = nextExit(later);
  expectOk(await later.watch(providerId));
  assert.equal(await exit, providerId);
  process.kill(pid, 'SIGKILL');
});

check('[PR-5] process provider: unreadable and alive is unknown, not absent', async (lab) => {
  const { providerId } = expectOk(await lab.provider.create(requestFor(lab, 1)));
  const pid = lab.pidOf(providerId);
  rewrite(lab, providerId, () => '{');
  const later = await lab.restart();
  const answers = [
    await later.list(LAB_INSTALLATION),
    await later.findByToken(tokenOf(1)),
    await later.create(requestFor(lab, 1)),
    await later.delete(providerId),
  ];
  for (const answer of answers) {
    assert.equal(answer.ok ? 'ok' : answer.failure.code, 'unavailable');
    assert.ok(!answer.ok && answer.failure.message.includes(providerId));
  }
  process.kill(pid, 'SIGKILL');
  while (identify(pid) !== undefined) await new Promise((resolve) => setImmediate(resolve));
});

check('[PR-5] process provider: unreadable and dead is absent', async (lab) => {
  const { providerId } = expectOk(await lab.provider.create(requestFor(lab, 1)));
  const exit = nextExit(lab.provider);
  lab.kill(providerId);
  await exit;
  rewrite(lab, providerId, () => '');
  const later = await lab.restart();
  assert.equal(expectOk(await later.findByToken(tokenOf(1))), undefined);
  assert.deepEqual(expectOk(await later.list(LAB_INSTALLATION)).instances, []);
});

check('[PR-6] process provider: instances of another installation are refused', async (lab) => {
  const { providerId } = expectOk(await lab.provider.create(requestFor(lab, 1)));
  const stranger = await lab.restart({ installation: 'elsewhere' });
  const answers = [
    await stranger.status(providerId),
    await stranger.findByToken(tokenOf(1)),
    await stranger.create(requestFor(lab, 1)),
    await stranger.delete(providerId),
  ];
  for (const answer of answers) assert.equal(answer.ok ? 'ok' : answer.failure.code, 'permanent');
  assert.equal(expectOk(await (await lab.restart()).status(providerId)).state, 'running');
});

check('[PR-3] process provider: letting the lifeline go is not a death', async (lab) => {
  const template = templateOf({ command: ['sh', '-c', 'exec 3>&-; exec sleep 1000'] });
  const request = { ...requestFor(lab, 1), template };
  const { providerId } = expectOk(await lab.provider.create(request));
  const later = await lab.restart();
  const reported: string[] = [];
  later.onExit((id) => reported.push(id));
  expectOk(await later.watch(providerId));
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.deepEqual(reported, []);
  const exit = nextExit(later);
  lab.kill(providerId);
  assert.equal(await exit, providerId, 'the slow look finds it');
});

test('[PR-3] processes: a zombie is nobody', async () => {
  // The shell's child ends; what the shell becomes never waits for it.
  const parent = spawn('sh', ['-c', 'sleep 0.05 & echo $!; exec sleep 1000'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    const printed: Buffer = await new Promise((resolve) => parent.stdout.once('data', resolve));
    const pid = Number(printed.toString());
    while (!readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.equal(identify(pid), undefined);
  } finally {
    parent.kill('SIGKILL');
  }
});
