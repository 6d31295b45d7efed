/** Problems of a file at the place of a secret: each is told, and none quotes what stands there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadText } from '../support/config.js';

/** What becomes of a secret that nobody put in quotes, or that was cut, or that is no text. */
const VALUES = [
  '*canary',
  '!canary x',
  '!canary!x y',
  '!<canary> x',
  '&canary',
  '@canary',
  '%canary',
  '`canary',
  '"canary',
  "'canary",
  '"canary" canary',
  "'canary'canary",
  '"\\canary"',
  '"\\xcanary"',
  '"canary\\n"',
  '"\\ucanary"',
  '|canary',
  '>canary',
  '[canary',
  '[canary]',
  '{canary',
  '{canary: 1}',
  '{canary: 1, canary: 2}',
  'canary: x',
  'x: canary',
  '- canary',
  'x\n canary',
  'x\ncanary',
  'x\n    canary:canary',
  `\${canary:-x}`,
  '] canary',
  '? canary',
];

const site = (value: string): string =>
  `tenancy:\n  url: http://127.0.0.1:1\n  auth:\n    token: ${value}\n`;

for (const value of VALUES) {
  test(`[CF-17] secrets in problems: ${JSON.stringify(value)} is not quoted`, () => {
    const loaded = loadText(site(value));
    assert.ok(!loaded.ok, 'it is a problem');
    for (const { message, path } of loaded.failure) {
      assert.doesNotMatch(`${path} ${message}`, /canary/);
    }
  });
}
