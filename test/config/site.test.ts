/** The site of a configuration: who gets which desired state, and who hears of whom. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../machines/model/json.js';
import { deriveSite, namesOf } from '../../src/config/site.js';
import { deriveTenant, type TenantIdentity } from '../../src/policy/tenant-plan.js';
import { configFrom, SITE } from '../support/config.js';

const SITE_1 = deriveSite(configFrom(SITE), 7);
const by = <T extends { readonly name: string }>(list: readonly T[], name: string): T => {
  const found = list.find((one) => one.name === name);
  assert.ok(found !== undefined, name);
  return found;
};
const PROJECT: TenantIdentity = {
  id: '0123456789abcdef0123456789abcdef',
  displayName: 'shop',
  kind: 'project',
  source: 'tenancy',
  generation: 7,
};
const onProject = (): JsonObject => SITE_1.tenancy?.onProject ?? {};

test('[CF-12] site: the same configuration derives the same site, with no holes', () => {
  const again = deriveSite(configFrom(SITE), 7);
  assert.deepEqual(again, SITE_1);
  assert.deepEqual(JSON.parse(JSON.stringify(SITE_1)), SITE_1);
});

test('[CF-12] site: every object carries the generation', () => {
  const { tenants, backends, frontends, pools, lbsync, tenancy } = SITE_1;
  const groups = tenants.flatMap((tenant) => tenant.groups);
  const all = [...tenants, ...groups, ...backends, ...frontends, ...pools, lbsync, tenancy];
  assert.deepEqual(new Set(all.map((one) => one?.generation)), new Set([7]));
});

test("[CF-12] site: static frontends and tenants' ones wait as long as the dataplane says", () => {
  const site = deriveSite(configFrom(`${SITE}\ndataplane: { startupMaxDelay: 7s }\n`), 7);
  const tenant = deriveTenant(site.tenancy?.onProject ?? {}, PROJECT);
  assert.ok(tenant.ok);
  const all = [...site.frontends, ...tenant.value.frontends];
  assert.ok(tenant.value.frontends.length > 0);
  assert.deepEqual(new Set(all.map((one) => one.startupMaxDelayMs)), new Set([7_000]));
});

test('[CF-12] site: backends and groups know the frontends that have them', () => {
  const [acme] = SITE_1.tenants;
  const audience = (name: string) => acme?.groups.find((group) => group.name === name)?.frontends;
  assert.deepEqual(by(SITE_1.backends, 'cache-1').frontends, ['cache', 'bulk']);
  assert.deepEqual(by(SITE_1.backends, 'cache-2').frontends, ['cache']);
  assert.deepEqual(audience('api'), ['cache']);
  assert.deepEqual(audience('db'), []);
});

test('[CF-12] site: members name what they are, with address or most members', () => {
  const cache = by(SITE_1.frontends, 'cache');
  assert.deepEqual(cache.pools, [
    {
      name: 'primary',
      members: [
        { ref: { kind: 'backend', backend: 'cache-1', address: '10.0.0.21' }, weight: 50 },
        { ref: { kind: 'group', group: 'acme/api', maxSize: 4 }, weight: 100 },
      ],
    },
    {
      name: 'fallback',
      members: [
        { ref: { kind: 'backend', backend: 'cache-2', address: '10.0.0.22' }, weight: 100 },
      ],
    },
  ]);
});

test('[CF-12] site: a frontend without a port is for all ports and any protocol', () => {
  const { protocol, port } = by(SITE_1.frontends, 'bulk');
  assert.deepEqual({ protocol, port }, { protocol: 'any', port: 0 });
  assert.equal(by(SITE_1.frontends, 'cache').protocol, 'tcp');
});

test('[CF-12] site: a backend without a health check has nothing to probe', () => {
  assert.equal(by(SITE_1.backends, 'cache-2').probe, undefined);
});

const PROBE_PORTS = [
  { name: 'what the check says', check: 'type: http, port: 8080', ports: [80], port: 8080 },
  { name: 'what its frontend serves', check: 'type: tcp', ports: [443], port: 443 },
  { name: 'what its frontends agree on', check: 'type: tcp', ports: [443, 443], port: 443 },
  { name: 'the port beside all ports', check: 'type: tcp', ports: [0, 443], port: 443 },
  { name: 'the usual port of http', check: 'type: http', ports: [0], port: 80 },
  { name: 'the usual port of https', check: 'type: https', ports: [], port: 443 },
];

for (const { name, check, ports, port } of PROBE_PORTS) {
  test(`[CF-12] probe port of a static backend: ${name}`, () => {
    const frontends = ports.map((served, index) => {
      const pools = 'pools: [{ name: p, members: [{ backend: a }] }]';
      return `  f${index}: { address: 192.0.2.${index + 1}, port: ${served}, ${pools} }`;
    });
    const config = configFrom(
      `healthChecks: { c: { ${check} } }\nbackends: { a: { address: 10.0.0.1, healthCheck: c } }\n` +
        (frontends.length === 0 ? '' : `frontends:\n${frontends.join('\n')}`),
    );
    assert.equal(deriveSite(config, 1).backends[0]?.probe?.port, port);
  });
}

test('[CF-12] site: settings are in milliseconds, seconds and counts', () => {
  const site = deriveSite(
    configFrom(`
dataplane: { syncInterval: 10s, lb: { ip4Source: 10.0.0.9, flowTimeout: 1500ms } }
outbox: { batchSize: 10, retention: 1d, coalesceWindow: 2s }
providers:
  local: { driver: process, createRate: off }
  cloud: { driver: exec, command: [cloud], timeout: 5s, createRate: 1/2s }
log: { level: debug }
`),
    1,
  );
  assert.equal(site.lbsync.syncIntervalMs, 10_000);
  assert.equal(site.lbsync.flowTimeoutS, 2);
  assert.equal(site.lbsync.ip4Source, '10.0.0.9');
  assert.equal(Object.hasOwn(site.lbsync, 'ip6Source'), false);
  assert.deepEqual(site.outbox, {
    batchSize: 10,
    pollIntervalMs: 15_000,
    maxAttempts: 8,
    retentionMs: 86_400_000,
    coalesceWindowMs: 2_000,
  });
  const rest = { maxInstances: 1_000, concurrency: 8 };
  assert.deepEqual(site.providers, [
    { name: 'local', driver: 'process', timeoutMs: 60_000, ...rest },
    {
      name: 'cloud',
      driver: 'exec',
      command: ['cloud'],
      timeoutMs: 5_000,
      pollIntervalMs: 15_000,
      passEnvironment: [],
      createRate: 0.5,
      ...rest,
    },
  ]);
  assert.deepEqual(site.log, { level: 'debug' });
  assert.equal(site.tenancy, undefined);
});

test('[CF-12] templates: drift is a change of what the provider gets, in any order', () => {
  const hash = (spec: string, vars = '{}') => {
    const site = deriveSite(
      configFrom(`
providers: { p: { driver: simulated } }
templates: { t: { provider: p, spec: ${spec}, vars: ${vars} } }
tenants: { a: { groups: { g: { template: t } } } }
`),
      1,
    );
    return site.tenants[0]?.groups[0]?.template.infraHash;
  };
  assert.equal(hash('{ a: 1, b: [2] }'), hash('{ b: [2], a: 1 }'));
  assert.equal(hash('{ a: 1 }'), hash('{ a: 1 }', '{ region: north }'));
  assert.notEqual(hash('{ a: 1 }'), hash('{ a: 2 }'));
});

test('[CF-12] names: what a later generation may have to remove', () => {
  assert.deepEqual(namesOf(configFrom(SITE)), {
    tenants: ['acme'],
    backends: ['cache-1', 'cache-2'],
    frontends: ['cache', 'bulk'],
  });
});

test("[CF-16] project: groups and frontends are the tenant's own", () => {
  const derived = deriveTenant(onProject(), PROJECT);
  assert.ok(derived.ok);
  const { groups, frontends, source, displayName } = derived.value;
  const [web] = groups;
  const [front] = frontends;
  assert.equal(web?.key, `${PROJECT.id}/web`);
  assert.deepEqual(web?.frontends, [`${PROJECT.id}/web`]);
  assert.deepEqual(web?.backend?.check?.fastIntervalMs, 500);
  assert.equal(front?.name, `${PROJECT.id}/web`);
  assert.equal(front?.tenant, PROJECT.id);
  assert.equal(front?.addressFrom, 'public');
  assert.deepEqual(front?.pools[0]?.members[0]?.ref, {
    kind: 'group',
    group: `${PROJECT.id}/web`,
    maxSize: 6,
  });
  assert.deepEqual([source, displayName], ['tenancy', 'shop']);
});

test('[CF-16] project: a plan that crossed a thread or the store derives the same', () => {
  const travelled = JSON.parse(JSON.stringify(onProject())) as JsonObject;
  assert.deepEqual(deriveTenant(travelled, PROJECT), deriveTenant(onProject(), PROJECT));
});

test('[CF-16] org: an empty plan is a tenant with nothing', () => {
  const derived = deriveTenant(SITE_1.tenancy?.onOrg ?? {}, { ...PROJECT, kind: 'org' });
  assert.ok(derived.ok);
  assert.deepEqual([derived.value.groups, derived.value.frontends], [[], []]);
});

const UNUSABLE = [
  {
    name: 'a bad id',
    plan: onProject(),
    id: 'Not a name',
    says: '"Not a name" cannot name a tenant',
  },
  {
    name: 'no plan',
    plan: {},
    id: 'a',
    says: 'the template of this kind of tenant cannot be read',
  },
  {
    name: 'a group that is not there',
    plan: { ...onProject(), groups: [] },
    id: 'a',
    says: 'frontend a/web: no group is named "web"',
  },
];

for (const { name, plan, id, says } of UNUSABLE) {
  test(`[CF-16] project: ${name} parks the tenant with a sentence`, () => {
    const derived = deriveTenant(plan, { ...PROJECT, id });
    assert.deepEqual(derived, { ok: false, failure: says });
  });
}
