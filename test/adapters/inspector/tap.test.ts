/** The tap of a thread: bounded, filtered before anything is kept, and owing nobody a state. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Address, addressOf } from '../../../machines/model/ids.js';
import { INSPECTOR_LIMITS } from '../../../src/adapters/inspector/limits.js';
import { createTap, type Tap, type TapRequest } from '../../../src/adapters/inspector/tap.js';
import type { TapFrame } from '../../../src/runtime/kernel.js';
import { seedOfRun } from '../../support/seed.js';

const ALL: TapRequest = { kinds: [], ids: [], ratePerSecond: 1_000_000 };

function frame(address: Address, value: number): TapFrame {
  const event = { type: 'go' };
  return { address, machineId: 'group', event, value, context: {}, status: 'active' };
}

const group = (name: string): Address => addressOf('group', name);

interface Lab {
  readonly tap: Tap;
  readonly step: (frame: TapFrame) => void;
  readonly isTapped: () => boolean;
  nowMs: number;
}

function labOf(standing: readonly TapFrame[] = [], ringMax = 4): Lab {
  let listener: ((frame: TapFrame) => void) | undefined;
  const host = {
    tap: (to: typeof listener) => {
      listener = to;
    },
    glance: (take: (frame: TapFrame) => boolean) => {
      for (const one of standing) if (!take(one)) return;
    },
  };
  const lab = {
    nowMs: 0,
    step: (one: TapFrame) => listener?.(one),
    isTapped: () => listener !== undefined,
  };
  const limits = { ...INSPECTOR_LIMITS, ringMax, latestMax: 3 };
  const tap = createTap(host, { monotonic: () => lab.nowMs }, limits);
  return Object.assign(lab, { tap });
}

const values = (frames: readonly TapFrame[]) => frames.map(({ value }) => value);

test('[CL-13] a host: is tapped by the first read and let go by the last', () => {
  const { tap, isTapped } = labOf();
  assert.equal(isTapped(), false);
  tap.read(ALL);
  assert.equal(isTapped(), true);
  tap.read(undefined);
  assert.equal(isTapped(), false);
});

test('[CL-10] the first read: tells of some actors how they stand already', () => {
  const standing = ['a/1', 'a/2', 'a/3', 'a/4'].map((name, at) => frame(group(name), at));
  assert.deepEqual(values(labOf(standing).tap.read(ALL).latest), [0, 1, 2]);
  const wanted = { ...ALL, ids: ['a/4'] };
  assert.deepEqual(values(labOf(standing).tap.read(wanted).latest), [3]);
});

test('[CL-53] more steps than the ring holds: the oldest give way, counted', () => {
  const { tap, step } = labOf();
  tap.read(ALL);
  for (let value = 0; value < 6; value += 1) step(frame(group('a/1'), value));
  const { frames, latest, lost } = tap.read(ALL);
  assert.deepEqual([values(frames), values(latest), lost], [[2, 3, 4, 5], [], 2]);
});

test('[CL-53] an actor whose only step gave way: its state is told all the same', () => {
  const { tap, step } = labOf();
  tap.read(ALL);
  step(frame(group('a/quiet'), 100));
  for (let value = 0; value < 5; value += 1) step(frame(group('a/loud'), value));
  assert.deepEqual(values(tap.read(ALL).latest), [100]);
});

test('[CL-12] steps above the rate: counted, the newest state told', () => {
  const lab = labOf();
  const slow = { ...ALL, ratePerSecond: 2 };
  lab.tap.read(slow);
  for (let value = 0; value < 5; value += 1) lab.step(frame(group('a/1'), value));
  const { dropped, frames, latest } = lab.tap.read(slow);
  assert.deepEqual([values(frames), values(latest), dropped], [[0, 1], [4], 3]);
  lab.nowMs = 1_000;
  lab.tap.read(slow);
  lab.step(frame(group('a/1'), 9));
  assert.deepEqual(values(lab.tap.read(slow).frames), [9]);
});

test('[CL-54] steps outside the filter, or of actors without a place: not kept', () => {
  const { tap, step } = labOf();
  const full = { ...ALL, kinds: ['group'], shown: [group('a/1')] };
  tap.read(full);
  step(frame(group('a/1'), 1));
  step(frame(group('a/2'), 2));
  step(frame(addressOf('backend', 'b'), 3));
  const { frames, hidden, latest } = tap.read(full);
  assert.deepEqual([values(frames), values(latest), hidden], [[1], [], 1]);
});

test('[CL-53] any history: every step is told or counted, and who was missed is told the end', () => {
  const steps = fc.array(fc.record({ name: fc.nat(2), reads: fc.boolean(), waitMs: fc.nat(400) }), {
    maxLength: 80,
  });
  fc.assert(
    fc.property(steps, (history) => {
      const lab = labOf();
      const wanted = { ...ALL, ratePerSecond: 5 };
      const truth = new Map<string, unknown>();
      const seen = new Map<string, unknown>();
      let told = 0;
      const look = (): void => {
        const read = lab.tap.read(wanted);
        told += read.frames.length + read.dropped + read.lost;
        for (const one of [...read.frames, ...read.latest]) seen.set(one.address, one.value);
      };
      look();
      history.forEach(({ name, reads, waitMs }, at) => {
        lab.nowMs += waitMs;
        lab.step(frame(group(`a/${name}`), at));
        truth.set(`group/a/${name}`, at);
        if (reads) look();
      });
      look();
      assert.equal(told, history.length);
      assert.deepEqual([...seen].sort(), [...truth].sort());
    }),
    { seed: seedOfRun() },
  );
});
