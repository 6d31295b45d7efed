/** A stop that comes while the node starts, in one thread and in many; signals from the first moment. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readBootConfig } from '../../src/app/boot.js';
import { startNode } from '../../src/app/node.js';
import { createSignals } from '../../src/app/signals.js';

async function startIn(dataDir: string, singleThread: boolean, stop?: AbortSignal) {
  const configFile = join(dataDir, 'switchyard.yaml');
  const text = [
    `node: {name: n, dataDir: ${dataDir}, workers: 2}`,
    'dataplane: {driver: none}',
    "admin: {listen: 'off'}",
    '',
  ];
  writeFileSync(configFile, text.join('\n'));
  const booted = await readBootConfig(configFile, {});
  assert.ok(booted.ok, JSON.stringify(booted));
  return startNode({
    configFile,
    booted: booted.value,
    singleThread,
    log: { level: 'fatal', pretty: false },
    failpoint: '',
    onFatal: (reason) => assert.fail(reason),
    ...(stop === undefined ? {} : { stop }),
  });
}

for (const singleThread of [true, false]) {
  const where = singleThread ? 'in one thread' : 'over threads';

  test(`[RT-36] a stop while the node starts ${where} undoes the start, whenever it comes`, async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'switchyard-stop-'));
    for (const afterMs of [0, 40, 120, 240]) {
      const stop = new AbortController();
      if (afterMs === 0) stop.abort();
      const timer = setTimeout(() => stop.abort(), afterMs);
      const started = await startIn(dataDir, singleThread, stop.signal);
      clearTimeout(timer);
      if (started.ok) await started.value.stop();
      else assert.deepEqual(started.failure, { exitCode: 0, lines: [] });
      assert.ok(afterMs > 0 || !started.ok, 'asked for before the start');
    }
    // Nothing holds the data directory or the feed any more.
    const started = await startIn(dataDir, singleThread);
    assert.ok(started.ok, JSON.stringify(started));
    const second = await startIn(dataDir, singleThread);
    assert.ok(!second.ok && second.failure.exitCode === 3, 'a second daemon is turned away');
    await started.value.stop();
    rmSync(dataDir, { recursive: true });
  });
}

test('[RT-37] signals: what comes before anybody listens is kept, and a stop is told at once', async () => {
  const signals = createSignals();
  assert.equal(signals.stop.aborted, false);
  process.emit('SIGHUP', 'SIGHUP');
  process.emit('SIGHUP', 'SIGHUP');
  const reloads: string[] = [];
  const end = signals.until((signal) => reloads.push(signal));
  assert.deepEqual(reloads, ['SIGHUP']);
  process.emit('SIGTERM', 'SIGTERM');
  assert.ok(signals.stop.aborted);
  assert.deepEqual(await end, { reason: 'SIGTERM', fatal: false });
  signals.fatal('too late');
  assert.equal(signals.end?.fatal, false);
  signals.close();
});
