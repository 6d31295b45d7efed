/** Landmarks of a reader: few, near ones close together, and the ground they show. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ok } from '../../machines/model/result.js';
import { commonGround, withLandmark } from '../../src/ports/feed-landmarks.js';
import type { Landmark } from '../../src/ports/feed-target.js';
import { expectOk } from '../contract/provider.js';
import { feedEvent } from '../support/feed-events.js';
import { seedOfRun } from '../support/seed.js';

const markOf = (controlVersion: number, eventId = `e${controlVersion}`): Landmark => ({
  controlVersion,
  eventId,
});

function walked(to: number): readonly Landmark[] {
  let marks: readonly Landmark[] = [];
  for (let at = 1; at <= to; at += 1) marks = withLandmark(marks, markOf(at));
  return marks;
}

/** A log of these ids, from 1 on. */
function logOf(ids: readonly string[]) {
  return {
    head: async () => ok(ids.length),
    at: async (controlVersion: number) => {
      const eventId = ids[controlVersion - 1];
      if (eventId === undefined) return ok(undefined);
      return ok({ controlVersion, event: feedEvent(controlVersion, { eventId }) });
    },
  };
}

test('[FA-7] landmarks: the newest is always there, and their number grows with the logarithm', () => {
  for (const to of [1, 2, 3, 10, 1_000, 20_000]) {
    const marks = walked(to);
    assert.equal(marks[0]?.controlVersion, to);
    assert.ok(marks.length <= 3 + Math.log2(to), `${marks.length} at ${to}`);
    const distances = marks.map(({ controlVersion }) => to - controlVersion);
    assert.equal(marks.at(-1)?.controlVersion, 1);
    for (const [index, distance] of distances.slice(0, -1).entries()) {
      if (index > 1) assert.ok(distance >= 2 * (distances[index - 1] ?? 0));
    }
  }
});

test('[FA-7] landmarks: the ground is never beyond what is as it was, and not far before it', async () => {
  const property = fc.asyncProperty(
    fc.integer({ min: 1, max: 300 }),
    fc.nat({ max: 300 }),
    fc.nat({ max: 400 }),
    async (read, kept, regrown) => {
      const same = Math.min(read, kept);
      const ids = Array.from({ length: same + regrown }, (_, at) =>
        at < same ? `e${at + 1}` : `x${at}`,
      );
      const marks = walked(read);
      const ground = expectOk(await commonGround(logOf(ids), marks));
      assert.ok(ground <= same);
      const nearest = marks.find(({ controlVersion }) => controlVersion <= same);
      assert.equal(ground, nearest?.controlVersion ?? 0);
      if (kept >= read) assert.equal(ground, read);
    },
  );
  await fc.assert(property, { seed: seedOfRun(), numRuns: 300 });
});

test('[FA-7] landmarks: what retention took away says nothing against the log', async () => {
  const log = { head: async () => ok(50), at: async () => ok(undefined) };
  assert.equal(expectOk(await commonGround(log, walked(20))), 20);
});
