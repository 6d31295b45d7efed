/** Reloads on hangups, as the service manager sees them begin and end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../machines/model/json.js';
import { createReloads } from '../../src/app/service.js';
import type { End, Signals } from '../../src/app/signals.js';

/** What the manager is told, and how each reload is ended. */
function reloads(signals: Pick<Signals, 'end'> = { end: undefined }) {
  const said: string[] = [];
  const ends: ((result: JsonObject) => void)[] = [];
  const api = {
    reload: () => new Promise<JsonObject>((resolve) => void ends.push(resolve)),
  };
  const manager = {
    ready: (status: string) => void said.push(`ready: ${status}`),
    reloading: () => void said.push('reloading'),
  };
  return { said, ends, reload: createReloads({ api } as never, manager, signals) };
}

test('[OP-1] service: several reloads at once are announced each, and are over together', async () => {
  const { said, ends, reload } = reloads();
  const both = [reload(), reload()];
  assert.deepEqual(said, ['reloading', 'reloading']);
  ends[0]?.({ status: 'full_success', generation: 2 });
  await both[0];
  assert.equal(said.length, 2, 'one is still under way');
  ends[1]?.({ status: 'unchanged', generation: 2 });
  await Promise.all(both);
  assert.deepEqual(said.slice(2), ['ready: serving generation 2; last reload: unchanged']);
});

test('[OP-1] service: a reload that the stop overtakes does not make the node ready again', async () => {
  const signals: { end: End | undefined } = { end: undefined };
  const { said, ends, reload } = reloads(signals);
  const asked = reload();
  signals.end = { reason: 'SIGTERM', fatal: false };
  ends[0]?.({ status: 'load_failed', generation: 2 });
  await asked;
  assert.deepEqual(said, ['reloading']);
});
