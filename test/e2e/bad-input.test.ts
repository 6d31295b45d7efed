/**
 * Bad input against the real daemon: each problem gets one sentence with its place and remedy and its
 * exit code or condition, and nothing that was there before is lost.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Daemon, makeSite, type Ran, runCli, type Site, until } from '../support/daemon.js';
import { adminOf, conditions, type Edits, serving, settled, siteText } from '../support/site.js';

/** A daemon that must refuse to start: its exit code and what it wrote to stderr. */
async function refused(config: string, dataDir: string): Promise<Ran> {
  return runCli(['run', '--config', config, '--data-dir', dataDir]);
}

function assertOneSentence({ stderr }: Ran, pattern: RegExp): void {
  const lines = stderr.split('\n').filter((line) => line !== '');
  assert.equal(lines.length, 1, stderr);
  assert.match(lines[0] ?? '', pattern);
}

interface BadFile {
  readonly what: string;
  readonly edits: Edits;
  readonly code: 1 | 2;
  /** `line:column: sentence` after the name of the file. */
  readonly says: RegExp;
}

const BAD_FILES: readonly BadFile[] = [
  {
    what: 'YAML that ends too early',
    edits: [['size: 1', 'size: [1']],
    code: 1,
    says: /:13:9: not valid YAML: /,
  },
  {
    what: 'a variable where YAML takes it apart',
    edits: [['name: e2e', `name: \${NODE_NAME}`]],
    code: 1,
    says: /:2:16: inside \{ \} or \[ \] a variable must be quoted/,
  },
  {
    what: 'a variable that is not set',
    edits: [['name: e2e', `name: "\${SWITCHYARD_TEST_UNSET}"`]],
    code: 1,
    says: /:2:15: node\.name: .*SWITCHYARD_TEST_UNSET/,
  },
  {
    what: 'a key nobody knows',
    edits: [['size: 1', 'sizes: 1']],
    code: 1,
    says: /:12:9: tenants\.acme\.groups\.web\.sizes: unknown key; did you mean "size"\?/,
  },
  {
    what: 'a value of the wrong type',
    edits: [['size: 1', 'size: many']],
    code: 1,
    says: /:12:15: tenants\.acme\.groups\.web\.size: expected a whole number/,
  },
  {
    what: 'a value that cannot be: an address',
    edits: [['192.0.2.10', '192.0.2.300']],
    code: 2,
    says: /:17:14: frontends\.shop\.address: "192\.0\.2\.300" is not an IPv4 or IPv6 address/,
  },
  {
    what: 'a value that cannot be: a duration',
    edits: [['timeout: 250ms', 'timeout: 0s']],
    code: 2,
    says: /:6:\d+: healthChecks\.ok\.timeout: must be longer than zero/,
  },
  {
    what: 'a health check that is not there',
    edits: [['healthCheck: ok', 'healthCheck: nope']],
    code: 2,
    says: /:13:50: .*: no health check is named "nope"/,
  },
  {
    what: 'a group that is not there',
    edits: [['group: acme/web', 'group: acme/db']],
    code: 2,
    says: /:19:49: .*: no group of tenant acme is named "db"/,
  },
];

