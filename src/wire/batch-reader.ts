/**
 * The flat list of a frame back to envelopes (see batch.ts), for any plain data: `undefined` for what no
 * writer has written. Every address, every shape and every envelope is checked before it is believed.
 */
import type { Address } from '../../machines/model/ids.js';
import type { Json, JsonObject } from '../../machines/model/json.js';
import type { Message } from '../../machines/model/messages.js';
import { isBatchFrame, isField, TYPE } from './batch.js';
import { type Envelope, isMessage } from './envelope.js';
import { BATCH_ENVELOPES_MAX, NAMES_MAX, SHAPE_FIELDS_MAX, SHAPES_MAX } from './limits.js';
import { isAddress, isName } from './shape.js';

export interface Batch {
  readonly type: 'envelopes';
  readonly received: number;
  readonly items: readonly Envelope[];
}

export interface BatchReader {
  read(frame: Json): Batch | undefined;
}

type Make = (values: readonly unknown[], at: number) => JsonObject;

interface Shape {
  /** Values of one message: one less than it has fields, since the type is the shape's. */
  readonly size: number;
  readonly make: Make;
}

export function createBatchReader(): BatchReader {
  let names: Address[] = [];
  let shapes: Shape[] = [];

  const learn = (
    known: readonly number[],
    newNames: readonly string[],
    newShapes: readonly (readonly string[])[],
  ): boolean => {
    const [knownNames, knownShapes] = known;
    if (knownNames === 0 && knownShapes === 0) {
      names = [];
      shapes = [];
    }
    if (known.length !== 2 || knownNames !== names.length || knownShapes !== shapes.length) {
      return false;
    }
    if (names.length + newNames.length > NAMES_MAX) return false;
    if (shapes.length + newShapes.length > SHAPES_MAX) return false;
    for (const name of newNames) {
      if (!isAddress(name)) return false;
      names.push(name);
    }
    for (const [type, ...keys] of newShapes) {
      if (type === undefined || !isShape(keys)) return false;
      shapes.push(shapeOf(type, keys));
    }
    return true;
  };

  const read = (letters: readonly unknown[]): readonly Envelope[] | undefined => {
    const items: Envelope[] = [];
    let at = 0;
    while (at < letters.length) {
      const to = names[letters[at] as number];
      const from = names[letters[at + 1] as number];
      const cause = letters[at + 2];
      const code = letters[at + 3];
      if (typeof letters[at] !== 'number' || typeof letters[at + 1] !== 'number') return undefined;
      if (to === undefined || from === undefined || !isName(cause)) return undefined;
      if (typeof code !== 'number' || !Number.isInteger(code) || code < 0) return undefined;
      at += 4;
      const isAsk = code % 2 === 1;
      const replyTo = isAsk ? letters[at] : undefined;
      if (isAsk) at += 1;
      const shape = code < 2 ? PLAIN : shapes[Math.floor(code / 2) - 1];
      if (shape === undefined || at + shape.size > letters.length) return undefined;
      const body = shape.make(letters, at);
      at += shape.size;
      if (shape === PLAIN && !isMessage(body)) return undefined;
      if (!isAsk) items.push({ to, from, cause, body: body as unknown as Message });
      else if (!isName(replyTo)) return undefined;
      else items.push({ to, from, cause, body: body as unknown as Message, replyTo });
    }
    return items;
  };

  return {
    read: (frame) => {
      if (!isBatchFrame(frame)) return undefined;
      const { received, known, names: newNames, shapes: newShapes, letters } = frame;
      if (!learn(known, newNames, newShapes)) return undefined;
      const items = read(letters);
      return items === undefined || items.length > BATCH_ENVELOPES_MAX
        ? undefined
        : { type: 'envelopes', received, items };
    },
  };
}

const PLAIN: Shape = { size: 1, make: (values, at) => values[at] as JsonObject };

function isShape(keys: readonly string[]): boolean {
  const different = new Set(keys).size === keys.length;
  return different && keys.length <= SHAPE_FIELDS_MAX && keys.includes(TYPE) && keys.every(isField);
}

/**
 * Written as a literal, in the sender's order: V8 makes such an object many times as fast as one that is
 * filled field by field. Written when it is first needed. The fields are words (`isShape`), and the
 * type is a text: nothing that came from elsewhere is run.
 */
function shapeOf(type: string, keys: readonly string[]): Shape {
  let written: Make | undefined;
  const make: Make = (values, at) => {
    written ??= literalOf(type, keys);
    return written(values, at);
  };
  return { size: keys.length - 1, make };
}

function literalOf(type: string, keys: readonly string[]): Make {
  const values = keys.filter((key) => key !== TYPE);
  const fields = keys.map((key) =>
    key === TYPE
      ? `${key}: ${JSON.stringify(type)}`
      : `${key}: values[at + ${values.indexOf(key)}]`,
  );
  return new Function('values', 'at', `return { ${fields.join(', ')} };`) as Make;
}
