/** The metrics page: names, sums over threads, what hostile labels do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { objectMetrics } from '../../../src/adapters/metrics/objects.js';
import {
  createMetrics,
  processMetrics,
  renderMetrics,
} from '../../../src/adapters/metrics/registry.js';
import { fakeNode } from '../../support/fake-node-api.js';
import { FAKE_CONDITION } from '../../support/fake-node-data.js';

test('[CL-30] series of several threads: equal ones are summed, others stand side by side', async () => {
  const [one, two] = [createMetrics(), createMetrics()];
  one.count('probe_total', { type: 'http', result: 'pass' });
  two.count('probe_total', { type: 'http', result: 'pass' }, 4);
  two.count('probe_total', { type: 'tcp', result: 'fail' });
  one.gauge('actors_quarantined', 1);
  two.gauge('actors_quarantined', 2);
  const { text } = await renderMetrics([await one.snapshot(), await two.snapshot()]);
  assert.match(text, /^switchyard_probe_total\{type="http",result="pass"\} 5$/m);
  assert.match(text, /^switchyard_probe_total\{type="tcp",result="fail"\} 1$/m);
  assert.match(text, /^switchyard_actors_quarantined 3$/m);
});

test('[CL-30] durations: are counted in the bucket they belong to', async () => {
  const metrics = createMetrics();
  for (const seconds of [0.0002, 0.02, 3]) metrics.observe('store_commit_seconds', seconds);
  const { text } = await renderMetrics([await metrics.snapshot()]);
  assert.match(text, /^switchyard_store_commit_seconds_bucket\{le="0\.0005"\} 1$/m);
  assert.match(text, /^switchyard_store_commit_seconds_bucket\{le="\+Inf"\} 3$/m);
  assert.match(text, /^switchyard_store_commit_seconds_count 3$/m);
});

test('[CL-30] label values from outside: cannot end their line', async () => {
  const metrics = createMetrics();
  metrics.count('dead_letters_total', { reason: 'a"\nevil_metric 1\n\\' });
  const { text } = await renderMetrics([await metrics.snapshot()]);
  assert.doesNotMatch(text, /^evil_metric/m);
});

test('[CL-30] the process: tells its own memory under our prefix', async () => {
  const { text } = await renderMetrics([await processMetrics()()]);
  assert.match(text, /^switchyard_process_resident_memory_bytes \d+$/m);
});

test('[CL-31] objects: are counted when asked for, by what they are', async () => {
  const node = fakeNode();
  node.script.status = { ...node.script.status, conditions: [FAKE_CONDITION, FAKE_CONDITION] };
  const [one = {}] = node.script.lists['instances'] ?? [];
  node.script.lists = {
    ...node.script.lists,
    instances: [one, { ...one, id: 'i-2' }, { ...one, id: 'i-3', state: 'draining' }],
  };
  const [cache = {}] = node.script.lists['frontends'] ?? [];
  const vip = { tableDigest: '000000ff' };
  node.script.lists = { ...node.script.lists, frontends: [{ ...cache, vip }] };
  const lines = (await objectMetrics(node.api)).split('\n');
  for (const line of [
    'switchyard_instances{tenant="acme",group="web",state="serving"} 2',
    'switchyard_instances{tenant="acme",group="web",state="draining"} 1',
    'switchyard_group_size{tenant="acme",group="web",kind="wanted"} 3',
    'switchyard_group_size{tenant="acme",group="web",kind="serving"} 2',
    'switchyard_backend_state{backend="cache-1",state="up"} 1',
    'switchyard_backend_health{backend="cache-1"} 3',
    'switchyard_vip_announced{frontend="cache"} 0',
    'switchyard_vip_table_digest{frontend="cache"} 255',
    'switchyard_conditions{type="create-failing"} 2',
    'switchyard_outbox_oldest_age_seconds 1.5',
    'switchyard_tenancy_parked 1',
    'switchyard_lease_epoch 7',
    'switchyard_actors_quarantined 0',
  ]) {
    assert.ok(lines.includes(line), line);
  }
});
