/** The examples load without a problem: they are the first thing a user copies. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadConfig } from '../../src/config/load.js';
import { printProblem } from '../../src/config/problem.js';
import { deriveSite } from '../../src/config/site.js';
import { repoPath } from '../support/root.js';

const ENV = { TENANT_MANAGER_URL: 'http://127.0.0.1:8080' };

for (const name of ['switchyard.yaml', 'minimal.yaml', 'demo.yaml', 'exec.yaml', 'agents.yaml']) {
  test(`[CF-6] examples: ${name} loads and derives a site`, () => {
    const file = repoPath('examples', name);
    const loaded = loadConfig({ text: readFileSync(file, 'utf8'), file, env: ENV });
    assert.ok(loaded.ok, loaded.ok ? '' : loaded.failure.map(printProblem).join('\n'));
    const site = deriveSite(loaded.value.config, 1);
    assert.ok(site.providers.length > 0);
  });
}
