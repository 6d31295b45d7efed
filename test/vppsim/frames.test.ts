/** Framing by itself: odd frames, long ones, and the size of writes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { emptySplitter, frameOf, splitFrames, writesOf } from '../../src/vppsim/frames.js';
import { limits } from '../../src/vppsim/limits.js';
import { seedOfRun } from '../support/seed.js';

function announcing(bytes: number): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt32BE(bytes, 8);
  return header;
}

/** Feeds chunks one after the other and collects the messages as text. */
function messagesOf(chunks: readonly Buffer[]): readonly string[] {
  let splitter = emptySplitter;
  return chunks.flatMap((chunk) => {
    const split = splitFrames(splitter, chunk);
    splitter = split.splitter;
    return split.messages.map((message) => message.toString('hex'));
  });
}

test('[VP-60] frames: cut anywhere, they come out whole and in order', () => {
  const bodies = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 8 });
  fc.assert(
    fc.property(bodies, fc.integer({ min: 1, max: 33 }), (some, step) => {
      const stream = Buffer.concat(some.map((body) => frameOf(Buffer.from(body))));
      const chunks: Buffer[] = [];
      for (let at = 0; at < stream.length; at += step) chunks.push(stream.subarray(at, at + step));
      assert.deepEqual(
        messagesOf(chunks),
        some.map((body) => Buffer.from(body).toString('hex')),
      );
    }),
    { seed: seedOfRun() },
  );
});

test('[VP-60] frames: an empty one is noticed only when more bytes arrive', () => {
  const ping = frameOf(Buffer.from('aa', 'hex'));
  assert.deepEqual(messagesOf([announcing(0)]), []);
  assert.deepEqual(messagesOf([announcing(0), ping]), ['', 'aa']);
});

test('[VP-60] frames: one that announces too much swallows what follows', () => {
  const ping = frameOf(Buffer.from('aa', 'hex'));
  assert.deepEqual(messagesOf([announcing(0x7fffffff), ping, ping]), []);
  const body = Buffer.alloc(limits.heldFrameBytes + 1);
  const long = Buffer.concat([announcing(body.length), body, ping]);
  assert.deepEqual(messagesOf([long.subarray(0, 100), long.subarray(100)]), ['aa']);
});

test('[VP-60] frames: writes have at most 4096 bytes', () => {
  for (const bytes of [1, 4080, 4081, 56_318]) {
    const frame = frameOf(Buffer.alloc(bytes, 7));
    const writes = writesOf(frame);
    assert.ok(writes.every((piece) => piece.length <= 4096));
    assert.deepEqual(Buffer.concat(writes), frame);
  }
});
