/** What `verify` finds, by a feed that has it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeLine, segmentName } from '../../src/feed/segments.js';
import { createVerifier, type FeedReport } from '../../src/feed/verify.js';
import type { FeedEvent } from '../../src/ports/store.js';
import { feedEvent } from '../support/feed-events.js';

/** A feed as a list of segments: first version, then lines. */
type Feed = readonly (readonly [number, ...(readonly string[])])[];

function verify(feed: Feed, memoryMax?: number): FeedReport {
  const verifier = createVerifier(memoryMax);
  for (const [first, ...lines] of feed) {
    for (const [index, text] of lines.entries()) {
      verifier.check({ segment: { name: segmentName(first), first }, line: index + 1, text });
    }
  }
  return verifier.report();
}

function line(version: number, changes: Partial<FeedEvent> = {}): string {
  return encodeLine(feedEvent(version, changes), version);
}

const cases: readonly { readonly name: string; readonly feed: Feed; readonly finds: string }[] = [
  {
    name: 'a whole feed',
    feed: [
      [1, line(1), line(2)],
      [3, line(3)],
    ],
    finds: '',
  },
  { name: 'a feed that begins later', feed: [[7, line(7), line(8)]], finds: '' },
  {
    name: 'a missing line',
    feed: [[1, line(1), line(3, { aggregateVersion: 2 })]],
    finds: 'gap 1:2',
  },
  {
    name: 'a missing segment',
    feed: [
      [1, line(1)],
      [3, line(3, { aggregateVersion: 2 })],
    ],
    finds: 'misnamed 3:1 gap 3:1',
  },
  {
    name: 'a number given twice',
    feed: [[1, line(1), encodeLine(feedEvent(2), 1)]],
    finds: 'gap 1:2',
  },
  {
    name: 'a line that is not JSON',
    feed: [[1, line(1), '{', line(3, { aggregateVersion: 2 })]],
    finds: 'damaged 1:2',
  },
  { name: 'an event without id', feed: [[1, line(1, { eventId: '' })]], finds: 'damaged 1:1' },
  {
    name: 'a skipped aggregate version',
    feed: [[1, line(1), line(2, { aggregateVersion: 3 })]],
    finds: 'aggregate-gap 1:2',
  },
  {
    name: 'an aggregate going back',
    feed: [[1, line(1), line(2), line(3, { aggregateVersion: 1 })]],
    finds: 'aggregate-gap 1:3',
  },
  {
    name: 'two keys, each in order',
    feed: [
      [
        1,
        line(1),
        line(2, { orderingKey: 'other', aggregateVersion: 9 }),
        line(3, { aggregateVersion: 2 }),
      ],
    ],
    finds: '',
  },
  {
    name: 'the same event again',
    feed: [[1, line(1), line(2), encodeLine(feedEvent(1), 3)]],
    finds: '',
  },
  {
    name: 'the same id, another event',
    feed: [[1, line(1), line(2, { eventId: 'event-1' })]],
    finds: 'duplicate-differs 1:2',
  },
];

for (const { name, feed, finds } of cases) {
  test(`[FD-7] verify: ${name}`, () => {
    const { problems } = verify(feed);
    const said = problems.map(
      ({ code, segment, line: at }) => `${code} ${Number(segment.slice(5, 21))}:${at}`,
    );
    assert.equal(said.join(' '), finds);
  });
}

test('[FD-7] verify: counts every problem and names the first hundred', () => {
  const report = verify([[1, ...Array.from({ length: 150 }, () => '?')]]);
  assert.equal(report.problems.length, 100);
  assert.equal(report.problemsTotal, 150);
  assert.equal(report.events, 150);
});

test('[FD-7] verify: what it forgot is no problem', () => {
  const other = (version: number): string => line(version, { orderingKey: `key-${version}` });
  const feed: Feed = [[1, line(1), other(2), other(3), line(4, { aggregateVersion: 7 })]];
  assert.equal(verify(feed, 2).problemsTotal, 0);
  assert.equal(verify(feed).problemsTotal, 1);
});
