/** What the configuration says about NATS servers: who needs them, and what cannot be. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemsOf } from '../support/config.js';

function saysOf(text: string): readonly string[] {
  return problemsOf(text).map(({ path, message }) => `${path}: ${message}`);
}

test('[NA-3] nats sink: without servers, with half a key pair, with a stream no subject can name', () => {
  assert.deepEqual(saysOf('outbox: { sink: { driver: nats, tls: { cert: c.pem } } }'), [
    'outbox.sink: the nats driver needs servers, e.g. [nats://127.0.0.1:4222]',
    'outbox.sink.tls: cert and key go together',
  ]);
  assert.match(saysOf('outbox: { sink: { stream: a.b } }').join(), /letters, digits/);
});
