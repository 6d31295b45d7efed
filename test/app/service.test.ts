/** Reloads on hangups, as the service manager sees them begin and end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../machines/model/json.js';
import { createReloads } from '../../src/app/service.js';

test('[OP-1] service: several reloads at once are announced each, and are over together', async () => {
  const said: string[] = [];
  const ends: ((result: JsonObject) => void)[] = [];
  const api = {
    reload: () => new Promise<JsonObject>((resolve) => void ends.push(resolve)),
  };
  const manager = {
    ready: (status: string) => void said.push(`ready: ${status}`),
    reloading: () => void said.push('reloading'),
  };
  const reload = createReloads({ api } as never, manager);
  const both = [reload(), reload()];
  assert.deepEqual(said, ['reloading', 'reloading']);
  ends[0]?.({ status: 'full_success', generation: 2 });
  await both[0];
  assert.equal(said.length, 2, 'one is still under way');
  ends[1]?.({ status: 'unchanged', generation: 2 });
  await Promise.all(both);
  assert.deepEqual(said.slice(2), ['ready: serving generation 2; last reload: unchanged']);
});
