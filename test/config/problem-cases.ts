/** One bad file per row; what each earns is in test/golden/config-problems.txt. */

export interface ProblemCase {
  readonly name: string;
  readonly text: string;
}

/** What most rows build on; left out of the transcript. */
export const PARTS = `
providers: { local: { driver: process } }
templates: { web: { provider: local, spec: { command: [node, server.mjs] } } }
healthChecks: { ok: { type: http }, tcp: { type: tcp } }
backends: { a: { address: 10.0.0.1 }, b: { address: 10.0.0.2 }, six: { address: 2001:db8::7 } }
tenants: { acme: { groups: { web: { template: web, size: 2 } } } }
`;

/** A frontend `f` beside the parts above. */
function frontend(fields: string, member = '{ backend: a }'): string {
  const pools = `pools: [{ name: one, members: [${member}] }]`;
  return `frontends: { f: { ${fields}, ${pools} } }${PARTS}`;
}

/** Two frontends on the parts above. */
function frontends(one: string, two: string): string {
  const pools = (backend: string) => `pools: [{ name: one, members: [{ backend: ${backend} }] }]`;
  return `frontends:\n  one: { ${one}, ${pools('a')} }\n  two: { ${two}, ${pools('b')} }${PARTS}`;
}

function group(fields: string): string {
  return `tenants: { acme: { groups: { web: { ${fields} } } } }${PARTS.replace(/\ntenants.*/, '')}`;
}

const project = (fields: string): string =>
  `tenancy:\n  url: http://tm:8080\n  onProject: { ${fields} }\n` +
  `node: { addressPools: { public: 198.51.100.0/24 } }${PARTS}`;

const deep = (levels: number): string => `templates: ${'['.repeat(levels)}${']'.repeat(levels)}`;

const bomb = [
  'a: &a [x, x, x, x, x, x, x, x, x]',
  'b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]',
  'c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]',
  'd: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c]',
].join('\n');

const SYNTAX: readonly ProblemCase[] = [
  { name: 'tab as indentation', text: 'node:\n\tname: edge' },
  { name: 'a key twice', text: 'log: { level: info }\nlog: { level: debug }' },
  { name: 'two documents', text: 'log: { level: info }\n---\nlog: { level: debug }' },
  { name: 'an older YAML', text: '%YAML 1.1\n---\nlog: { level: info }' },
  { name: 'a custom tag', text: 'log: { level: !secret info }' },
  { name: 'a binary tag', text: 'log: { level: !!binary aW5mbw== }' },
  { name: 'an unclosed quote', text: 'log: { level: "info }' },
  { name: 'a colon inside a value', text: 'log: level: info' },
  { name: 'an unclosed bracket', text: 'backends: { a: { address: 10.0.0.1 }' },
  { name: 'nested too deeply in brackets', text: deep(40) },
  { name: 'nested deeply enough to break a parser', text: deep(20_000) },
  { name: 'nested too deeply in lists', text: `templates: ${'- '.repeat(300)}x` },
  { name: 'an alias bomb', text: bomb },
  { name: 'an alias of itself', text: 'templates: &t { a: *t }' },
  { name: 'an alias of nothing', text: 'log: *nothing' },
  { name: 'a merge key', text: 'log: { <<: { level: info } }' },
  { name: 'a key that is a list', text: '? [a, b]\n: c' },
  { name: 'a key that names the prototype', text: 'templates: { __proto__: { provider: p } }' },
  { name: 'a zero byte', text: 'log: { level: in\u0000fo }' },
  { name: 'an escape character', text: 'log:\n  level: "\u001b[31minfo"' },
  { name: 'a byte order mark inside', text: 'log: {}\n\uFEFFnode: {}' },
  { name: 'a list at the top', text: '- log\n- node' },
  { name: 'a word at the top', text: 'hello' },
];

const variable = (name: string): string => `\${${name}}`;

const VARIABLES: readonly ProblemCase[] = [
  {
    name: 'a variable that is not set',
    text: `node:\n  name: ${variable('MISSING')}-${variable('WORD')}-${variable('OTHER')}`,
  },
  { name: 'a variable without a name', text: `node:\n  name: ${variable('')}` },
  { name: 'a variable in a flow mapping', text: `node: { name: ${variable('WORD')} }` },
  { name: 'an empty variable', text: `node:\n  name: ${variable('NOTHING')}` },
  { name: 'a variable of the wrong type', text: `outbox:\n  batchSize: ${variable('WORD')}` },
  { name: 'a quoted variable stays text', text: `outbox: { batchSize: "${variable('NUMBER')}" }` },
];

