/**
 * SIGKILL in the middle of committing: what was acknowledged is there, and nothing is there by
 * half.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { wholeOf } from '../../../src/ports/feed-text.js';
import { unwrap } from '../../contract/store-fixture.js';
import { openOrThrow, scratch } from '../../support/sqlite-scratch.js';

const { file, remove } = scratch();
after(remove);

/** Resolves with everything the child said, once it has said at least `lines` and was killed. */
async function killAfter(child: ChildProcess, lines: number): Promise<string> {
  let said = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    if (said.split('\n').length > lines) child.kill('SIGKILL');
  });
  await once(child, 'close');
  return said;
}

test('[ST-1] kill: what was acknowledged survives, rows and records agree', async () => {
  const script = fileURLToPath(new URL('./kill-child.js', import.meta.url));
  let before = 0;
  for (const lines of [1, 40, 200]) {
    const child = spawn(process.execPath, [script, file], { stdio: ['ignore', 'pipe', 'inherit'] });
    const said = await killAfter(child, lines);
    const acknowledged = Number(said.trimEnd().split('\n').at(-1));
    const store = openOrThrow(file);
    const [cell] = unwrap(await store.load(['group']));
    const journal = unwrap(await store.journal(0, 10_000));
    const rows = unwrap(await store.outboxPending(0, 10_000));
    await store.close();
    assert.ok((cell?.version ?? 0) >= acknowledged && acknowledged > before);
    const versions = journal.map((_, index) => index + 1);
    assert.equal(cell?.version, journal.length);
    assert.deepEqual(
      journal.map(({ id }) => id),
      versions.map((version) => `d-${version}`),
    );
    assert.deepEqual(
      rows.map(({ event }) => wholeOf(event).aggregateVersion),
      versions,
    );
    before = acknowledged;
  }
});
