/**
 * Envelopes to the flat list of a frame (see batch.ts). The writer believes that every frame it made was
 * posted, in order; whoever drops one has to say so by `forget`, and the tables start anew.
 */
import type { JsonObject } from '../../machines/model/json.js';
import { isField, TYPE } from './batch.js';
import type { Envelope } from './envelope.js';
import { NAMES_MAX, SHAPE_FIELDS_MAX, SHAPES_MAX, SHAPES_PER_TYPE_MAX } from './limits.js';

export interface BatchFrame {
  readonly type: 'envelopes';
  readonly received: number;
  readonly known: readonly [names: number, shapes: number];
  readonly names: readonly string[];
  readonly shapes: readonly (readonly string[])[];
  readonly letters: readonly unknown[];
}

export interface BatchWriter {
  /** Good until the next one is written. */
  write(envelopes: readonly Envelope[], received: number): BatchFrame;
  /** The last frame was not posted, or cannot be. */
  forget(): void;
}

interface Shape {
  /** From 1: 0 is a message without a shape. */
  readonly number: number;
  readonly keys: readonly string[];
}

export function createBatchWriter(): BatchWriter {
  const numbers = new Map<string, number>();
  const shapes = new Map<string, Shape[]>();
  let shapeCount = 0;
  /** Defined by the frame that is being made. */
  let newNames: string[] = [];
  let newShapes: (readonly string[])[] = [];
  /** One list for all frames: written over from the start, and cut to length at the end. */
  const letters: unknown[] = [];
  let length = 0;

  const put = (value: unknown): void => {
    letters[length] = value;
    length += 1;
  };

  const forget = (): void => {
    numbers.clear();
    shapes.clear();
    shapeCount = 0;
  };

  const numberOf = (name: string): number => {
    const known = numbers.get(name);
    if (known !== undefined) return known;
    const number = numbers.size;
    numbers.set(name, number);
    newNames.push(name);
    return number;
  };

  /** The shape of a message, which is defined if there is none yet; `undefined`: it may have none. */
  const define = (body: JsonObject, ofType: Shape[]): Shape | undefined => {
    const keys = Object.keys(body);
    const full = shapeCount === SHAPES_MAX || ofType.length === SHAPES_PER_TYPE_MAX;
    const fit = keys.length <= SHAPE_FIELDS_MAX && keys.every(isField);
    if (full || !fit || typeof body[TYPE] !== 'string') return undefined;
    shapeCount += 1;
    const shape = { number: shapeCount, keys };
    ofType.push(shape);
    newShapes.push([body[TYPE], ...keys]);
    return shape;
  };

  const writeAsk = (code: number, replyTo: string | undefined): void => {
    put(replyTo === undefined ? code : code + 1);
    if (replyTo !== undefined) put(replyTo);
  };

  /** False: it has other fields, or in another order. */
  const writeValues = (body: JsonObject, keys: readonly string[]): boolean => {
    let index = 0;
    for (const key in body) {
      if (key !== keys[index]) return false;
      if (key !== TYPE) put(body[key]);
      index += 1;
    }
    return index === keys.length;
  };

  const writeBody = (body: JsonObject, replyTo: string | undefined): void => {
    const type = body[TYPE] as string;
    let ofType = shapes.get(type);
    if (ofType === undefined) {
      ofType = [];
      if (shapes.size < SHAPES_MAX) shapes.set(type, ofType);
    }
    const before = length;
    for (const shape of ofType) {
      writeAsk(2 * shape.number, replyTo);
      if (writeValues(body, shape.keys)) return;
      length = before;
    }
    const shape = define(body, ofType);
    writeAsk(2 * (shape?.number ?? 0), replyTo);
    if (shape === undefined) put(body);
    else writeValues(body, shape.keys);
  };

  return {
    forget,
    write: (envelopes, received) => {
      if (numbers.size + 2 * envelopes.length > NAMES_MAX) forget();
      const known = [numbers.size, shapeCount] as const;
      newNames = [];
      newShapes = [];
      length = 0;
      for (const { to, from, cause, body, replyTo } of envelopes) {
        put(numberOf(to));
        put(numberOf(from));
        put(cause);
        writeBody(body as unknown as JsonObject, replyTo);
      }
      letters.length = length;
      return { type: 'envelopes', received, known, names: newNames, shapes: newShapes, letters };
    },
  };
}