const SHAPE: readonly ProblemCase[] = [
  { name: 'an unknown key', text: 'tenant: {}' },
  { name: 'unknown keys near known ones', text: 'log: { levle: info }\nhealth-checks: {}\nzzz: 1' },
  { name: 'an empty value', text: 'node:\nlog:\n  level:\n' },
  { name: 'text for a number', text: 'outbox: { batchSize: many }' },
  { name: 'a number for text', text: 'node: { name: 12 }' },
  {
    name: 'a mapping for a list',
    text: frontend('address: 192.0.2.1').replace('[{', '{').replace('}] }', '} }'),
  },
  { name: 'a list for a mapping', text: 'log: [info]' },
  { name: 'what is required', text: 'backends: { a: {} }\ntenancy: {}\nproviders: { p: {} }' },
  { name: 'a bad name', text: 'backends: { Cache_1: { address: 10.0.0.1 } }' },
  {
    name: 'bad durations',
    text: 'retry: { base: 5, max: 1.5s }\nbootTimeout: 9999999d\nresyncInterval: 0s',
  },
  { name: 'bad percentages', text: 'retry: { jitter: 0.25 }\nguards: { shrink: { share: 200% } }' },
  {
    name: 'bad sizes and rates',
    text: 'journal: { maxBytes: 1GB }\nproviders: { p: { driver: process, createRate: 0/s }, q: { driver: process, createRate: fast } }',
  },
  {
    name: 'bad addresses',
    text: 'backends: { a: { address: 10.0.0.01 }, b: { address: 10.1 }, c: { address: "fe80::1%eth0" }, d: { address: example.org } }',
  },
  {
    name: 'addresses nobody has',
    text: 'backends: { a: { address: 0.0.0.0 }, b: { address: "::7" } }',
  },
  {
    name: 'bad prefixes',
    text: 'node: { addressPools: { a: 10.0.0.1/24, b: 10.0.0.0, c: 10.0.0.0/33, d: 10.0.0.0/08 } }',
  },
  {
    name: 'bad listen addresses',
    text: 'admin: { listen: 7080 }\ninspector: { listen: "localhost:99999" }',
  },
  { name: 'bad urls', text: 'tenancy: { url: "ftp://tm" }' },
  { name: 'a password in a url', text: 'tenancy: { url: "http://me:secret@tm:8080" }' },
  {
    name: 'bad status codes',
    text: 'healthChecks: { a: { type: http, status: 900 }, b: { type: http, status: 300-200 } }',
  },
  {
    name: 'unsafe patterns',
    text: 'healthChecks: { a: { type: http, bodyMatches: "(a+)+?" }, b: { type: http, bodyMatches: "(?=x)" }, c: { type: http, bodyMatches: "(a)\\\\1" }, d: { type: http, bodyMatches: "(" } }',
  },
  {
    name: 'weights out of range',
    text: frontend('address: 192.0.2.1', '{ backend: a, weight: 101 }'),
  },
  { name: 'rise and fall of zero', text: 'healthChecks: { a: { type: tcp, rise: 0, fall: 0 } }' },
  {
    name: 'a table that is no power of two',
    text: frontend('address: 192.0.2.1, tableLength: 1000'),
  },
  {
    name: 'sticky buckets that are no power of two',
    text: 'dataplane: { lb: { stickyBucketsPerCore: 1000 } }',
  },
  { name: 'NAT', text: frontend('address: 192.0.2.1, port: 80, encap: nat4') },
];

