/** The demo as a visitor runs it: one tour, within its two minutes, and nothing of it stays behind. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { runCli } from '../support/daemon.js';
import { processesOf } from '../support/site.js';

/** What the tour has to say, in this order. */
const STORY = [
  /watch the machines at http:\/\/127\.0\.0\.1:\d+\//,
  /Creating an organisation with two projects/,
  /198\.51\.100\.\d+/,
  /killed process \d+: i-/,
  /after \d+ ms the VIP of \S+ no longer has it:/,
  /after \d+ ms its replacement i-\S+ has entered:/,
  /instance\.lost/,
  /instance\.ready/,
  /Why i-\S+ exists:/,
  /instance\.requested/,
  /Deleting both projects/,
  /left on this node: 0 objects/,
  /acme DELETED, globex DELETED/,
  /That is the loop\./,
];

test('[EE-50] demo --once tells the whole loop, ends with 0 and leaves nothing', async () => {
  const startedAt = Date.now();
  const { code, stderr, stdout } = await runCli(['demo', '--once']);
  assert.equal(code, 0, stdout + stderr);
  assert.equal(stderr, '');
  assert.ok(Date.now() - startedAt < 120_000, 'the tour takes longer than its two minutes');
  let rest = stdout;
  for (const sentence of STORY) {
    const found = sentence.exec(rest);
    assert.ok(found, `${sentence} is not in what follows:\n${rest}`);
    rest = rest.slice(found.index + found[0].length);
  }
  const dir = /data (\/\S*switchyard-demo-\S+)/.exec(stdout)?.[1];
  assert.ok(dir);
  const ids = new Set(stdout.match(/\bi-[0-9a-f]{4}-[0-9a-f]{34}/g));
  assert.ok(ids.size >= 7, 'six instances and a replacement are named');
  for (const name of [dir, ...ids]) assert.deepEqual(processesOf(name), [], name);
  assert.equal(existsSync(dir), false);
});
