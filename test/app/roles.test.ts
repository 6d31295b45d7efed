/** The outside of a thread's actors: opened as configured, closed with them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { LbsyncPorts } from '../../actors/lbsync-state.js';
import { createParts } from '../../src/app/parts.js';
import { portsFor } from '../../src/app/roles.js';
import { memoryStore } from '../support/toy-node.js';
import { workerSettings } from '../support/worker-settings.js';

test('[RT-35] ports: the dataplane says which driver it is, and the feed is free again after a close', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-roles-'));
  const settings = workerSettings({
    sink: { driver: 'file', dir: join(dir, 'feed'), layout: 'segments' },
  });
  const parts = createParts(settings, 'main');
  const input = { settings, parts, store: memoryStore(), thread: 'main', incarnation: 1 };
  const first = await portsFor(['dataplane', 'outbox'], input);
  assert.ok(first.ok);
  const { driver, metrics } = first.value.ports as LbsyncPorts;
  assert.equal(driver, 'none');
  assert.equal(metrics, input.parts.metrics);
  const taken = await portsFor(['outbox'], input);
  assert.equal(taken.ok, false);
  await first.value.close();
  const second = await portsFor(['outbox'], input);
  assert.ok(second.ok, JSON.stringify(second));
  await second.value.close();
  rmSync(dir, { recursive: true });
});