const OBJECTS: readonly ProblemCase[] = [
  {
    name: 'a provider that does not exist',
    text: `${PARTS.replace('provider: local', 'provider: locla')}`,
  },
  { name: 'a template that does not exist', text: group('template: wbe') },
  {
    name: 'a health check that does not exist',
    text: group('template: web, backend: { probePort: 80, healthCheck: okk }'),
  },
  {
    name: 'a group without a port to probe',
    text: group('template: web, backend: { healthCheck: ok }'),
  },
  { name: 'a size above its maximum', text: group('template: web, size: 5, maxSize: 4') },
  {
    name: 'a tenant named like a project',
    text: 'tenants: { 0123456789abcdef0123456789abcdef: { groups: {} } }',
  },
  {
    name: 'a backend named like an instance',
    text: 'backends: { i-00ff-0123456789ab: { address: 10.0.0.1 } }',
  },
  { name: 'an exec provider without a command', text: 'providers: { cloud: { driver: exec } }' },
  {
    name: 'a process provider with a command',
    text: 'providers: { local: { driver: process, command: [x] } }',
  },
  {
    name: 'a process template without a command',
    text: 'providers: { local: { driver: process } }\ntemplates: { web: { provider: local, spec: { command: node, env: [A] } } }',
  },
  {
    name: 'fields that mean nothing',
    text: 'healthChecks: { a: { type: tcp, bodyMatches: ok }, b: { type: http, serverName: x } }',
  },
  {
    name: 'a backend without a port to probe',
    text: 'healthChecks: { t: { type: tcp } }\nbackends: { a: { address: 10.0.0.1, healthCheck: t } }',
  },
  {
    name: 'a backend with two ports to probe',
    text: `${frontends('address: 192.0.2.1, port: 80', 'address: 192.0.2.1, port: 81').replaceAll('backend: b', 'backend: a').replace('a: { address: 10.0.0.1 }', 'a: { address: 10.0.0.1, healthCheck: ok }')}`,
  },
];

const FRONTENDS: readonly ProblemCase[] = [
  {
    name: 'a backend that does not exist',
    text: frontend('address: 192.0.2.1', '{ backend: aa }'),
  },
  {
    name: 'a group that does not exist',
    text: frontend('address: 192.0.2.1', '{ group: acme/wbe }'),
  },
  {
    name: 'a tenant that does not exist',
    text: frontend('address: 192.0.2.1', '{ group: acne/web }'),
  },
  { name: 'a group without its tenant', text: frontend('address: 192.0.2.1', '{ group: web }') },
  { name: 'an address pool that does not exist', text: frontend('addressFrom: public') },
  { name: 'two addresses', text: frontend('address: 192.0.2.1, addressFrom: public') },
  { name: 'no address', text: frontend('port: 80') },
  {
    name: 'a member that is both',
    text: frontend('address: 192.0.2.1', '{ backend: a, group: acme/web }'),
  },
  { name: 'a protocol for all ports', text: frontend('address: 192.0.2.1, protocol: tcp') },
  {
    name: 'any protocol for one port',
    text: frontend('address: 192.0.2.1, port: 80, protocol: any'),
  },
  { name: 'no pools', text: 'frontends: { f: { address: 192.0.2.1, pools: [] } }' },
  {
    name: 'no members',
    text: 'frontends: { f: { address: 192.0.2.1, pools: [{ name: a, members: [] }] } }',
  },
  {
    name: 'two pools of one name',
    text: frontend(
      'address: 192.0.2.1',
      '{ backend: a }] }, { name: one, members: [{ backend: b }',
    ),
  },
  {
    name: 'a backend in two pools',
    text: frontend(
      'address: 192.0.2.1',
      '{ backend: a }] }, { name: two, members: [{ backend: a }',
    ),
  },
  {
    name: 'an address in two pools',
    text: frontend(
      'address: 192.0.2.1',
      '{ backend: a }] }, { name: two, members: [{ backend: b }',
    ).replace('10.0.0.2', '10.0.0.1'),
  },
  {
    name: 'servers of two families',
    text: frontend('address: 192.0.2.1', '{ backend: a }, { backend: six }'),
  },
  {
    name: 'an encapsulation of the other family',
    text: frontend('address: 192.0.2.1, encap: gre6'),
  },
  { name: 'l3dsr on IPv6', text: frontend('address: "2001:db8::1", encap: l3dsr') },
  { name: 'a dscp without l3dsr', text: frontend('address: 192.0.2.1, dscp: 3') },
  { name: 'a VIP where VPP sees IPv4', text: frontend('address: "::1"') },
  {
    name: 'more servers than buckets',
    text: frontend('address: 192.0.2.1, tableLength: 4', '{ group: acme/web }, { backend: a }'),
  },
  {
    name: 'a fail-back below the switch',
    text: frontend('address: 192.0.2.1, failBack: { at: 10% }'),
  },
  {
    name: 'the same VIP twice',
    text: frontends('address: 192.0.2.1, port: 80', 'address: 192.0.2.1, port: 80, protocol: tcp'),
  },
  {
    name: 'all ports beside one port',
    text: frontends('address: 192.0.2.1', 'address: 192.0.2.1, port: 80'),
  },
  {
    name: 'two encapsulations on one address',
    text: frontends('address: 192.0.2.1, port: 80', 'address: 192.0.2.1, port: 81').replace(
      'backend: b',
      'backend: six',
    ),
  },
  {
    name: 'overlapping address pools',
    text: 'node: { addressPools: { a: 10.0.0.0/8, b: 10.1.0.0/16, c: "::/64" } }',
  },
  {
    name: 'an address inside a pool',
    text: `node: { addressPools: { public: 192.0.2.0/24 } }\n${frontend('address: 192.0.2.1')}`,
  },
];

