/** A whole process that is stopped for a while: every heartbeat is old afterwards, and nobody is guilty. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** Longer than a thread may be silent. */
const STOPPED_MS = 3_500;

test('[SU-12] suspension: a process that was stopped and goes on ends none of its threads', async () => {
  const child = fork(fileURLToPath(new URL('./suspended-child.js', import.meta.url)));
  const [up] = await once(child, 'message');
  assert.equal(up, 'up');
  const spinning = once(child, 'message');
  child.send('spin');
  assert.deepEqual((await spinning)[0], 'spinning');
  child.kill('SIGSTOP');
  await sleep(STOPPED_MS);
  child.kill('SIGCONT');
  const closed = once(child, 'close');
  child.send('what did you lose?');
  const [told] = await once(child, 'message');
  assert.deepEqual(told, { counts: [1, 1], deaths: [] });
  await closed;
});
