/** `feed.source`: what it may be, and where it makes no sense. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFeedSource } from '../../src/config/feed-source.js';
import { configFrom, problemsOf } from '../support/config.js';

test('[CF-20] feed.source: a folder, or a stream of servers that are named with their ports', () => {
  for (const [text, parsed] of [
    ['/var/feed', { driver: 'file', dir: '/var/feed' }],
    ['nats://a:4222/S', { driver: 'nats', servers: ['nats://a:4222'], stream: 'S' }],
    [
      'tls://a:1,[2001:db8::1]:2/SITE_b-1',
      { driver: 'nats', servers: ['tls://a:1', 'tls://[2001:db8::1]:2'], stream: 'SITE_b-1' },
    ],
  ] as const) {
    assert.deepEqual(parseFeedSource(text), { ok: true, value: parsed });
  }
  for (const text of [
    'nats://a:4222',
    'nats://a/S',
    'nats:///S',
    'http://a:1/S',
    'nats://a:1/S/T',
  ]) {
    assert.equal(parseFeedSource(text).ok, false, text);
  }
});

test('[CF-20] feed.source: a folder lies beside the file; nodes that share a lease follow the log itself', () => {
  const sourceOf = (text: string) => configFrom(text).feed.source;
  assert.equal(sourceOf('feed: { source: other }'), '/site/other');
  assert.equal(sourceOf('feed: { source: "nats://a:4222/S" }'), 'nats://a:4222/S');
  assert.equal(sourceOf('log: { level: info }'), undefined);
  const saysOf = (text: string) =>
    problemsOf(text).map(({ path, message }) => `${path}: ${message}`);
  assert.match(
    saysOf('feed: { source: "nats://a/S" }').join(),
    /feed.source: expected a folder, or nats:/,
  );
  const fleet = 'outbox: { sink: { driver: nats, servers: [a:4222] } }\nlease: { driver: nats }';
  assert.deepEqual(saysOf(`${fleet}\nfeed: { unknownTypes: halt }`), []);
  assert.match(saysOf(`${fleet}\nfeed: { source: other }`).join(), /follow the log itself/);
});
