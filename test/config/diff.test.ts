/** Differences between configurations: paths, words, and how each takes effect. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../machines/model/json.js';
import { type Change, diffConfig, fieldsThat, pathsThat } from '../../src/config/diff.js';
import { configFrom, SITE } from '../support/config.js';

function diff(change: (text: string) => string): readonly Change[] {
  return diffConfig(configFrom(SITE), configFrom(change(SITE)));
}

const say = ({ path, from, to, apply, follows }: Change): string => {
  const why = follows === undefined ? '' : `, follows ${follows}`;
  return `${path}: ${JSON.stringify(from)} -> ${JSON.stringify(to)} (${apply}${why})`;
};

const CASES: readonly { name: string; from: string; to: string; says: readonly string[] }[] = [
  {
    name: 'a duration',
    from: 'interval: 2s',
    to: 'interval: 1m',
    says: [
      'healthChecks.http-ok.interval: "2s" -> "1m" (reload)',
      'healthChecks.http-ok.downInterval: "2s" -> "1m" (reload, follows healthChecks.http-ok.interval)',
    ],
  },
  {
    name: 'a default and the key it follows, but for one that was written',
    from: 'interval: 2s',
    to: 'interval: 1m, downInterval: 2m',
    says: [
      'healthChecks.http-ok.interval: "2s" -> "1m" (reload)',
      'healthChecks.http-ok.downInterval: "2s" -> "2m" (reload)',
    ],
  },
  {
    name: 'the size of a group',
    from: 'api: { template: web, size: 2 }',
    to: 'api: { template: web, size: 4 }',
    says: [
      'tenants.acme.groups.api.size: 2 -> 4 (reload)',
      'tenants.acme.groups.api.maxSize: 4 -> 8 (reload, follows tenants.acme.groups.api.size)',
    ],
  },
  {
    name: 'a weight in a list',
    from: 'weight: 50',
    to: 'weight: 60',
    says: ['frontends.cache.pools[0].members[0].weight: 50 -> 60 (reload)'],
  },
  {
    name: 'a field that needs a restart',
    from: 'name: edge-1,',
    to: 'name: edge-2,',
    says: ['node.name: "edge-1" -> "edge-2" (restart)'],
  },
  {
    name: 'a disruptive field',
    from: 'port: 443',
    to: 'port: 443\n    srcIpSticky: true',
    says: ['frontends.cache.srcIpSticky: false -> true (disruptive)'],
  },
  {
    name: "a disruptive field of every project's frontend",
    from: 'port: 80,',
    to: 'port: 80, tableLength: 2048,',
    says: ['tenancy.onProject.frontends.web.tableLength: "auto" -> 2048 (disruptive)'],
  },
  {
    name: 'a disruptive field that was left alone',
    from: 'providers:',
    to: 'dataplane: { lb: { stickyBucketsPerCore: 2048 } }\nproviders:',
    says: ['dataplane.lb.stickyBucketsPerCore: null -> 2048 (disruptive)'],
  },
  {
    name: 'a secret',
    from: 'sesame',
    to: 'swordfish',
    says: ['tenancy.auth.token: "***" -> "***" (reload)'],
  },
  {
    name: 'a new backend',
    from: 'backends:',
    to: 'backends:\n  cache-3: { address: 10.0.0.23 }',
    says: ['backends.cache-3: null -> {"address":"10.0.0.23","enabled":true} (reload)'],
  },
  {
    name: 'an address pool',
    from: '198.51.100.0/24',
    to: '203.0.113.0/24',
    says: ['node.addressPools.public: "198.51.100.0/24" -> "203.0.113.0/24" (reload)'],
  },
];

for (const { name, from, to, says } of CASES) {
  test(`[CF-13] diff: ${name}`, () => {
    assert.deepEqual(diff((text) => text.replace(from, to)).map(say), says);
  });
}

test('[CF-13] diff: adding or removing a whole frontend is not disruptive', () => {
  const changes = diff((text) => text.replace(/\n {2}bulk:.*/, ''));
  assert.deepEqual(
    changes.map(({ path, to, apply }) => ({ path, to, apply })),
    [{ path: 'frontends.bulk', to: null, apply: 'reload' }],
  );
});

test('[CF-13] diff: what a template contains is shown as a digest', () => {
  const [change] = diff((text) => text.replace('server.mjs', 'other.mjs'));
  assert.equal(change?.path, 'templates.web.spec');
  assert.match(String(change?.to), /^sha256:[0-9a-f]{12}$/);
  assert.notEqual(change?.from, change?.to);
});

test('[CF-13] diff: a section that appears names each field that needs a restart', () => {
  const changes = diffConfig(configFrom(''), configFrom('tenancy: { url: "http://tm" }'));
  assert.deepEqual(pathsThat(changes, 'restart'), ['tenancy.url', 'tenancy.controller']);
});

test('[CF-13] [RE-7] diff: what follows a key that waits for a restart is not waited for by itself', () => {
  const changes = diffConfig(configFrom(''), configFrom('node: { dataDir: /srv/switchyard }'));
  const follow = changes.filter(({ follows }) => follows === 'node.dataDir');
  assert.deepEqual(follow.map(({ path }) => path).toSorted(), [
    'api.agentCa.dir',
    'dataplane.apiSocket',
    'outbox.sink.dir',
  ]);
});

test('[CF-13] diff: equal configurations do not differ', () => {
  assert.deepEqual(
    diff((text) => `# a comment\n${text}`),
    [],
  );
});

test('[CF-10] [RE-7] diff: of what a reload applies nothing is among what waits for a restart', () => {
  const waiting = fieldsThat(configFrom(SITE), 'restart');
  const parts = ['frontends', 'tenants', 'templates', 'healthChecks', 'backends', 'providers'];
  assert.deepEqual(
    parts.filter((part) => Object.hasOwn(waiting, part)),
    [],
  );
  assert.equal((waiting['tenancy'] as JsonObject)['onProject'], undefined);
  assert.equal((waiting['node'] as JsonObject)['name'], 'edge-1');
});

test('[RE-7] diff: lists of what is read at the start are compared as they are', () => {
  const nats = (servers: string) =>
    configFrom(`outbox: { sink: { driver: nats, servers: ${servers} } }`);
  const [one, two] = ['["nats://a:1"]', '["nats://a:1", "nats://b:1"]'].map((servers) =>
    fieldsThat(nats(servers), 'restart'),
  );
  const changes = diffConfig(one as never, two as never);
  assert.deepEqual(
    changes.map(({ path }) => path),
    ['outbox.sink.servers'],
  );
});
