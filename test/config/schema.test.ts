/** The schema as documentation: every field says how a change takes effect, as the interface has it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { leavesOf } from '../../src/config/fields.js';
import { configJsonSchema } from '../../src/config/json-schema.js';
import { configSchema } from '../../src/config/schema.js';

const LEAVES = leavesOf(configSchema);
const applyOf = new Map(LEAVES.map(({ path, note }) => [path, note?.apply]));

test('[CF-10] annotations: no field is without one', () => {
  const bare = LEAVES.filter(({ note }) => note === undefined).map(({ path }) => path);
  assert.deepEqual(bare, []);
});

test('[CF-10] annotations: the walk that proves it finds a bare field', () => {
  const hole = z.strictObject({ a: z.array(z.strictObject({ b: z.string().optional() })) });
  assert.deepEqual(leavesOf(hole), [{ path: 'a.*.b', note: undefined }]);
});

const RESTART = `
  node.name node.dataDir node.workers store.durability lease.driver lease.servers lease.bucket
  lease.ttl lease.credentials lease.tls.ca lease.tls.cert lease.tls.key lease.replicas api.listen api.advertise api.tls.cert api.tls.key api.tls.clientCa api.reflection api.agentCa.dir api.agentCa.lifetime admin.listen
  inspector.enabled inspector.listen tenancy.url tenancy.controller dataplane.driver
  dataplane.apiSocket outbox.sink.driver outbox.sink.dir outbox.sink.layout outbox.sink.servers
  outbox.sink.stream outbox.sink.credentials outbox.sink.tls.ca outbox.sink.tls.cert
  outbox.sink.tls.key outbox.sink.replicas`;

const DISRUPTIVE_OF_A_FRONTEND = ['encap', 'dscp', 'srcIpSticky', 'tableLength'];

test('[CF-10] annotations: exactly these fields need a restart', () => {
  const restart = [...applyOf].filter(([, apply]) => apply === 'restart').map(([path]) => path);
  assert.deepEqual(restart.sort(), RESTART.trim().split(/\s+/).sort());
});

test('[CF-10] annotations: exactly these fields are disruptive', () => {
  const frontends = ['frontends.*', 'tenancy.onProject.frontends.*', 'tenancy.onOrg.frontends.*'];
  const expected = [
    'dataplane.weightScale',
    'dataplane.lb.stickyBucketsPerCore',
    ...frontends.flatMap((place) => DISRUPTIVE_OF_A_FRONTEND.map((field) => `${place}.${field}`)),
  ];
  const disruptive = [...applyOf].filter(([, apply]) => apply === 'disruptive');
  assert.deepEqual(disruptive.map(([path]) => path).sort(), expected.sort());
});

test('[CF-11] secrets: exactly these fields are secret', () => {
  const secret = LEAVES.filter(({ note }) => note?.secret === true).map(({ path }) => path);
  assert.deepEqual(secret, ['tenancy.auth.token', 'tenancy.auth.bearer']);
});

test('[CF-10] JSON schema: refuses unknown keys and carries defaults and annotations', () => {
  const text = JSON.stringify(configJsonSchema());
  const { properties, additionalProperties } = JSON.parse(text) as {
    properties: Record<string, { properties?: Record<string, unknown> }>;
    additionalProperties: boolean;
  };
  assert.equal(additionalProperties, false);
  assert.deepEqual(properties['retry']?.properties?.['base'], {
    type: 'string',
    maxLength: 4096,
    pattern: '^\\d{1,15}(ms|s|m|h|d)$',
    default: '5s',
    apply: 'reload',
    unit: 'duration',
  });
});
