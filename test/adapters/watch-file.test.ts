/** The watched configuration file: replaced, rewritten, gone; told once each, and only when it is still. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { watchConfigFile } from '../../src/adapters/config-file/watch-file.js';
import { createVirtualClock } from '../../src/runtime/virtual-clock.js';
import { rememberingLog } from '../support/quiet.js';

const folder = mkdtempSync(join(tmpdir(), 'switchyard-watch-'));
after(() => rmSync(folder, { recursive: true }));

interface Watched {
  readonly file: string;
  changes(): number;
  /** Time goes on, and what the folder has to say arrives. */
  pass(ms: number): Promise<void>;
  end(): void;
}

function watched(name: string): Watched {
  const at = join(folder, name);
  mkdirSync(at);
  const file = join(at, 'switchyard.yaml');
  writeFileSync(file, 'first');
  const clock = createVirtualClock();
  let changes = 0;
  const end = watchConfigFile({ file, clock, log: rememberingLog() }, () => {
    changes += 1;
  });
  return { file, changes: () => changes, pass: (ms) => clock.advance(ms), end };
}

/** Longer than the slow look and a moment of stillness: whatever the folder says. */
const LONG_MS = 21_000;

test('[RE-20] watch: a file that is rewritten is told once', async () => {
  const { file, changes, pass, end } = watched('rewritten');
  await pass(LONG_MS);
  assert.equal(changes(), 0, 'nothing has changed');
  writeFileSync(file, 'second');
  await pass(LONG_MS);
  assert.equal(changes(), 1);
  await pass(LONG_MS);
  assert.equal(changes(), 1);
  end();
});

test('[RE-20] watch: a file that is replaced, or whose link turns, is told', async () => {
  const { file, changes, pass, end } = watched('replaced');
  writeFileSync(`${file}.new`, 'second');
  renameSync(`${file}.new`, file);
  await pass(LONG_MS);
  assert.equal(changes(), 1);
  writeFileSync(`${file}.target`, 'third');
  symlinkSync(`${file}.target`, `${file}.link`);
  renameSync(`${file}.link`, file);
  await pass(LONG_MS);
  assert.equal(changes(), 2);
  end();
});

test('[RE-20] watch: a file that is still being written is not told yet, one that is gone not at all', async () => {
  const { file, changes, pass, end } = watched('growing');
  rmSync(file);
  await pass(LONG_MS);
  assert.equal(changes(), 0);
  for (let length = 1; length <= 5; length += 1) {
    writeFileSync(file, 'x'.repeat(length));
    await pass(400);
    assert.equal(changes(), 0, `${length} characters so far`);
  }
  await pass(LONG_MS);
  assert.equal(changes(), 1);
  end();
  writeFileSync(file, 'after the end');
  await pass(LONG_MS);
  assert.equal(changes(), 1);
});
