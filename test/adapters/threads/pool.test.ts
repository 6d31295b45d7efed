/** The pool of threads at its end: nothing of it is left, whatever was cut off shortly before. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const CHILD = fileURLToPath(new URL('../../support/pool-child.js', import.meta.url));

test('[SU-33] pool: one that ended makes no thread when one that was cut off ends at last, and the process ends', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [CHILD], { timeout: 30_000 });
  assert.equal(stdout.trim(), 'threads 0');
});
