/** Loading: defaults, variables, encodings, positions; the same meaning gives the same digest. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configLimits } from '../../src/config/limits.js';
import { loadConfigBytes } from '../../src/config/load.js';
import { arrangeProblems, printProblem } from '../../src/config/problem.js';
import { configFrom, loadedFrom, problemsOf, SITE, saysOf } from '../support/config.js';

const variable = (name: string): string => `\${${name}}`;

test('[CF-6] defaults: an empty file configures a whole node', () => {
  const config = configFrom('# nothing yet\n');
  assert.deepEqual(config.node, {
    name: 'edge-9',
    dataDir: '/site/data',
    workers: 'auto',
    addressPools: {},
  });
  assert.equal(config.dataplane.apiSocket, '/site/data/vpp.sock');
  assert.equal(config.outbox.sink.dir, '/site/data/feed');
  assert.equal(config.api.agentCa.dir, '/site/data/ca');
  assert.equal(config.admin.listen, '127.0.0.1:7080');
  assert.equal(config.tenancy, undefined);
  assert.deepEqual(config.retry, { base: 5_000, max: 120_000, attempts: 8, jitter: 0.25 });
});

test('[CF-6] defaults: what depends on other keys follows them', () => {
  const config = configFrom(`
node: { dataDir: /var/lib/switchyard }
dataplane: { driver: vpp }
healthChecks: { a: { type: tcp, interval: 3s }, b: { type: tcp, fastInterval: 1s } }
providers: { local: { driver: process }, cloud: { driver: exec, command: [./cloud.sh, -v] } }
templates: { web: { provider: local, spec: { command: [node] } } }
tenants: { t: { groups: { a: { template: web, size: 4 }, b: { template: web, size: 0 } } } }
`);
  const { a, b } = config.healthChecks;
  assert.deepEqual([a?.fastInterval, a?.downInterval], [3_000, 3_000]);
  assert.deepEqual([b?.fastInterval, b?.downInterval], [1_000, 2_000]);
  assert.equal(config.tenants['t']?.groups['a']?.maxSize, 8);
  assert.equal(config.tenants['t']?.groups['b']?.maxSize, 1);
  assert.equal(config.dataplane.apiSocket, '/run/vpp/api.sock');
  assert.deepEqual(config.providers['cloud']?.command, ['/site/cloud.sh', '-v']);
});

test('[CF-6] defaults: switching back follows the switch when it is not given', () => {
  const pools = 'pools: [{ name: p, members: [{ backend: a }] }]';
  const config = configFrom(`
backends: { a: { address: 10.0.0.1 } }
frontends:
  usual: { address: 192.0.2.1, ${pools} }
  picky: { address: 192.0.2.2, activeWhile: 80%, ${pools} }
`);
  assert.equal(config.frontends['usual']?.failBack.at, 0.5);
  assert.equal(config.frontends['picky']?.failBack.at, 0.8);
});

test('[CF-6] data directory: a flag wins over the file', () => {
  const bytes = Buffer.from('node: { dataDir: ./here }');
  const loaded = loadConfigBytes({ bytes, file: '/site/s.yaml', env: {}, dataDir: '/flag' });
  assert.ok(loaded.ok);
  assert.equal(loaded.value.config.node.dataDir, '/flag');
  assert.equal(loaded.value.config.outbox.sink.dir, '/flag/feed');
});

const VARIABLES = [
  { name: 'a number', text: 'outbox:\n  batchSize: $N', pick: 'batchSize', value: 80 },
  {
    name: 'inside text',
    text: 'outbox:\n  sink: { dir: "/feed/$N" }',
    pick: 'dir',
    value: '/feed/80',
  },
  {
    name: 'escaped',
    text: 'outbox:\n  sink: { dir: "/feed/$$N" }',
    pick: 'dir',
    value: `/feed/${variable('N')}`,
  },
  {
    name: 'not twice',
    text: 'outbox:\n  sink: { dir: "/$LOOP" }',
    pick: 'dir',
    value: `/${variable('N')}`,
  },
] as const;

for (const { name, text, pick, value } of VARIABLES) {
  test(`[CF-4] variables: ${name}`, () => {
    const written = text.replace(/(\$?)\$([A-Z]+)/, (_, dollar: string, word: string) => {
      return `${dollar}${variable(word)}`;
    });
    const { outbox } = configFrom(written, { N: '80', LOOP: variable('N') });
    assert.equal({ batchSize: outbox.batchSize, dir: outbox.sink.dir }[pick], value);
  });
}

test('[CF-4] variables: a variable cannot bring structure into the file', () => {
  const text = `node:\n  name: ${variable('EVIL')}`;
  assert.deepEqual(saysOf(text, { EVIL: 'a\nlog: { level: debug }' }), [
    '2:9: node.name: expected a name of 1 to 63 lower-case letters, digits and inner hyphens',
  ]);
});

test('[CF-4] variables: names of the prototype are not set', () => {
  assert.match(saysOf(`node:\n  name: ${variable('constructor')}`)[0] ?? '', /is not set/);
});

const ENCODINGS = [
  { name: 'a leading byte order mark is fine', bytes: [0xef, 0xbb, 0xbf, 0x7b, 0x7d], says: '' },
  {
    name: 'UTF-16 is named',
    bytes: [0xff, 0xfe, 0x7b, 0x00],
    says: '1:1: the file is UTF-16; save it as UTF-8',
  },
  {
    name: 'a wrong byte is found',
    bytes: [0x23, 0x0a, 0x23, 0xc3, 0xbc, 0x20, 0xff],
    says: '2:4: byte 0xff is not UTF-8; save the file as UTF-8',
  },
  {
    name: 'a cut character is found',
    bytes: [0x23, 0x20, 0xe2, 0x82],
    says: '1:3: byte 0x82 is not UTF-8; save the file as UTF-8',
  },
];

for (const { name, bytes, says } of ENCODINGS) {
  test(`[CF-3] encoding: ${name}`, () => {
    const source = { bytes: Uint8Array.from(bytes), file: 'f', env: {} };
    const loaded = loadConfigBytes(source);
    const said = loaded.ok ? '' : loaded.failure.map(printProblem).join('\n');
    assert.equal(said, says === '' ? '' : `f:${says}`);
  });
}

test('[CF-3] encoding: characters are decoded across the boundary of a chunk', () => {
  const text = `# ${'x'.repeat(65_533)}ü\nlog: { level: debug }`;
  const loaded = loadConfigBytes({ bytes: Buffer.from(text), file: 'f', env: {} });
  assert.equal(loaded.ok && loaded.value.config.log.level, 'debug');
});

test('[CF-3] size: more than 64 MiB is refused before it is parsed', () => {
  const bytes = Buffer.alloc(configLimits.textBytesMax + 1, 0x20);
  const loaded = loadConfigBytes({ bytes, file: 'f', env: {} });
  assert.deepEqual(loaded.ok ? [] : loaded.failure.map(printProblem), [
    'f:1:1: the file has 65 MiB; at most 64 MiB are read',
  ]);
});

test('[CF-3] aliases: a hundred uses are fine', () => {
  const uses = Array.from({ length: 100 }, () => '*x').join(', ');
  const config = configFrom(`inspector: { filter: { kinds: [&x tenant, ${uses}] } }`);
  assert.equal(config.inspector.filter.kinds.length, 101);
});

test('[CF-1] positions: a missing key points to its parent, a bad value to itself', () => {
  const says = saysOf('backends:\n  a:\n    enabled: 7\n');
  assert.deepEqual(says, [
    '3:5: backends.a.address: this key is required; expected an IPv4 or IPv6 address',
    '3:14: backends.a.enabled: expected true or false',
  ]);
});

test('[CF-1] positions: a value behind an alias is shown where it is written', () => {
  const says = saysOf('backends:\n  a: &b { address: 10.0.0.1, enabled: 7 }\n  c: *b\n');
  assert.deepEqual(says, [
    '2:39: backends.a.enabled: expected true or false',
    '2:39: backends.c.enabled: expected true or false',
  ]);
});

test('[CF-1] problems: the list is bounded and says what is missing', () => {
  const many = Array.from({ length: 1_200 }, (_, index) => `  b${index}: { adress: 10.0.0.1 }`);
  const problems = problemsOf(`backends:\n${many.join('\n')}`);
  assert.equal(problems.length, configLimits.problemsMax + 1);
  assert.equal(problems.at(-1)?.message, '1400 more problems are not shown');
});

test('[CF-1] problems: in the order of the file, each once', () => {
  const problem = { file: 'f', line: 2, column: 1, path: '', message: 'm', code: 'parse' } as const;
  const earlier = { ...problem, line: 1 };
  assert.deepEqual(arrangeProblems([problem, earlier, problem]), [earlier, problem]);
});

test('[CF-12] digest: order, comments and spelling do not matter; meaning does', () => {
  const one = loadedFrom('log: { level: info }\nretry: { base: 60s }');
  const two = loadedFrom('# the same\nretry:\n  base: 1m # a minute\n');
  const three = loadedFrom('retry: { base: 61s }');
  assert.equal(one.hash, two.hash);
  assert.notEqual(one.hash, three.hash);
});

test('[CF-12] configuration: it is frozen all the way down', () => {
  const config = configFrom(SITE);
  const frozen = (value: unknown): boolean =>
    typeof value !== 'object' ||
    value === null ||
    (Object.isFrozen(value) && Object.values(value).every(frozen));
  assert.ok(frozen(config));
});

test('[CF-11] secrets: none is in the configuration, all are beside it', () => {
  const text = 'tenancy: { url: "http://tm", auth: { token: open-sesame, bearer: swordfish } }';
  const { config, secrets } = loadedFrom(text);
  assert.deepEqual(secrets, {
    'tenancy.auth.token': 'open-sesame',
    'tenancy.auth.bearer': 'swordfish',
  });
  assert.doesNotMatch(JSON.stringify(config), /sesame|swordfish/);
  assert.match(config.tenancy?.auth.token ?? '', /^secret:[0-9a-f]{12}$/);
});

test('[CF-11] secrets: another secret is another configuration', () => {
  const hash = (token: string) =>
    loadedFrom(`tenancy: { url: "http://tm", auth: { token: ${token} } }`).hash;
  assert.notEqual(hash('one'), hash('two'));
  assert.equal(hash('one'), hash('one'));
});

test('[CF-17] secrets: one that no header can carry is a problem that does not quote it', () => {
  const withAuth = (auth: string): string =>
    `tenancy: { url: "http://127.0.0.1:1", auth: { ${auth} } }`;
  const unsendable = [
    '"canary\\nx"',
    '"canary\\0"',
    '"canary€"',
    '" canary"',
    '[canary]',
    '{ canary: x }',
  ];
  for (const key of ['token', 'bearer']) {
    for (const value of unsendable) {
      const problems = problemsOf(withAuth(`${key}: ${value}`));
      assert.deepEqual(
        problems.map(({ path }) => path),
        [`tenancy.auth.${key}`],
        value,
      );
      assert.doesNotMatch(JSON.stringify(problems), /canary/, value);
    }
    assert.ok(configFrom(withAuth(`${key}: "sesame+/=~ open"`)));
  }
  for (const header of ['"X Token"', '"X-Token:"', '"X\\r\\nHost"', '""']) {
    assert.deepEqual(
      problemsOf(withAuth(`tokenHeader: ${header}`)).map(({ path }) => path),
      ['tenancy.auth.tokenHeader'],
      header,
    );
  }
});
