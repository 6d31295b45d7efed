/** One daemon per VPP: who comes second is told who is first, and has its turn when that one is gone. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { asOnlyWriter } from '../../../src/adapters/vpp/only-writer.js';
import type { Dataplane } from '../../../src/ports/dataplane.js';
import { createStrictDataplane } from '../../support/strict-dataplane.js';
import { createStrictLb } from '../../support/strict-lb.js';

const folder = mkdtempSync(join(tmpdir(), 'only-writer-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function daemon(socket: string, locks: string): Dataplane {
  return asOnlyWriter(createStrictDataplane(createStrictLb()), socket, locks);
}

function place(name: string) {
  const directory = join(folder, name);
  mkdirSync(join(directory, 'locks'), { recursive: true });
  return { socket: join(directory, 'api.sock'), locks: join(directory, 'locks') };
}

async function outcome(dataplane: Dataplane): Promise<string> {
  const answer = await dataplane.connect();
  return answer.ok ? 'connected' : `${answer.failure.code}: ${answer.failure.message}`;
}

test('[LB-63] only writer: the second daemon on a VPP is refused with the number of the first', async () => {
  const { socket, locks } = place('two');
  const [first, second] = [daemon(socket, locks), daemon(socket, locks)];
  assert.equal(await outcome(first), 'connected');
  const refused = await outcome(second);
  assert.match(refused, /^LB_UNREACHABLE: another daemon/);
  assert.match(refused, new RegExp(`held by process ${process.pid}$`));
  assert.equal(await outcome(first), 'connected', 'and the first may connect again');
  await first.close();
  assert.equal(await outcome(second), 'connected');
  await second.close();
});

test('[LB-63] only writer: other sockets are other VPPs', async () => {
  const { socket, locks } = place('others');
  const [one, other] = [daemon(socket, locks), daemon(`${socket}2`, locks)];
  assert.deepEqual([await outcome(one), await outcome(other)], ['connected', 'connected']);
  assert.ok(existsSync(`${socket}.switchyard.lock`));
  await Promise.all([one.close(), other.close()]);
});

test('[LB-63] only writer: a socket whose directory is not there yet is locked all the same', async () => {
  const { locks } = place('absent');
  const socket = join(folder, 'nowhere', 'api.sock');
  const [first, second] = [daemon(socket, locks), daemon(socket, locks)];
  assert.equal(await outcome(first), 'connected');
  assert.match(await outcome(second), /^LB_UNREACHABLE/);
  await first.close();
});
