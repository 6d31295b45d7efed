/** Whose a socket's path is, told by the sockets that are there. */
import assert from 'node:assert/strict';
import { lstatSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { claimSocketPath } from '../../src/vppsim/socket-path.js';
import { busySocket } from '../support/busy-socket.js';

test('[CL-50] socket path: one whose simulator is too busy to answer is not taken away', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-sim-'));
  const path = join(dir, 'vpp.sock');
  const end = await busySocket(path);
  const claimed = await claimSocketPath(path);
  await end();
  assert.equal(claimed.ok ? 'taken' : claimed.failure.code, 'in-use');
  assert.ok(lstatSync(path).isSocket());
  const left = await claimSocketPath(path);
  assert.deepEqual(left, { ok: true, value: undefined });
  rmSync(dir, { recursive: true });
});
