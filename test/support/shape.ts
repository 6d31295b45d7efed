/**
 * Documented JSON shapes: every documented field is there, of its type. Fields beyond them are free.
 *
 * A shape names each field's type; `?` behind it makes the field optional, `[]` makes it a list of that.
 */
import assert from 'node:assert/strict';

export type Shape = { readonly [field: string]: string | Shape };

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  text: (value) => typeof value === 'string',
  name: (value) => typeof value === 'string' && value !== '',
  number: (value) => typeof value === 'number' && Number.isFinite(value),
  flag: (value) => typeof value === 'boolean',
  time: (value) => typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/.test(value),
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  any: (value) => value !== undefined,
};

export function assertShape(what: string, value: unknown, shape: Shape): void {
  assert.ok(TYPES['object']?.(value), `${what} is no object`);
  const fields = value as Readonly<Record<string, unknown>>;
  for (const [field, type] of Object.entries(shape)) {
    const place = `${what}.${field}`;
    if (typeof type === 'string') assertType(place, fields[field], type);
    else assertShape(place, fields[field], type);
  }
}

function assertType(place: string, value: unknown, type: string): void {
  if (type.endsWith('?')) {
    if (value !== undefined) assertType(place, value, type.slice(0, -1));
    return;
  }
  if (type.endsWith('[]')) {
    assert.ok(Array.isArray(value), `${place} is no list: ${JSON.stringify(value)}`);
    for (const each of value) assertType(`${place}[]`, each, type.slice(0, -2));
    return;
  }
  const holds = TYPES[type];
  assert.ok(holds, `${type} is no type`);
  assert.ok(holds(value), `${place} is no ${type}: ${JSON.stringify(value)}`);
}
