/** What may be said of providers in a configuration. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { saysOf } from '../support/config.js';

const cases = [
  {
    name: 'variables are passed to a program only',
    text: 'providers: { cloud: { driver: simulated, passEnvironment: [TOKEN] } }',
    says: /passEnvironment: the simulated driver runs no program of its own/,
  },
  {
    name: 'a variable is named, its value stays in the environment',
    text: 'providers: { cloud: { driver: exec, command: [a], passEnvironment: ["TOKEN=1"] } }',
    says: /passEnvironment.*expected the name of an environment variable/,
  },
];

for (const { name, text, says } of cases) {
  test(`[PR-33] configuration: ${name}`, () => {
    assert.match(saysOf(text).join('\n'), says);
  });
}
