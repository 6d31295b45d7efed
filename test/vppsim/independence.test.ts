/**
 * The simulator judges the client and the diff core, so it may share nothing with them but the
 * words for results.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { repoPath } from '../support/root.js';

test('[VP-77] independence: it imports itself, results and libraries only', () => {
  const folder = repoPath('src', 'vppsim');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const sources = files.filter((file) => file.endsWith('.ts'));
  assert.ok(sources.length > 20);
  for (const file of sources) {
    const text = readFileSync(join(folder, file), 'utf8');
    for (const [, from = ''] of text.matchAll(/from '([^']+)'/g)) {
      const inside = !from.startsWith('.') || !join(file, '..', from).startsWith('..');
      const shared = /machines\/model\/(result|assert)\.js$/.test(from);
      assert.ok(inside || shared, `${file} imports ${from}`);
    }
  }
});
