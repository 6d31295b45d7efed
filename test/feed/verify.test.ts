/** What `verify` finds, by a feed that has it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tombstoneOf } from '../../actors/outbox-lanes.js';
import { artifactNameOf } from '../../src/feed/artifacts.js';
import { createVerifier, type FeedReport, verifyFeed } from '../../src/feed/verify.js';
import { feedHash } from '../../src/ports/feed-chain.js';
import type { FeedEvent } from '../../src/ports/store.js';
import { expectOk } from '../contract/provider.js';
import { feedEvent, feedText } from '../support/feed-events.js';
import { openMemorySink } from '../support/memory-sink.js';
import { openMemorySource } from '../support/memory-source.js';

/** Each at its control version; a text is what cannot be read. */
type Feed = Readonly<Record<number, FeedEvent | string>>;

function verify(feed: Feed, memoryMax?: number): FeedReport {
  const verifier = createVerifier(memoryMax);
  for (const [version, event] of Object.entries(feed)) {
    const controlVersion = Number(version);
    verifier.check(
      typeof event === 'string'
        ? { controlVersion, damaged: event, place: 'somewhere' }
        : { controlVersion, event: { ...event, controlVersion } },
    );
  }
  return verifier.report();
}

/** Events of one key, each behind the one before it. */
function chain(versions: readonly number[], key = 'a'): readonly FeedEvent[] {
  const events: FeedEvent[] = [];
  for (const version of versions) {
    const last = events.at(-1);
    const event = feedEvent(version, { orderingKey: key, eventId: `${key}${version}` });
    events.push(last === undefined ? event : linked(event, feedHash(last)));
  }
  return events;
}

function linked(event: FeedEvent, previousHash: string): FeedEvent {
  return { ...event, previousHash };
}

/** What a node says of a backend that others probe too. */
function ofNode(node: string, version: number): FeedEvent {
  const told = { aggregateKind: 'backend', orderingKey: 'backend/b', node };
  return feedEvent(version, { ...told, eventId: `${node}.${version}` });
}

const [a1, a2, a3] = chain([1, 2, 3]) as [FeedEvent, FeedEvent, FeedEvent];
const [b1, b2] = chain([1, 2], 'b') as [FeedEvent, FeedEvent];
const grave: FeedEvent = { ...tombstoneOf(a2), previousHash: feedHash(a1) };
const behindGrave = linked(feedEvent(3, { orderingKey: 'a', eventId: 'a3' }), feedHash(grave));

const cases: readonly { readonly name: string; readonly feed: Feed; readonly finds: string }[] = [
  { name: 'a whole feed', feed: { 1: a1, 2: b1, 3: a2, 4: b2, 5: a3 }, finds: '' },
  { name: 'a feed that begins later', feed: { 7: a2, 8: a3 }, finds: '' },
  {
    name: 'two nodes that count the same backend, each for itself',
    feed: { 1: ofNode('n1', 1), 2: ofNode('n2', 1), 3: ofNode('n1', 2), 4: ofNode('n2', 2) },
    finds: '',
  },
  {
    name: 'a node that left one out',
    feed: { 1: ofNode('n1', 1), 2: ofNode('n2', 1), 3: ofNode('n1', 3) },
    finds: '3 aggregate-gap',
  },
  { name: 'a missing number', feed: { 1: a1, 3: a2 }, finds: '3 gap' },
  { name: 'what cannot be read', feed: { 1: a1, 2: '?', 3: a2 }, finds: '2 damaged' },
  { name: 'a skipped event', feed: { 1: a1, 2: a3 }, finds: '2 aggregate-gap' },
  { name: 'an aggregate going back', feed: { 1: a2, 2: a3, 3: a1 }, finds: '3 aggregate-gap' },
  { name: 'the same event again', feed: { 1: a1, 2: a2, 3: a1, 4: a3 }, finds: '' },
  {
    name: 'the same id, another event',
    feed: { 1: a1, 2: { ...b1, eventId: 'a1' } },
    finds: '2 duplicate-differs',
  },
  {
    name: 'an event that was changed',
    feed: { 1: { ...a1, data: { size: 9 } }, 2: a2 },
    finds: '2 broken-chain',
  },
  {
    name: 'an event behind none, where there is one',
    feed: { 1: a1, 2: a2, 3: { ...feedEvent(3, { orderingKey: 'a', eventId: 'x' }) } },
    finds: '3 broken-chain',
  },
  {
    name: 'events of a release that had no chain',
    feed: { 1: feedEvent(1), 2: feedEvent(2), 3: linked(feedEvent(3), feedHash(feedEvent(2))) },
    finds: '',
  },
  { name: 'a tombstone', feed: { 1: a1, 2: grave, 3: behindGrave }, finds: '' },
  {
    name: 'a tombstone and, sent again, its event',
    feed: { 1: a1, 2: grave, 3: behindGrave, 4: a2 },
    finds: '',
  },
  {
    name: 'a tombstone and its event at once, and what follows the event',
    feed: { 1: a1, 2: grave, 3: a2, 4: a3 },
    finds: '',
  },
];

for (const { name, feed, finds } of cases) {
  test(`[FD-7] [FD-11] verify: ${name}`, () => {
    const said = verify(feed).problems.map(
      ({ controlVersion, code }) => `${controlVersion} ${code}`,
    );
    assert.equal(said.join(' '), finds);
  });
}

test('[FD-7] [AR-1] verify: an artifact that is not there, and one whose bytes are others', async () => {
  const sink = openMemorySink();
  const { ref, checksum } = artifactNameOf('whole');
  const named = { artifactRef: ref, checksum };
  await sink.append([feedText(1, named)]);
  const found = async () =>
    expectOk(await verifyFeed(openMemorySource(sink))).problems.map(({ code }) => code);
  assert.deepEqual(await found(), ['artifact-missing']);
  await sink.putArtifact(ref, Buffer.from('other'));
  assert.deepEqual(await found(), ['artifact-differs']);
  await sink.putArtifact(ref, Buffer.from('whole'));
  assert.deepEqual(await found(), []);
});

test('[FD-7] verify: counts every problem and names the first hundred', () => {
  const damaged = Array.from({ length: 150 }, (_, index) => [index + 1, '?'] as const);
  const report = verify(Object.fromEntries(damaged));
  assert.equal(report.problems.length, 100);
  assert.equal(report.problemsTotal, 150);
  assert.equal(report.events, 150);
});

test('[FD-7] verify: what it forgot is no problem', () => {
  const other = (version: number) => feedEvent(version, { orderingKey: `key-${version}` });
  const feed = { 1: a1, 2: other(2), 3: other(3), 4: { ...a3, aggregateVersion: 7 } };
  assert.equal(verify(feed, 2).problemsTotal, 0);
  assert.equal(verify(feed).problemsTotal, 1);
});