describe('input that keeps the daemon from starting', () => {
  let site: Site;
  let daemon: Daemon;
  let ids: readonly unknown[];

  const idsOf = async (): Promise<readonly unknown[]> =>
    (await serving(daemon)).map(({ id }) => id).sort();

  /** Stops the daemon for `work` and proves that everything is as before when it is back. */
  async function whileStopped(work: () => Promise<void>): Promise<void> {
    assert.equal(await daemon.stop(), 0);
    await work();
    daemon = await site.start();
    await settled(daemon, 1);
    assert.deepEqual(await idsOf(), ids);
  }

  before(async () => {
    site = makeSite(siteText());
    daemon = await site.start();
    await settled(daemon, 1);
    ids = await idsOf();
  });
  after(() => site.close());

  test('[EE-20] a bad file: its place, one sentence, its exit code, and the state stays', async () => {
    await whileStopped(async () => {
      const runs = BAD_FILES.map(async ({ code, edits, says, what }, index) => {
        const file = join(site.dir, `bad-${index}.yaml`);
        writeFileSync(file, siteText(edits));
        const ran = await refused(file, site.dataDir);
        assert.equal(ran.code, code, `${what}: ${ran.stderr}`);
        assertOneSentence(ran, says);
        assert.ok(ran.stderr.startsWith(`${file}:`), what);
      });
      await Promise.all(runs);
    });
  });

  test('[EE-20] two problems: two sentences, in the order of the file', async () => {
    const file = join(site.dir, 'two.yaml');
    writeFileSync(
      file,
      siteText([
        ['250ms', '0s'],
        ['size: 1', 'size: many'],
      ]),
    );
    const { code, stderr } = await refused(file, join(site.dir, 'unused'));
    assert.equal(code, 1);
    assert.match(stderr, /^.*:6:\d+: .*\n.*:12:15: .*\n$/);
  });

  test('[EE-20] a file that is not there is named', async () => {
    const file = join(site.dir, 'absent.yaml');
    const ran = await refused(file, join(site.dir, 'unused'));
    assert.equal(ran.code, 1);
    assertOneSentence(ran, /absent\.yaml:1:1: cannot be read: /);
  });

  test('[EE-21] without any configuration the sentence points to an example', async () => {
    const ran = await runCli(['run'], { SWITCHYARD_CONFIG: '' }, site.dir);
    assert.equal(ran.code, 1);
    assertOneSentence(ran, /no configuration: give one with --config FILE \(examples\//);
  });

  test('[EE-22] a second daemon on the same directory is told who holds it', async () => {
    const ran = await refused(site.config, site.dataDir);
    assert.equal(ran.code, 3, ran.stderr);
    assertOneSentence(ran, new RegExp(`held by process ${daemon.process.pid}: stop that daemon`));
    await settled(daemon, 1);
  });

  test('[EE-23] a port in use is named with its key', async () => {
    const port = createServer();
    await new Promise<void>((resolve) => void port.listen(0, '127.0.0.1', resolve));
    const address = port.address();
    assert.ok(address !== null && typeof address === 'object');
    try {
      await whileStopped(async () => {
        site.write(siteText([['127.0.0.1:0', `127.0.0.1:${address.port}`]]));
        const ran = await refused(site.config, site.dataDir);
        assert.equal(ran.code, 3);
        assertOneSentence(
          ran,
          new RegExp(`127.0.0.1:${address.port} \\(admin.listen\\) is in use`),
        );
        site.write(siteText());
      });
    } finally {
      port.close();
    }
  });

  for (const [what, place] of [
    ['below a file', 'site.yaml/data'],
    ['where nobody can make one', '/proc/switchyard/data'],
  ] as const) {
    test(`[EE-24] a data directory ${what}: one sentence that names the key`, async () => {
      const dataDir = place.startsWith('/') ? place : join(site.dir, place);
      const ran = await refused(site.config, dataDir);
      assert.equal(ran.code, 3);
      assertOneSentence(ran, /the data directory .* cannot be written .*: set node\.dataDir/);
    });
  }

  test('[EE-25] a damaged database is left byte for byte, and named', async () => {
    const dataDir = join(site.dir, 'damaged');
    mkdirSync(dataDir);
    const file = join(dataDir, 'switchyard.db');
    const garbage = `${'no database at all. '.repeat(400)}\n`;
    writeFileSync(file, garbage);
    const ran = await refused(site.config, dataDir);
    assert.equal(ran.code, 3);
    assertOneSentence(ran, /damaged\/switchyard\.db is damaged .*: restore it from a backup/);
    assert.equal(readFileSync(file, 'utf8'), garbage);
  });

  test('[EE-25] one damaged page of our own database: refused, untouched, restorable', async () => {
    await whileStopped(async () => {
      const file = join(site.dataDir, 'switchyard.db');
      const whole = readFileSync(file);
      const bent = Buffer.from(whole).fill(0xaa, 4_096, 8_192);
      writeFileSync(file, bent);
      const ran = await refused(site.config, site.dataDir);
      assert.equal(ran.code, 3, ran.stdout);
      assertOneSentence(ran, /switchyard\.db is damaged/);
      assert.ok(readFileSync(file).equals(bent), 'the damaged file was written to');
      writeFileSync(file, whole);
    });
  });
});

describe('input that is a condition, not a reason to stay away', () => {
  test('[EE-26] an absent VPP socket: not ready, the reason named, instances run', async () => {
    const socket = '/run/switchyard-test-absent/api.sock';
    const site = makeSite(
      siteText([
        [
          'dataplane: {',
          `dataplane: { driver: vpp, apiSocket: ${socket}, lb: { ip4Source: 192.0.2.1 },`,
        ],
      ]),
    );
    try {
      const daemon = await site.start();
      await until('it serves', async () => (await serving(daemon)).length === 1);
      const ready = await fetch(`${adminOf(daemon)}/readyz`);
      assert.equal(ready.status, 503);
      assert.match(await ready.text(), /dataplane: .*no such socket/);
      assert.equal((await fetch(`${adminOf(daemon)}/healthz`)).status, 200);
      const [condition] = (await conditions(daemon)).filter(
        ({ object }) => object === 'lbsync/main',
      );
      assert.equal(condition?.['type'], 'dataplane-disconnected');
      assert.match(String(condition?.['message']), /no such socket; is VPP running/);
      assert.equal((await daemon.cli('status')).code, 1);
    } finally {
      await site.close();
    }
  });

  test('[EE-27] a command that is not there: a condition names it, a reload heals it', async () => {
    const site = makeSite(siteText([['[node, SERVER]', '[no-such-program, SERVER]']]));
    try {
      const daemon = await site.start();
      await until('the group says so', async () =>
        (await conditions(daemon)).some(({ message }) => /no-such-program/.test(String(message))),
      );
      const [condition] = (await conditions(daemon)).filter(
        ({ object }) => object === 'group/acme/web',
      );
      assert.match(String(condition?.['message']), /no program "no-such-program".*spec\.command/);
      assert.ok(String(condition?.['next']).length > 0);
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      const tried = (await daemon.json<readonly unknown[]>('outbox', 'list', '--limit', '1000'))
        .length;
      assert.ok(tried < 60, `${tried} rows: it creates as fast as it can`);
      assert.equal((await fetch(`${adminOf(daemon)}/readyz`)).status, 200);
      site.write(siteText());
      assert.equal((await daemon.cli('reload')).code, 0);
      await settled(daemon, 1);
      await until('the condition is gone', async () => (await conditions(daemon)).length === 0);
    } finally {
      await site.close();
    }
  });
});
