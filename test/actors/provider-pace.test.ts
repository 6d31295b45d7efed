/** The pace of creates: what refused ones cost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPace } from '../../actors/provider-pace.js';
import type { ProviderFailure } from '../../machines/model/failures.js';
import type { ProviderSettings } from '../../machines/model/messages.js';

const SETTINGS: ProviderSettings = {
  name: 'local',
  driver: 'simulated',
  timeoutMs: 60_000,
  maxInstances: 1_000,
  concurrency: 4,
  createRate: 1,
};

const refused = (code: ProviderFailure['code']) =>
  ({ type: 'provider.createFailed', token: 't', failure: { code, message: '' } }) as const;
const MADE = {
  type: 'provider.created',
  token: 't',
  providerId: 'p',
  address: '127.64.0.1',
} as const;

test('[PR-16] pace: the first create of a row that is refused costs no time, the others do', () => {
  const pace = createPace();
  pace.begin(SETTINGS, 0);
  const wait = () => pace.waitMs(SETTINGS, 0);
  assert.equal(wait(), 0);
  pace.settle(SETTINGS, refused('unavailable'));
  assert.equal(wait(), 1_000, 'nobody knows what it made');
  pace.settle(SETTINGS, refused('quota'));
  assert.equal(wait(), 0);
  pace.settle(SETTINGS, refused('quota'));
  assert.equal(wait(), 1_000);
  pace.settle(SETTINGS, MADE);
  assert.equal(wait(), 1_000);
  pace.settle(SETTINGS, refused('permanent'));
  assert.equal(wait(), 0);
});

test('[PR-16] pace: what is given back never makes more than a burst', () => {
  const pace = createPace();
  pace.begin(SETTINGS, 0);
  pace.settle(SETTINGS, refused('quota'));
  assert.deepEqual([pace.waitMs(SETTINGS, 0), pace.waitMs(SETTINGS, 0)], [0, 1_000]);
});
