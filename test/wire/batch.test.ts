/** Batches over the tables of a link: what any sequence of them becomes, and what no writer has written. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressOf } from '../../machines/model/ids.js';
import { createBatchReader } from '../../src/wire/batch-reader.js';
import { type BatchFrame, createBatchWriter } from '../../src/wire/batch-writer.js';
import type { Envelope } from '../../src/wire/envelope.js';
import {
  BATCH_ENVELOPES_MAX,
  NAMES_MAX,
  SHAPE_FIELDS_MAX,
  SHAPES_MAX,
  SHAPES_PER_TYPE_MAX,
} from '../../src/wire/limits.js';
import { seedOfRun } from '../support/seed.js';
import { arbEnvelope } from './samples.js';

const TO = addressOf('group', 'acme/web');
const FROM = addressOf('backend', 'cache-1');

function envelope(body: object, to = TO): Envelope {
  return { to, from: FROM, cause: 'c', body: body as Envelope['body'] };
}

/** Both ends of one link. */
function ends() {
  const writer = createBatchWriter();
  const reader = createBatchReader();
  return {
    writer,
    reader,
    cross: (items: readonly Envelope[]) => reader.read(writer.write(items, 7) as never)?.items,
  };
}

test('[WI-23] batch: any sequence of batches arrives as it was sent, whenever the writer starts anew', () => {
  const arbBatches = fc.array(
    fc.record({ items: fc.array(arbEnvelope, { maxLength: 12 }), anew: fc.boolean() }),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(arbBatches, (batches) => {
      const { writer, cross } = ends();
      for (const { items, anew } of batches) {
        if (anew) {
          writer.write(items, 0);
          writer.forget();
        }
        assert.deepEqual(cross(items), items);
      }
    }),
    { seed: seedOfRun(), numRuns: 500 },
  );
});

test('[WI-23] batch: addresses and fields are named once per link', () => {
  const { writer } = ends();
  const items = [envelope({ type: 'x', level: 1 }), envelope({ type: 'x', level: 2 })];
  assert.deepEqual(writer.write(items, 5), {
    type: 'envelopes',
    received: 5,
    known: [0, 0],
    names: [TO, FROM],
    shapes: [['x', 'type', 'level']],
    letters: [0, 1, 'c', 2, 1, 0, 1, 'c', 2, 2],
  });
  const { known, names, shapes } = writer.write(items, 5);
  assert.deepEqual({ known, names, shapes }, { known: [2, 1], names: [], shapes: [] });
});

test('[WI-23] batch: one that was lost, or comes twice, is found', () => {
  const first = [envelope({ type: 'x', a: 1 })];
  const second = [envelope({ type: 'y', b: 1 }, addressOf('group', 'acme/db'))];
  const { writer, reader } = ends();
  const [one, two] = [first, second].map((items) => structuredClone(writer.write(items, 0)));
  assert.equal(reader.read(two as never), undefined, 'the first is missing');
  assert.ok(reader.read(one as never));
  assert.ok(reader.read(two as never));
  assert.equal(reader.read(two as never), undefined, 'it was read before');
});

test('[WI-23] batch: with more addresses than the table holds the writer starts anew', () => {
  const { writer, reader } = ends();
  const anew: number[] = [];
  for (let batch = 0; batch * NEW_NAMES < NAMES_MAX + 3 * NEW_NAMES; batch += 1) {
    const items = Array.from({ length: NEW_NAMES }, (_, n) =>
      envelope({ type: 'x' }, addressOf('group', `acme/g-${batch}-${n}`)),
    );
    const frame = writer.write(items, 0);
    if (frame.known[0] === 0) anew.push(batch);
    assert.deepEqual(reader.read(frame as never)?.items, items);
  }
  assert.equal(anew.length, 2, 'at the beginning, and when it was full');
});
const NEW_NAMES = BATCH_ENVELOPES_MAX;

test('[WI-23] batch: messages beyond the table of shapes travel as they are', () => {
  const { cross } = ends();
  const many = Array.from({ length: SHAPES_MAX + 20 }, (_, n) => envelope({ type: `t${n}`, n }));
  const ofOne = Array.from({ length: SHAPES_PER_TYPE_MAX + 3 }, (_, n) =>
    envelope({ type: 'one', [`field${n}`]: n }),
  );
  const wide = Object.fromEntries(
    Array.from({ length: SHAPE_FIELDS_MAX + 1 }, (_, n) => [`f${n}`, n]),
  );
  const named: readonly object[] = [{ 'not-a-word': 1 }, { 0: 1 }, { constructor: 1, toString: 2 }];
  const items = [
    ...ofOne,
    ...[wide, ...named].map((fields) => envelope({ type: 'other', ...fields })),
  ];
  assert.deepEqual(cross(items), items);
  for (let at = 0; at < many.length; at += BATCH_ENVELOPES_MAX) {
    const some = many.slice(at, at + BATCH_ENVELOPES_MAX);
    assert.deepEqual(cross(some), some);
  }
});

