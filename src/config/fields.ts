/**
 * Walks the schema: what lies at a path, and every annotated field of a value.
 *
 * zod's wrappers (default, optional, transform) are looked through. A field with a note is a leaf,
 * whatever its type; everything else is an object, a record or a list of such.
 */
import { z } from 'zod';
import type { Note } from './notes.js';
import { noteOf } from './notes.js';
import type { Path } from './problem.js';

export type Shape =
  | { readonly kind: 'leaf'; readonly note: Note | undefined }
  | { readonly kind: 'object'; readonly fields: Readonly<Record<string, z.ZodType>> }
  | { readonly kind: 'record'; readonly value: z.ZodType }
  | { readonly kind: 'list'; readonly element: z.ZodType };

export function shapeOf(schema: z.ZodType): Shape {
  const note = noteOf(schema);
  if (note !== undefined) return { kind: 'leaf', note };
  const inner = innerOf(schema);
  if (inner !== undefined) return shapeOf(inner);
  if (schema instanceof z.ZodObject) return { kind: 'object', fields: schema.shape };
  if (schema instanceof z.ZodRecord) {
    return { kind: 'record', value: schema.valueType as z.ZodType };
  }
  if (schema instanceof z.ZodArray) return { kind: 'list', element: schema.element as z.ZodType };
  return { kind: 'leaf', note: undefined };
}

/** The schema of the value at `path`, or `undefined` when the schema knows no such place. */
export function schemaAt(root: z.ZodType, path: Path): z.ZodType | undefined {
  return path.reduce<z.ZodType | undefined>((schema, part) => {
    if (schema === undefined) return undefined;
    const shape = shapeOf(schema);
    if (shape.kind === 'record') return shape.value;
    if (shape.kind === 'list') return shape.element;
    return shape.kind === 'object' && Object.hasOwn(shape.fields, part)
      ? shape.fields[part]
      : undefined;
  }, root);
}

/** The keys that may stand at `path`; empty when anything may. */
export function keysAt(root: z.ZodType, path: Path): readonly string[] {
  const schema = schemaAt(root, path);
  const shape = schema === undefined ? undefined : shapeOf(schema);
  return shape?.kind === 'object' ? Object.keys(shape.fields) : [];
}

/** Every leaf of the schema, by a path in which `*` stands for any name or index. */
export function leavesOf(
  root: z.ZodType,
  path: readonly string[] = [],
): readonly { readonly path: string; readonly note: Note | undefined }[] {
  const shape = shapeOf(root);
  if (shape.kind === 'leaf') return [{ path: path.join('.'), note: shape.note }];
  if (shape.kind === 'record') return leavesOf(shape.value, [...path, '*']);
  if (shape.kind === 'list') return leavesOf(shape.element, [...path, '*']);
  return Object.entries(shape.fields).flatMap(([key, field]) => leavesOf(field, [...path, key]));
}

/** A copy of `value` with every leaf replaced by what `change` makes of it. */
export function mapLeaves(
  schema: z.ZodType,
  value: unknown,
  change: (leaf: unknown, note: Note | undefined, path: Path) => unknown,
  path: Path = [],
): unknown {
  if (value === undefined) return undefined;
  const shape = shapeOf(schema);
  if (shape.kind === 'leaf') return change(value, shape.note, path);
  if (shape.kind === 'list') {
    const elements: readonly unknown[] = Array.isArray(value) ? value : [];
    return elements.map((one, index) => mapLeaves(shape.element, one, change, [...path, index]));
  }
  const fields = Object.entries(value as Readonly<Record<string, unknown>>).map(([key, one]) => {
    const inner = shape.kind === 'record' ? shape.value : shape.fields[key];
    return [key, inner === undefined ? one : mapLeaves(inner, one, change, [...path, key])];
  });
  return Object.fromEntries(fields);
}

function innerOf(schema: z.ZodType): z.ZodType | undefined {
  if (schema instanceof z.ZodPipe) return schema.in as z.ZodType;
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  ) {
    return schema.unwrap() as z.ZodType;
  }
  return undefined;
}
