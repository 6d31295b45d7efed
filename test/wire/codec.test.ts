/** Frames there and back, and every way bytes can be wrong. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { pack } from 'msgpackr';
import { createCodec } from '../../src/wire/codec.js';
import { BATCH_ENVELOPES_MAX, DEPTH_MAX, FRAME_BYTES_MAX } from '../../src/wire/limits.js';
import { decodeFrame, encodeFrame, type LinkFrame } from '../../src/wire/link-frame.js';
import { STRUCTURES, STRUCTURES_HASH } from '../../src/wire/structures.js';
import { seedOfRun } from '../support/seed.js';
import { arbFrame, letterOf, SAMPLE_FRAMES } from './samples.js';

function textOf(frame: LinkFrame): string {
  const encoded = encodeFrame(createCodec(), frame);
  if (!encoded.ok) throw new Error(encoded.failure.message);
  return encoded.value;
}

/** Bytes as a port carries them. */
function asText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

/** Decodes with one codec for all, so that a bad frame could harm the next one. */
const shared = createCodec();

/** A failure value or a frame, never a throw; and the codec is as good as before. */
function survives(bytes: Uint8Array): void {
  const decoded = decodeFrame(shared, asText(bytes));
  if (!decoded.ok) assert.match(decoded.failure.code, /^(malformed|too-large)$/);
}

function stillWorks(): void {
  for (const frame of SAMPLE_FRAMES) {
    assert.deepEqual(decodeFrame(shared, textOf(frame)), { ok: true, value: frame });
  }
}

for (const frame of SAMPLE_FRAMES) {
  test(`[WI-1] frame ${frame.type}: comes back as it was sent`, () => {
    assert.deepEqual(decodeFrame(createCodec(), textOf(frame)), { ok: true, value: frame });
  });

  test(`[WI-2] frame ${frame.type}: cut short anywhere it is refused`, () => {
    const text = textOf(frame);
    for (let length = 0; length < text.length; length += 1) {
      assert.equal(decodeFrame(shared, text.slice(0, length)).ok, false, `${length} bytes`);
    }
    stillWorks();
  });

  test(`[WI-2] frame ${frame.type}: with any byte changed to any other it never throws`, () => {
    const bytes = Buffer.from(textOf(frame), 'latin1');
    for (let at = 0; at < bytes.length; at += 1) {
      const bent = Buffer.from(bytes);
      for (let value = 0; value < 256; value += 1) {
        bent[at] = value;
        survives(bent);
      }
    }
    stillWorks();
  });
}

test('[WI-1] frames: any frame comes back as it was sent, by one codec on either side', () => {
  const sender = createCodec();
  const receiver = createCodec();
  fc.assert(
    fc.property(arbFrame, (frame) => {
      const encoded = encodeFrame(sender, frame);
      assert.equal(encoded.ok, true);
      if (encoded.ok) {
        assert.deepEqual(decodeFrame(receiver, encoded.value), { ok: true, value: frame });
      }
    }),
    { seed: seedOfRun(), numRuns: 500 },
  );
});

test('[WI-2] frames: random bytes never throw and harm no later frame', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => survives(bytes)),
    { seed: seedOfRun(), numRuns: 3_000 },
  );
  stillWorks();
});

test('[WI-2] frames: a known shape defined anew by a frame is known again for the next one', () => {
  // fixext 1, 'r', number 0x40, then its field names and values.
  const redefinition = Uint8Array.of(0xd4, 0x72, 0x40, 0x91, 0xa1, 0x78, 0x01);
  assert.equal(decodeFrame(shared, asText(redefinition)).ok, false);
  stillWorks();
});

const foreign: readonly { readonly name: string; readonly value: unknown }[] = [
  { name: 'a date', value: new Date(0) },
  { name: 'a set', value: new Set([1]) },
  { name: 'an error', value: new Error('x') },
  { name: 'a regular expression', value: /x/ },
  { name: 'bytes', value: Buffer.from('x') },
  { name: 'a 64-bit integer', value: 2n ** 60n },
];
for (const { name, value } of foreign) {
  test(`[WI-3] plain data: ${name} is refused`, () => {
    const frame = { type: 'reply', to: 'main:1', body: { nested: [value] } };
    const decoded = decodeFrame(createCodec(), asText(pack(frame)));
    assert.deepEqual(decoded.ok ? '' : decoded.failure.code, 'malformed');
  });
}

test('[WI-3] plain data: what cannot be packed is a failure of the sender', () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  for (const body of [cycle, Symbol('x'), 2n ** 70n]) {
    const encoded = encodeFrame(createCodec(), { type: 'reply', to: 'x', body: body as never });
    assert.equal(encoded.ok ? '' : encoded.failure.code, 'malformed');
  }
});

