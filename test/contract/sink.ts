/** What every sink keeps, whatever stands behind it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Sink } from '../../src/ports/sink.js';
import type { FeedText } from '../../src/ports/store.js';
import { feedText, feedTexts } from '../support/feed-events.js';
import { seedOfRun } from '../support/seed.js';

export interface SinkLab {
  readonly sink: Sink;
  /** Appends as another writer would; absent: nobody else can. */
  readonly intrude?: () => Promise<void>;
  dispose(): Promise<void>;
}

/** `refusing`: this sink reads what it gets, and refuses an event without an id. */
export function sinkContract(
  name: string,
  open: () => Promise<SinkLab>,
  { refusing }: { readonly refusing: boolean },
): void {
  const check = (title: string, body: (sink: Sink, lab: SinkLab) => Promise<void>): void => {
    test(title.replace('sink', name), async () => {
      const lab = await open();
      try {
        await body(lab.sink, lab);
      } finally {
        await lab.dispose();
      }
    });
  };

  check('[FD-1] sink: numbers are positive and rise', async (sink) => {
    const versions = [
      ...(await sent(sink, feedTexts(1, 3))),
      ...(await sent(sink, feedTexts(4, 5))),
    ];
    assert.ok(versions.every((version, index) => version > (versions[index - 1] ?? 0)));
    assert.deepEqual(await sent(sink, []), []);
  });

  check('[FD-3] sink: the same event again gets the same number', async (sink) => {
    const first = await sent(sink, feedTexts(1, 3));
    assert.deepEqual(
      await sent(sink, feedTexts(2, 4)).then((some) => some.slice(0, 2)),
      first.slice(1),
    );
    const twice = await sent(sink, [feedText(9), feedText(9)]);
    assert.equal(twice[0], twice[1]);
  });

  test(`[FD-3] ${name}: however events repeat, an id has one number`, async () => {
    const arbCalls = fc.array(fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 6 }), {
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(arbCalls, async (calls) => {
        const lab = await open();
        try {
          const numbers = new Map<number, number>();
          for (const call of calls) {
            const versions = await sent(
              lab.sink,
              call.map((index) => feedText(index)),
            );
            for (const [at, index] of call.entries()) {
              const version = versions[at];
              assert.equal(version, numbers.get(index) ?? version);
              numbers.set(index, version ?? 0);
            }
          }
          assert.equal(new Set(numbers.values()).size, numbers.size);
        } finally {
          await lab.dispose();
        }
      }),
      { seed: seedOfRun(), numRuns: 20 },
    );
  });

  check('[FD-1] sink: calls that overlap are served in turn', async (sink) => {
    const [first, second] = await Promise.all([
      sent(sink, feedTexts(1, 2)),
      sent(sink, feedTexts(3, 4)),
    ]);
    assert.ok(Math.max(...(first ?? [])) < Math.min(...(second ?? [])));
  });

  check('[FD-9] sink: it stands where the last event is, before and after', async (sink) => {
    assert.deepEqual(await sink.resume(), { ok: true, value: { head: 0 } });
    const versions = await sent(sink, feedTexts(1, 3));
    assert.deepEqual(await sink.resume(), { ok: true, value: { head: versions.at(-1) } });
  });

  check(
    '[FD-9] sink: once another has appended, nothing more is until it resumes',
    async (sink, lab) => {
      if (lab.intrude === undefined) return;
      const versions = await sent(sink, feedTexts(1, 2));
      await lab.intrude();
      for (const events of [feedTexts(3, 4), feedTexts(3, 3)]) {
        const codes = (await sink.append(events)).map((result) => result.ok || result.failure.code);
        assert.deepEqual([...new Set(codes)], ['fenced']);
      }
      const resumed = await sink.resume();
      assert.ok(resumed.ok && resumed.value.head > (versions.at(-1) ?? 0));
      const [next] = await sent(sink, [feedText(3)]);
      assert.ok((next ?? 0) > resumed.value.head);
    },
  );

  if (!refusing) return;

  check('[FD-5] sink: what follows a refused event of its key is held back', async (sink) => {
    const other = { orderingKey: 'group/red/other' };
    const results = await sink.append([
      feedText(1),
      feedText(2, { eventId: '' }),
      feedText(3),
      feedText(1, { eventId: 'other-1', ...other }),
    ]);
    assert.deepEqual(
      results.map((result) => (result.ok ? 'ok' : result.failure.code)),
      ['ok', 'content', 'content', 'ok'],
    );
    assert.equal((await sent(sink, [feedText(3)])).length, 1);
  });
}

async function sent(sink: Sink, events: readonly FeedText[]): Promise<readonly number[]> {
  const results = await sink.append(events);
  return results.map((result) => {
    assert.ok(result.ok);
    return result.value.controlVersion;
  });
}
