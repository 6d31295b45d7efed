/** What the configuration says about NATS servers: who needs them, and what cannot be. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configFrom, problemsOf } from '../support/config.js';

function saysOf(text: string): readonly string[] {
  return problemsOf(text).map(({ path, message }) => `${path}: ${message}`);
}

const NEEDS = 'the nats driver needs servers, e.g. [nats://127.0.0.1:4222]';

test('[NA-3] nats sink: without servers, with half a key pair, with a stream no subject can name', () => {
  assert.deepEqual(saysOf('outbox: { sink: { driver: nats, tls: { cert: c.pem } } }'), [
    `outbox.sink: ${NEEDS}`,
    'outbox.sink.tls: cert and key go together',
  ]);
  assert.match(saysOf('outbox: { sink: { stream: a.b } }').join(), /letters, digits/);
});

test('[NA-3] nats lease: without a shared log, without servers, for too short a time', () => {
  assert.deepEqual(saysOf('lease: { driver: nats, ttl: 1s }'), [
    `lease: ${NEEDS}`,
    'lease.driver: a shared lease needs the fleet to share a log: set outbox.sink.driver to nats',
    'lease.ttl: expected at least 3s: a lease is renewed at a third of its time',
  ]);
  const sink = 'outbox: { sink: { driver: nats, servers: [127.0.0.1:4222] } }';
  assert.deepEqual(saysOf(`${sink}\nlease: { driver: nats }`), []);
  const { lease } = configFrom(`${sink}\nlease: { driver: nats, tls: { ca: ca.pem } }`);
  assert.equal(lease.tls.ca, '/site/ca.pem');
});
