/** What may be said of providers in a configuration. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deriveSite } from '../../src/config/site.js';
import { configFrom, saysOf } from '../support/config.js';

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
  {
    name: 'a script is for the simulated driver',
    text: 'providers: { cloud: { driver: process, script: { latency: { create: 1s } } } }',
    says: /script: only the simulated driver plays a script/,
  },
];

for (const { name, text, says } of cases) {
  test(`[PR-33] [PR-35] configuration: ${name}`, () => {
    assert.match(saysOf(text).join('\n'), says);
  });
}

test('[PR-35] configuration: a script reaches the simulated provider in milliseconds', () => {
  const text = `providers:
  cloud:
    driver: simulated
    script:
      latency: { create: 2s, find: 50ms }
      errors: [{ call: create, code: unavailable, every: 10, lost: true }]
      spot: { after: 1h, warning: 2m }
`;
  const [cloud] = deriveSite(configFrom(text), 1).providers;
  assert.deepEqual(cloud?.script, {
    latencyMs: { create: 2_000, find: 50 },
    errors: [{ call: 'create', code: 'unavailable', every: 10, from: 1, lost: true }],
    spot: { afterMs: 3_600_000, warningMs: 120_000 },
  });
});
