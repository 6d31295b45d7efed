/** The simulator as a process: where it may listen, how it ends, and how it is started detached. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ensureDetachedVppSim } from '../../src/vppsim/detached.js';
import { openVppSim, startVppSim } from '../../src/vppsim/simulator.js';
import { answersConnect } from '../../src/vppsim/socket-path.js';
import { makeFolder, RawClient } from './lab.js';
import { vipAdd, vips } from './requests.js';

const ENTRY = fileURLToPath(new URL('./entry.js', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly errors: string;
}

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

function start(socket: string): Started {
  const child = spawn(process.execPath, [ENTRY, 'vpp-sim', '--socket', socket]);
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const ended = once(child, 'close').then(([code]) => ({ code, errors }));
  return { child, ended };
}

/** Started and listening. */
async function startListening(socket: string): Promise<Started> {
  const started = start(socket);
  assert.ok(started.child.stdout);
  await once(started.child.stdout, 'data');
  return started;
}

async function inFolder(run: (path: string) => Promise<void>): Promise<void> {
  const folder = makeFolder();
  try {
    await run(folder.path);
  } finally {
    folder.remove();
  }
}

test('[VP-74] socket path: where it cannot listen, one sentence says why', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const rows = [
      [join(folder, 'x'.repeat(120)), 'path-too-long', /bytes.*107/],
      [join(folder, 'no', 'such', 'vpp.sock'), 'no-parent', /directory .*such .*does not exist/],
      [file, 'not-a-socket', /not a socket/],
    ] as const;
    for (const [path, code, sentence] of rows) {
      const opened = await openVppSim({ path });
      assert.ok(!opened.ok);
      assert.equal(opened.failure.code, code);
      assert.match(opened.failure.message, sentence);
    }
  }));

test('[VP-74] socket path: 107 bytes with the control socket are enough', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'x'.repeat(107 - 4 - 1 - Buffer.byteLength(folder)));
    const sim = await startVppSim({ path, opLog: join(folder, 'ops') });
    await sim.close();
    assert.ok(!(await openVppSim({ path: `${path}x` })).ok);
  }));

test('[VP-74] socket path: an op log that cannot be written is a refusal', () =>
  inFolder(async (folder) => {
    mkdirSync(join(folder, 'ops'));
    const opened = await openVppSim({ path: join(folder, 'v.sock'), opLog: join(folder, 'ops') });
    assert.ok(!opened.ok);
    assert.match(opened.failure.message, /op log/);
  }));

test('[VP-74] process: a live socket is refused with exit code 3, SIGTERM removes it', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'vpp.sock');
    const first = await startListening(path);
    const second = await start(path).ended;
    assert.equal(second.code, 3);
    assert.match(second.errors, /already listening on .*vpp\.sock/);
    first.child.kill('SIGTERM');
    assert.equal((await first.ended).code, 0);
    assert.deepEqual([existsSync(path), existsSync(`${path}.ctl`)], [false, false]);
  }));

test('[VP-74] process: a crash exits 134, leaves its socket, and the next start replaces it', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'vpp.sock');
    const first = await startListening(path);
    const client = await RawClient.connect(path);
    client.send(vipAdd(client, { address: '10.0.0.1', tableLength: 0 }));
    const ended = await first.ended;
    assert.deepEqual([ended.code, ended.errors.includes('VPP died')], [134, true]);
    assert.ok(existsSync(path), 'the socket file is still there');
    const second = await startListening(path);
    const again = await RawClient.connect(path);
    assert.deepEqual(await vips(again), []);
    again.destroy();
    second.child.kill('SIGTERM');
    await second.ended;
    const log = readFileSync(`${path}.ops.jsonl`, 'utf8');
    assert.match(log, /vpp-would-crash/, 'the log goes on in the same file');
  }));

test('[VP-75] detached: started once, left alone afterwards, outlives who asked', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'vpp.sock');
    const first = await ensureDetachedVppSim({ path, cliPath: ENTRY });
    assert.ok(first.ok);
    assert.equal(first.value.started, true);
    const { pid } = first.value;
    assert.ok(pid !== undefined);
    try {
      const client = await RawClient.connect(path);
      await client.ask(vipAdd(client, { address: '10.0.0.1' }));
      client.destroy();
      const second = await ensureDetachedVppSim({ path, cliPath: ENTRY });
      assert.deepEqual(second, { ok: true, value: { started: false, pid: undefined } });
      const later = await RawClient.connect(path);
      assert.equal((await vips(later)).length, 1);
      later.destroy();
    } finally {
      process.kill(pid, 'SIGTERM');
      while (await answersConnect(path)) await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }));

test('[VP-75] detached: a simulator that cannot start is told with its own sentence', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'file.sock');
    writeFileSync(path, '');
    const answer = await ensureDetachedVppSim({ path, cliPath: ENTRY });
    assert.ok(!answer.ok);
    assert.match(answer.failure.message, /not a socket/);
    const nowhere = await ensureDetachedVppSim({ path: join(folder, 'no', 'v'), cliPath: ENTRY });
    assert.ok(!nowhere.ok);
    assert.match(nowhere.failure.message, /log/);
  }));

test('[VP-81] the suite for a real VPP runs against whatever its variable names, here a simulator', () =>
  inFolder(async (folder) => {
    const socket = join(folder, 'vpp.sock');
    const { child, ended } = await startListening(socket);
    const suite = fileURLToPath(new URL('../e2e/vpp-real.test.js', import.meta.url));
    // It is to run as by itself, and not as a part of the run that this is.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const run = spawn(process.execPath, ['--test', suite], {
      env: { ...env, VPP_API_SOCKET: socket },
    });
    let said = '';
    run.stdout.on('data', (chunk) => {
      said += chunk;
    });
    const [code] = await once(run, 'close');
    assert.equal(code, 0, said);
    assert.ok(Number(/^# pass (\d+)$/m.exec(said)?.[1]) > 10, said);
    child.kill('SIGTERM');
    assert.equal((await ended).code, 0);
    const log = readFileSync(`${socket}.ops.jsonl`, 'utf8');
    assert.doesNotMatch(log, /vpp-would-crash/);
  }));
