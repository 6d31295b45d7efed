/**
 * The committed message table is the recorded one. `npm run golden` regenerates it from the capture.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { messageTable } from '../../src/vppsim/message-table.js';
import { repoPath } from '../support/root.js';
import { capturedIds } from './lab.js';

test('[VP-61] message table: names, ids and order are those VPP sent', () => {
  const lines = Array.from(capturedIds(), ([key, id]) => `${id} ${key}`);
  if (process.env['GOLDEN'] === 'write') {
    const path = repoPath('src/vppsim/message-table.json');
    writeFileSync(path, `${JSON.stringify(lines, null, 2)}\n`);
    return;
  }
  assert.equal(lines.length, 853);
  assert.deepEqual(
    messageTable.map(({ id, key }) => `${id} ${key}`),
    lines,
  );
});
