/** The provider's memory when it cannot be looked at. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { idOfToken, openRecords } from '../../../src/adapters/process-provider/records.js';

const run = promisify(execFile);
const RECORDS = 200;
const DESCRIPTORS = 100;

const tags = { installation: 'i', node: 'n', tenant: 't', group: 't/g', instance: 'i-1', epoch: 1 };

function recordsIn(dir: string): void {
  for (let index = 0; index < RECORDS; index += 1) {
    const token = `token-${index}`;
    const id = idOfToken(token);
    mkdirSync(join(dir, id));
    const process = { pid: 4_000_000, startTicks: 1, bootId: 'another boot' };
    const record = { version: 1, id, token, address: '127.64.0.1', stopGraceMs: 1, tags, process };
    writeFileSync(join(dir, id, 'meta.json'), JSON.stringify(record));
  }
}

test('[PR-20] records: more of them than descriptors are all read', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-records-'));
  recordsIn(dir);
  const module = new URL('../../../src/adapters/process-provider/records.js', import.meta.url);
  const script = `const { openRecords } = await import(process.argv[1]);
    const { records, unreadable } = await openRecords(process.argv[2]).load();
    console.log(records.length, unreadable.length);`;
  const node = [process.execPath, '--input-type=module', '-e', script, module.href, dir];
  const limited = ['-c', `ulimit -n ${DESCRIPTORS} && exec "$@"`, 'sh', ...node];
  const { stdout } = await run('sh', limited);
  assert.equal(stdout, `${RECORDS} 0\n`);
  rmSync(dir, { recursive: true });
});

test('[PR-20] records: one that cannot be looked at is no reason to forget it', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-records-'));
  const id = idOfToken('token-0');
  // A folder in the place of the file: the look fails, whoever looks.
  mkdirSync(join(dir, id, 'meta.json'), { recursive: true });
  await assert.rejects(openRecords(dir).load(), { code: 'EISDIR' });
  assert.deepEqual(readdirSync(dir), [id]);
  rmSync(dir, { recursive: true });
});
