/** Hangups from the first moment: held before the daemon's code is loaded, then handed over. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { holdHangups } from '../../src/app/hangups.js';
import { createSignals } from '../../src/app/signals.js';
import { repoPath } from '../support/root.js';

const IMPORT = /^import .* from '(?<from>.*)';$/gm;

function importsOf(file: string): readonly string[] {
  const text = readFileSync(repoPath(...file.split('/')), 'utf8');
  return [...text.matchAll(IMPORT)].map(({ groups }) => groups?.['from'] ?? '');
}

test('[RE-19] hangups: before they are held nothing else is loaded', () => {
  assert.deepEqual(importsOf('src/cli/main.ts'), ['../app/hangups.js']);
  assert.deepEqual(importsOf('src/app/hangups.ts'), []);
});

test('[RE-19] hangups: those that came before anybody listened are one reload, once somebody does', async () => {
  holdHangups();
  const came = once(process, 'SIGHUP');
  const awake = setInterval(() => undefined, 1_000);
  process.kill(process.pid, 'SIGHUP');
  await came;
  clearInterval(awake);
  const signals = createSignals();
  let reloads = 0;
  const end = signals.until(() => {
    reloads += 1;
  });
  assert.equal(reloads, 1);
  signals.fatal('enough');
  await end;
  signals.close();
});
