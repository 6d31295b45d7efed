/** How large a configuration may be: ten thousand backends fit, and what does not is refused, not crashed on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../src/config/load.js';
import { FIELD_CHARACTERS_MAX } from '../../src/ports/packed.js';

function site(backends: number): string {
  const rows = Array.from(
    { length: backends },
    (_, n) =>
      `  backend-${n}: { address: 10.${n >> 16}.${(n >> 8) & 255}.${n & 255}, healthCheck: ok }`,
  );
  return `node: { name: large }\nhealthChecks: { ok: { type: tcp, port: 80 } }\nbackends:\n${rows.join('\n')}\n`;
}

function load(backends: number) {
  return loadConfig({ text: site(backends), file: '/etc/large.yaml', env: {} });
}

test('[CF-19] config: one of 10,000 backends is in order, and what is committed of it fits its place', () => {
  const loaded = load(10_000);
  assert.ok(loaded.ok);
  const { config } = loaded.value;
  const names = Object.keys(config.backends);
  assert.ok(JSON.stringify({ config, names }).length < FIELD_CHARACTERS_MAX * 0.9);
});

test('[CF-19] config: one that does not fit is one problem that says so', () => {
  const loaded = load(40_000);
  assert.ok(!loaded.ok);
  assert.equal(loaded.failure.length, 1);
  const [{ message, code } = { message: '', code: '' }] = loaded.failure;
  assert.match(message, /too large: \d+ bytes .* more than \d+; divide it/);
  assert.equal(code, 'semantic');
});