const BLUEPRINTS: readonly ProblemCase[] = [
  {
    name: 'a fixed address for every project',
    text: project(
      'groups: { web: { template: web } }, frontends: { w: { address: 192.0.2.1, pools: [{ name: a, members: [{ group: web }] }] } }',
    ),
  },
  {
    name: 'a backend in a project',
    text: project(
      'frontends: { w: { addressFrom: public, pools: [{ name: a, members: [{ backend: a }] }] } }',
    ),
  },
  {
    name: "another tenant's group in a project",
    text: project(
      'groups: { web: { template: web } }, frontends: { w: { addressFrom: public, pools: [{ name: a, members: [{ group: acme/web }] }] } }',
    ),
  },
  {
    name: 'a group the project does not have',
    text: project(
      'groups: { web: { template: web } }, frontends: { w: { addressFrom: public, pools: [{ name: a, members: [{ group: wbe }] }] } }',
    ),
  },
  {
    name: 'a template the project does not find',
    text: project('groups: { web: { template: nope } }'),
  },
];

const NODE: readonly ProblemCase[] = [
  { name: 'a socket path that does not fit', text: `node: { dataDir: /${'d'.repeat(120)} }` },
  {
    name: 'bounds out of order',
    text: 'dataplane: { startupMinDelay: 1m }\nretry: { base: 5m }\ntenancy: { url: "http://tm", maxBackoff: 500ms }',
  },
  {
    name: 'budgets that cannot be',
    text:
      [
        'tenants:',
        '  acme:',
        '    groups:',
        '      a: { template: web, budget: { max: 0, windows: [] } }',
        '      b: { template: web, budget: { max: 0%, windows: [{ cron: "61 2 * * *", duration: 2h }] } }',
        '      c: { template: web, budget: { max: many, windows: [{ cron: "0 2 * *", duration: 2h }] } }',
        '      d: { template: web, budget: { windows: [{ cron: "0 0 30 2 *", duration: 2h }] } }',
        '      e: { template: web, budget: { windows: [{ cron: "0 0 * * *", duration: 32d }] } }',
        '      f: { template: web, breaker: { unhealthyAbove: 101% } }',
      ].join('\n') + PARTS.replace(/\ntenants.*/, ''),
  },
  {
    name: 'ages out of order',
    text: group('template: web, expiry: { eligibleAge: 30d, forcedAge: 30d }'),
  },
  { name: 'agents that cannot call', text: group('template: web, health: { source: both }') },
  {
    name: 'GRE on a real VPP without sources',
    text: `dataplane: { driver: vpp }\n${frontend('address: 192.0.2.1')}`,
  },
  {
    name: 'steps of slow start that no weight is',
    text: frontend(
      'address: 192.0.2.1, slowStart: { steps: [10, 50], every: 10s }',
      '{ backend: a, weight: 5 }',
    ),
  },
  {
    name: 'steps of slow start too fine for the table',
    text: frontend(
      'address: 192.0.2.1, tableLength: 32, slowStart: { steps: [1, 50], every: 10s }',
    ),
  },
];

const MANY: ProblemCase = {
  name: 'problems of every kind at once',
  text: `
log: { level: loud }
healthChecks:
  ok: { type: http, intervall: 5s }
backends:
  a: { address: 10.0.0.1, healthCheck: okk }
frontends:
  one: { address: 192.0.2.1, port: 80, protocol: any, pools: [{ name: p, members: [{ backend: aa, weight: 200 }] }] }
dataplane: { startupMaxDelay: 1s }
outbox:
  batchSize: \${MISSING}
`,
};

export const PROBLEM_CASES: readonly ProblemCase[] = [
  ...SYNTAX,
  ...VARIABLES,
  ...SHAPE,
  ...OBJECTS,
  ...FRONTENDS,
  ...BLUEPRINTS,
  ...NODE,
  MANY,
];