test('[WI-3] bounds: bytes, depth and envelopes of one frame', () => {
  const codec = createCodec();
  const long = encodeFrame(codec, { type: 'reply', to: 'x', body: 'x'.repeat(FRAME_BYTES_MAX) });
  assert.equal(long.ok ? '' : long.failure.code, 'too-large');
  const taken = codec.decode('\xc0'.repeat(FRAME_BYTES_MAX + 1));
  assert.equal(taken.ok ? '' : taken.failure.code, 'too-large');

  const nested = (depth: number): never => {
    let body: unknown = 1;
    for (let level = 0; level < depth; level += 1) body = [body];
    return body as never;
  };
  const deep = (depth: number): boolean =>
    decodeFrame(codec, textOf({ type: 'reply', to: 'x', body: nested(depth) })).ok;
  assert.deepEqual([deep(DEPTH_MAX - 1), deep(DEPTH_MAX)], [true, false]);
  assert.equal(codec.decode('\x91'.repeat(FRAME_BYTES_MAX)).ok, false);

  const letter = letterOf({ type: 'x' });
  const batch = (size: number): boolean => {
    const items = Array.from({ length: size }, () => letter);
    return decodeFrame(codec, textOf({ type: 'envelopes', received: 0, items })).ok;
  };
  assert.deepEqual([batch(BATCH_ENVELOPES_MAX), batch(BATCH_ENVELOPES_MAX + 1)], [true, false]);
});

const wrong: readonly { readonly name: string; readonly change: object }[] = [
  { name: 'no address to', change: { to: 'group' } },
  { name: 'an unknown kind to', change: { to: 'gadget/x' } },
  { name: 'no address from', change: { from: 7 } },
  { name: 'no cause', change: { cause: undefined } },
  { name: 'a body without a type', change: { body: {} } },
  { name: 'a body that is a list', change: { body: ['type'] } },
  { name: 'an answer address that is no text', change: { replyTo: 5 } },
];
for (const { name, change } of wrong) {
  test(`[WI-2] envelope: ${name} is malformed`, () => {
    const items = [{ ...letterOf({ type: 'x' }), ...change }] as never;
    const decoded = decodeFrame(shared, textOf({ type: 'envelopes', received: 0, items }));
    assert.equal(decoded.ok ? '' : decoded.failure.code, 'malformed');
  });
}

test('[WI-2] frames: unknown types and inherited names are malformed', () => {
  for (const type of ['gadget', 'toString', 'constructor', '__proto__', 7]) {
    assert.equal(decodeFrame(shared, textOf({ type } as never)).ok, false);
  }
  for (const bytes of [
    undefined,
    null,
    '',
    'x',
    '\u{1f600}',
    {},
    [1],
    new ArrayBuffer(3),
    Buffer.of(1),
  ]) {
    assert.equal(decodeFrame(shared, bytes).ok, false);
  }
});

test('[WI-5] encoding: frames are texts of bytes, and later frames do not touch them', () => {
  const codec = createCodec();
  const frames = [...SAMPLE_FRAMES, ...SAMPLE_FRAMES];
  const encoded = frames.map((frame) => encodeFrame(codec, frame));
  const kept = encoded.map((one) => (one.ok ? one.value : ''));
  for (const text of kept) assert.match(text, /^[\0-\xff]+$/);
  const reader = createCodec();
  kept.forEach((text, index) => {
    assert.deepEqual(decodeFrame(reader, text), { ok: true, value: frames[index] });
  });
});

test('[WI-5] encoding: what was decoded is not touched by what is decoded later', () => {
  const codec = createCodec();
  const decoded = SAMPLE_FRAMES.map((frame) => decodeFrame(codec, textOf(frame)));
  for (const frame of SAMPLE_FRAMES) decodeFrame(codec, textOf(frame));
  decoded.forEach((one, index) => {
    assert.deepEqual(one, { ok: true, value: SAMPLE_FRAMES[index] });
  });
});

test('[WI-5] encoding: known shapes travel without their field names', () => {
  const [frame] = SAMPLE_FRAMES;
  assert.ok(frame);
  const text = textOf(frame);
  for (const name of ['received', 'letters', 'episode', 'sinceMs']) {
    assert.equal(text.includes(name), false, name);
  }
});

test('[WI-4] structures: frozen by their hash, each different, of names that are safe', () => {
  assert.equal(STRUCTURES_HASH, 'a279a446422cc0f5', 'a changed table is a new wire version');
  assert.equal(new Set(STRUCTURES.map((keys) => keys.join())).size, STRUCTURES.length);
  for (const key of STRUCTURES.flat()) assert.match(key, /^[a-zA-Z]+$/);
});
