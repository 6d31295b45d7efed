/** The law that judges contexts: which changes it sees, and which are none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../machines/model/json.js';
import { differencesOf, shapeOf } from '../support/context-shape.js';

const WAS: JsonObject = {
  key: 'acme/web',
  size: 3,
  spec: { min: 1, max: 4 },
  members: { 'i-1': { state: 'up' } },
  last: [{ at: 1 }],
  note: null,
};

const changes: readonly (readonly [name: string, now: JsonObject, seen: RegExp | undefined])[] = [
  ['nothing', WAS, undefined],
  ['other values', { ...WAS, key: 'b/db', size: 9 }, undefined],
  ['nothing yet, where there was something', { ...WAS, spec: null }, undefined],
  ['something, where there was nothing yet', { ...WAS, note: 'x' }, undefined],
  ['other keys of a map', { ...WAS, members: { 'i-2': { state: 'up' } } }, undefined],
  ['an empty list', { ...WAS, last: [] }, undefined],
  ['one field more', { ...WAS, more: 1 }, /context had .*, has .*more/],
  ['one field less', { key: 'x' }, /context had .*size.*, has \{key\}/],
  ['a field of another type', { ...WAS, size: '3' }, /context\.size was number, is string/],
  ['a list for an object', { ...WAS, spec: [1] }, /context\.spec was object, is list/],
  ['another name inside', { ...WAS, spec: { least: 1, max: 4 } }, /context\.spec had/],
  ['another type inside', { ...WAS, spec: { min: 1, max: '4' } }, /spec\.max was number/],
  ['another name in a map', { ...WAS, members: { 'i-1': { is: 'up' } } }, /members\.\* had/],
  ['another name in a list', { ...WAS, last: [{ since: 1 }] }, /last\[\] had \{at\}/],
];
for (const [name, now, seen] of changes) {
  test(`[ST-21] shape: ${name} is ${seen === undefined ? 'no difference' : 'seen'}`, () => {
    const found = differencesOf(shapeOf([WAS]), shapeOf([now]));
    if (seen === undefined) assert.deepEqual(found, []);
    else assert.match(found.join('\n'), seen);
  });
}