const GOOD: BatchFrame = createBatchWriter().write([envelope({ type: 'x', level: 1 })], 5);
const ASK = { letters: [0, 1, 'c', 3, 'main:1:7', 1] };

const WRONG: readonly { readonly name: string; readonly change: object }[] = [
  { name: 'a count that is no count', change: { received: -1 } },
  { name: 'names nobody told of', change: { known: [1, 0] } },
  { name: 'shapes nobody told of', change: { known: [0, 1] } },
  { name: 'a third table', change: { known: [0, 0, 0] } },
  { name: 'one table', change: { known: [0] } },
  { name: 'a name that is no address', change: { names: [TO, 'gadget/x'] } },
  { name: 'a name that is no text', change: { names: [TO, 5] } },
  { name: 'a name too few', change: { names: [TO] } },
  { name: 'a shape too few', change: { shapes: [] } },
  { name: 'a shape without a type', change: { shapes: [['x', 'level', 'other']] } },
  { name: 'a shape of nothing', change: { shapes: [[]] } },
  { name: 'a shape with a field twice', change: { shapes: [['x', 'type', 'level', 'level']] } },
  { name: 'a shape with the field __proto__', change: { shapes: [['x', 'type', '__proto__']] } },
  { name: 'a shape with code for a field', change: { shapes: [['x', 'type', 'a}; b({']] } },
  { name: 'a shape with an empty field', change: { shapes: [['x', 'type', '']] } },
  { name: 'a shape that is no list', change: { shapes: ['type'] } },
  { name: 'letters that are no list', change: { letters: { length: 0 } } },
  { name: 'an address by text', change: { letters: ['0', 1, 'c', 2, 1] } },
  { name: 'an address by an inherited name', change: { letters: ['length', 1, 'c', 2, 1] } },
  { name: 'an address below nought', change: { letters: [-1, 1, 'c', 2, 1] } },
  { name: 'an address by half', change: { letters: [0, 0.5, 'c', 2, 1] } },
  { name: 'an address nobody named', change: { letters: [0, 2, 'c', 2, 1] } },
  { name: 'no cause', change: { letters: [0, 1, null, 2, 1] } },
  { name: 'a shape below nought', change: { letters: [0, 1, 'c', -2, 1] } },
  { name: 'a shape nobody defined', change: { letters: [0, 1, 'c', 4, 1] } },
  { name: 'a shape beyond 32 bits', change: { letters: [0, 1, 'c', 2 ** 33 + 2, 1] } },
  { name: 'a shape by half', change: { letters: [0, 1, 'c', 2.5, 1] } },
  { name: 'a shape by text', change: { letters: [0, 1, 'c', '2', 1] } },
  { name: 'a value too few', change: { letters: [0, 1, 'c', 2] } },
  { name: 'a value too many', change: { letters: [0, 1, 'c', 2, 1, 1] } },
  { name: 'a message without a shape that is no object', change: { letters: [0, 1, 'c', 0, 1] } },
  { name: 'a message without a shape or a type', change: { letters: [0, 1, 'c', 0, {}] } },
  { name: 'a message without a shape that is missing', change: { letters: [0, 1, 'c', 0] } },
  { name: 'an answer address that is no text', change: { letters: [0, 1, 'c', 3, 5, 1] } },
  { name: 'an ask that ends early', change: { letters: [0, 1, 'c', 3, 'main:1:7'] } },
];

test('[WI-2] batch: a good one is read, and so is an ask', () => {
  assert.equal(createBatchReader().read(GOOD as never)?.items.length, 1);
  const [ask] = createBatchReader().read({ ...GOOD, ...ASK } as never)?.items ?? [];
  assert.deepEqual(ask, { ...envelope({ type: 'x', level: 1 }), replyTo: 'main:1:7' });
});

for (const { name, change } of WRONG) {
  test(`[WI-2] batch: ${name} is malformed, and the next good one is read`, () => {
    const reader = createBatchReader();
    assert.equal(reader.read({ ...GOOD, ...change } as never), undefined);
    assert.equal(reader.read(GOOD as never)?.items.length, 1);
  });
}

test('[WI-3] batch: more names or shapes than the tables hold are malformed', () => {
  const fill = (frameOf: (n: number) => object): number => {
    const reader = createBatchReader();
    let frames = 0;
    const more = (): object => ({ ...GOOD, letters: [], ...frameOf(frames) });
    while (reader.read(more() as never) !== undefined) frames += 1;
    return frames;
  };
  const per = BATCH_ENVELOPES_MAX;
  const names = (n: number) => ({
    known: [n * per, 0],
    names: Array.from({ length: per }, (_, at) => `group/g-${n}-${at}`),
    shapes: [],
  });
  const shapes = (n: number) => ({
    known: [0, n * per],
    names: [],
    shapes: Array.from({ length: per }, (_, at) => [`t${n}-${at}`, 'type']),
  });
  assert.equal(fill(names), NAMES_MAX / per);
  assert.equal(fill(shapes), SHAPES_MAX / per);
});
