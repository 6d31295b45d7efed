/** What every source of feed events keeps, whatever stands behind it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { artifactNameOf } from '../../src/feed/artifacts.js';
import type { FeedItem, FeedSource } from '../../src/ports/feed-source.js';
import type { Sink } from '../../src/ports/sink.js';
import { feedEvent, feedTexts } from '../support/feed-events.js';
import { seedOfRun } from '../support/seed.js';
import { expectOk } from './provider.js';

export interface SourceLab {
  readonly source: FeedSource;
  /** Writes what the source reads. */
  readonly sink: Sink;
  dispose(): Promise<void>;
}

const NO_SUCH_REF = `sha256/${'0'.repeat(64)}`;

export function sourceContract(name: string, open: () => Promise<SourceLab>): void {
  const check = (title: string, body: (lab: SourceLab) => Promise<void>): void => {
    test(title.replace('source', name), async () => {
      const lab = await open();
      try {
        await body(lab);
      } finally {
        await lab.dispose();
      }
    });
  };

  check('[FD-10] source: an empty feed has nothing and stands at 0', async ({ source }) => {
    assert.deepEqual(expectOk(await source.read(0, 10)), []);
    assert.equal(expectOk(await source.head()), 0);
    expectOk(await source.acknowledge(0));
  });

  check(
    '[FD-10] source: events come as the sink numbered them, its head is the last',
    async (lab) => {
      const versions = await appended(lab.sink, 1, 5);
      const items = expectOk(await lab.source.read(0, 10));
      assert.deepEqual(items.map(versionOf), versions);
      assert.deepEqual(items[1], {
        controlVersion: versions[1],
        event: feedEvent(2, { controlVersion: versions[1] ?? 0 }),
      });
      assert.equal(expectOk(await lab.source.head()), versions.at(-1));
    },
  );

  test(`[FD-10] ${name}: from any cursor, in any bites, while it grows`, async () => {
    const arbStep = fc.record({
      grow: fc.nat({ max: 4 }),
      after: fc.nat({ max: 30 }),
      max: fc.integer({ min: 1, max: 7 }),
      goOn: fc.boolean(),
      acknowledge: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(arbStep, { maxLength: 8 }), async (steps) => {
        const lab = await open();
        try {
          const versions: number[] = [];
          let cursor = 0;
          let least = 0;
          for (const { grow, after, max, goOn, acknowledge } of steps) {
            versions.push(
              ...(await appended(lab.sink, versions.length + 1, versions.length + grow)),
            );
            // What was acknowledged need not be there any more.
            const from = goOn ? cursor : Math.max(after, least);
            const items = expectOk(await lab.source.read(from, max));
            assert.deepEqual(
              items.map(versionOf),
              versions.filter((version) => version > from).slice(0, max),
            );
            cursor = items.at(-1)?.controlVersion ?? from;
            if (!acknowledge) continue;
            expectOk(await lab.source.acknowledge(cursor));
            least = Math.max(least, cursor);
          }
        } finally {
          await lab.dispose();
        }
      }),
      { seed: seedOfRun(), numRuns: 25 },
    );
  });

  check('[FD-10] source: who waits is woken by an event, and by giving up', async (lab) => {
    const never = new AbortController();
    const waiting = lab.source.wait(0, never.signal);
    await appended(lab.sink, 1, 1);
    await waiting;
    const gaveUp = lab.source.wait(1_000_000, never.signal);
    never.abort();
    await gaveUp;
  });

  check(
    '[AR-1] source: artifacts have the bytes of their name; another name is missing',
    async (lab) => {
      const bytes = Buffer.from('{"members":["a","b"]}');
      const { ref } = artifactNameOf(bytes);
      expectOk(await lab.sink.putArtifact(ref, bytes));
      expectOk(await lab.sink.putArtifact(ref, bytes));
      assert.deepEqual(Buffer.from(expectOk(await lab.source.artifact(ref))), bytes);
      for (const other of [NO_SUCH_REF, '../feed-0000000000000001.jsonl', 'sha256/../../secret']) {
        const found = await lab.source.artifact(other);
        assert.equal(found.ok ? 'found' : found.failure.code, 'missing', other);
      }
    },
  );
}

function versionOf({ controlVersion }: FeedItem): number {
  return controlVersion;
}

async function appended(sink: Sink, from: number, to: number): Promise<readonly number[]> {
  const results = await sink.append(feedTexts(from, to));
  return results.map((result) => expectOk(result).controlVersion);
}
