/** Groups that programs order, in the words of the configuration. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../machines/model/json.js';
import { catalogueOf, planOrdered } from '../../src/config/ordered-group.js';
import { deriveSite } from '../../src/config/site.js';
import { configFrom } from '../support/config.js';

const TEXT = `
providers: { cloud: { driver: simulated } }
templates: { web: { provider: cloud, spec: { image: debian } } }
healthChecks: { ok: { type: http, port: 8080 } }
bootTimeout: 3m
tenants: { acme: { groups: { web: { template: web, size: 2, maxSize: 5, backend: { healthCheck: ok }, drain: { timeout: 30s } } } } }
`;

test('[TN-10] ordered group: the same words make the same group as in the configuration', () => {
  const config = configFrom(TEXT);
  const wish = {
    template: 'web',
    size: 2,
    maxSize: 5,
    backend: { healthCheck: 'ok' },
    drain: { timeout: '30s' },
  };
  const plan = planOrdered(
    JSON.parse(JSON.stringify(catalogueOf(config))) as JsonObject,
    'web',
    wish,
  );
  const [tenant] = deriveSite(config, 1).tenants;
  const {
    key: _key,
    tenant: _tenant,
    frontends: _all,
    generation: _,
    ...same
  } = tenant?.groups[0] ?? assert.fail();
  assert.deepEqual(plan.ok ? plan.value : plan.failure, JSON.parse(JSON.stringify(same)));
});

const refused: readonly (readonly [name: string, wish: JsonObject, says: RegExp])[] = [
  ['jobs', {}, /^template: this key is required/],
  ['jobs', { template: 'wbe' }, /^no template is named "wbe"; did you mean "?web/],
  ['jobs', { template: 'web', sise: 3 }, /^sise: unknown key/],
  ['jobs', { template: 'web', size: -1 }, /^size: /],
  ['jobs', { template: 'web', size: 9, maxSize: 3 }, /^size: size 9 is more than maxSize 3/],
  ['jobs', { template: 'web', drain: { timeout: 'soon' } }, /^drain\.timeout: /],
  ['jobs', { template: 'web', backend: { healthCheck: 'no' } }, /^no health check is named "no"/],
  ['jobs', { template: 'web', backend: {} }, /^backend: which port to probe/],
  [
    'jobs',
    { template: 'web', health: { source: 'agent' } },
    /^health\.source: agents cannot report/,
  ],
  ['No', { template: 'web' }, /cannot name a group/],
];

for (const [name, wish, says] of refused) {
  test(`[TN-10] ordered group: ${name} ${JSON.stringify(wish)} is refused in one sentence`, () => {
    const plan = planOrdered(catalogueOf(configFrom(TEXT)), name, wish);
    assert.match(plan.ok ? 'taken' : plan.failure, says);
  });
}
