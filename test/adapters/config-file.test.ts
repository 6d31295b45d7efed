/** The configuration file on disk: read, parsed in a thread of its own, secrets held apart. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  openConfigFile,
  readBootFile,
  readConfigFile,
} from '../../src/adapters/config-file/config-file.js';
import type { ConfigFile } from '../../src/ports/config-file.js';

const folder = mkdtempSync(join(tmpdir(), 'switchyard-config-'));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'switchyard.yaml');

function write(text: string): void {
  writeFileSync(file, text);
}

const tenancy = (token: string): string =>
  `tenancy: { url: "http://127.0.0.1:1", auth: { token: ${token} } }`;

for (const inThread of [true, false]) {
  const where = inThread ? 'in a thread' : 'right here';

  test(`[CF-1] config file: problems arrive with their positions, parsed ${where}`, async () => {
    write('log:\n  level: loud\n');
    const loaded = await openConfigFile({ file, env: {}, inThread }).open();
    assert.deepEqual(loaded.ok ? [] : loaded.failure, [
      {
        file,
        line: 2,
        column: 10,
        path: 'log.level',
        message: 'expected one of debug, info, warn, error',
        code: 'semantic',
      },
    ]);
  });

  test(`[CF-6] config file: paths start beside the file, parsed ${where}`, async () => {
    write('node: { dataDir: ./here }');
    const loaded = await readBootFile({ file, env: {}, inThread });
    assert.ok(loaded.ok);
    loaded.value.read.link.close();
    assert.equal(loaded.value.config.node.dataDir, join(folder, 'here'));
  });

  test(`[RE-21] config file: the first pass takes what the process has read to start with, parsed ${where}`, async () => {
    write('log: { level: info }');
    const read = await readBootFile({ file, env: {}, inThread });
    assert.ok(read.ok);
    const booted = read.value.read;
    const opened = openConfigFile({ file, env: {}, inThread, booted });
    write('log: { level: debug }');
    const hashes: string[] = [];
    for (const desk of [await opened.openAtBoot(), await opened.openAtBoot()]) {
      assert.ok(desk.ok);
      hashes.push(desk.value.hash);
      desk.value.close();
    }
    assert.equal(hashes[0], booted.hash);
    assert.notEqual(hashes[1], booted.hash, 'once');
  });

  test(`[RE-21] config file: who has read the file since goes on with that, parsed ${where}`, async () => {
    write('log: { level: info }');
    const read = await readBootFile({ file, env: {}, inThread });
    assert.ok(read.ok);
    const opened = openConfigFile({ file, env: {}, inThread, booted: read.value.read });
    write('log: { level: debug }');
    const [now, first] = [await opened.open(), await opened.openAtBoot()];
    assert.ok(now.ok && first.ok);
    assert.equal(first.value.hash, now.value.hash);
    now.value.close();
    first.value.close();
  });
}

test('[CF-1] config file: an absent file is one problem', async () => {
  const loaded = await openConfigFile({ file: join(folder, 'absent.yaml'), env: {} }).open();
  assert.match(loaded.ok ? '' : (loaded.failure[0]?.message ?? ''), /^cannot be read: ENOENT/);
});

test('[CF-1] config file: a folder is one problem', async () => {
  const loaded = await openConfigFile({ file: folder, env: {} }).open();
  assert.match(loaded.ok ? '' : (loaded.failure[0]?.message ?? ''), /^cannot be read: EISDIR/);
});

test('[CF-3] config file: a parse that takes too long is given up', async () => {
  write('log: {}');
  const loaded = await openConfigFile({ file, env: {}, timeLimitMs: 0 }).open();
  assert.equal(loaded.ok ? '' : loaded.failure[0]?.message, 'takes too long to parse');
});

test('[CF-11] config file: a secret is given out once its load is adopted', async () => {
  const opened = openConfigFile({ file, env: {}, inThread: false });
  const load = async (token: string): Promise<string> => {
    write(tenancy(token));
    const loaded = await opened.open();
    assert.ok(loaded.ok);
    const whole = await readConfigFile({ file, env: {} });
    assert.ok(whole.ok);
    assert.doesNotMatch(JSON.stringify(whole.value.config), new RegExp(token));
    return loaded.value.hash;
  };
  const first = await load('open-sesame');
  assert.equal(opened.secret('tenancy.auth.token'), undefined);
  opened.adopt(first);
  const second = await load('swordfish');
  assert.equal(opened.secret('tenancy.auth.token'), 'open-sesame');
  opened.adopt('unknown');
  assert.equal(opened.secret('tenancy.auth.token'), 'open-sesame');
  opened.adopt(second);
  assert.equal(opened.secret('tenancy.auth.token'), 'swordfish');
});

/** Reads the file as it is then; answers the hash. */
async function look(opened: ConfigFile, token: string): Promise<string> {
  write(tenancy(token));
  const loaded = await opened.open();
  assert.ok(loaded.ok);
  return loaded.value.hash;
}

test('[CF-19] config file: what a pass goes back to still has its secrets, whatever was looked at', async () => {
  const opened = openConfigFile({ file, env: {}, inThread: false });
  const first = await look(opened, 'first');
  opened.adopt(first);
  for (let turn = 0; turn < 10; turn += 1) await look(opened, `only-looked-at-${turn}`);
  opened.adopt(await look(opened, 'second'));
  assert.equal(opened.secret('tenancy.auth.token'), 'second');
  opened.adopt(first);
  assert.equal(opened.secret('tenancy.auth.token'), 'first');
});

test('[CF-19] config file: a new process that goes on before it has read has the secrets of its file then', async () => {
  const opened = openConfigFile({ file, env: {}, inThread: false });
  opened.adopt('of the last life');
  await look(opened, 'changed');
  opened.adopt('of the last life');
  assert.equal(opened.secret('tenancy.auth.token'), 'changed');
});

test('[CF-18] config file: a FIFO is one problem at once, and nobody waits for its writer', async () => {
  const fifo = join(folder, 'fifo.yaml');
  execFileSync('mkfifo', [fifo]);
  const loaded = await openConfigFile({ file: fifo, env: {} }).open();
  assert.equal(
    loaded.ok ? '' : loaded.failure[0]?.message,
    'cannot be read: neither a file nor a link to one',
  );
});
