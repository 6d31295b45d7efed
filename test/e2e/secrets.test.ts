/**
 * The secrets of a configuration, looked for in everything a running node says and writes: its log, its
 * files, its feed, its answers. The tenant manager knows them, and quotes them in its refusals.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Daemon, makeSite, runCli, type Site, until } from '../support/daemon.js';
import { type DatagramReceiver, receiveDatagrams } from '../support/datagram-receiver.js';
import { adminOf, conditions, settled, siteText } from '../support/site.js';

const SECRETS = ['canary-token-1', 'canary-token-2', 'canary-bearer-1', 'canary-bearer-2'];
const COMMANDS = [
  ['status'],
  ['reload', 'status'],
  ['reload', 'history'],
  ['reload', '--dry-run'],
  ['plan'],
  ['get', 'actors'],
  ['get', 'conditions'],
  ['outbox', 'list'],
  ['show', 'actor/reload/main'],
  ['show', 'actor/tenancy/main'],
  ['why', 'reload/main'],
  ['why', 'tenancy/main'],
] as const;
const PAGES = [
  '/metrics',
  '/api/v1/status',
  '/api/v1/actors',
  '/api/v1/reload',
  '/api/v1/conditions',
] as const;

function tenancyWith(url: string, turn: number): string {
  return `
tenancy:
  url: ${url}
  initialBackoff: 100ms
  maxBackoff: 200ms
  auth: { token: canary-token-${turn}, bearer: "\${CANARY_BEARER}-${turn}" }
`;
}

describe('secrets', () => {
  let server: Server;
  let site: Site;
  let daemon: Daemon;
  const heard = new Set<string>();
  let url = '';
  let receiver: DatagramReceiver;

  before(async () => {
    server = createServer(({ headers }, response) => {
      const token = String(headers['x-internal-token']);
      const bearer = String(headers.authorization).replace('Bearer ', '');
      for (const secret of [token, bearer]) heard.add(secret);
      response.statusCode = 403;
      response.end(`neither ${token} nor ${bearer} may ask`);
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    site = makeSite(siteText() + tenancyWith(url, 1));
    const path = join(site.dir, 'notify');
    receiver = receiveDatagrams(path);
    const env = { CANARY_BEARER: 'canary-bearer', NOTIFY_SOCKET: path };
    daemon = await site.start({ env, args: ['--log-level', 'debug'] });
    await settled(daemon, 1);
  });
  after(async () => {
    await site.close();
    server.closeAllConnections();
    server.close();
    receiver.close();
  });

  test('[EE-68] a running node says none of its secrets, in any of its outputs', async () => {
    await until('the first secrets', async () => heard.has(SECRETS[0] ?? ''));
    site.write(siteText() + tenancyWith(url, 2));
    await daemon.cli('reload', '--dry-run');
    await daemon.cli('reload');
    await until('all secrets', async () => SECRETS.every((secret) => heard.has(secret)));
    await until('a refusal is told', async () =>
      JSON.stringify(await conditions(daemon)).includes('403'),
    );
    daemon.process.kill('SIGHUP');
    await until('the signal is a reload', async () =>
      daemon.log.some(({ msg, trigger }) => msg === 'reload' && trigger === 'signal'),
    );
    const said = new Map([...(await outputs(daemon, site)), ...(await ofFiles(daemon, site, url))]);
    said.set('service manager', receiver.take().join('\n'));
    for (const [where, text] of said) {
      for (const secret of SECRETS) assert.ok(!text.includes(secret), `${secret} in ${where}`);
    }
    // What was looked through is what there is to look through.
    assert.match(said.get('reload history --json') ?? '', /tenancy\.auth\.token/);
    assert.match(said.get('plan cut.yaml') ?? '', /cut.yaml:\d+:\d+: an alias/);
    assert.match(said.get('check cut.yaml') ?? '', /tenancy\.auth\.token/);
    assert.match(said.get('plan next.yaml') ?? '', /tenancy\.auth\.bearer/);
    assert.match(said.get('service manager') ?? '', /RELOADING=1(.|\n)*last reload: unchanged/);
    assert.ok(
      [...said].some(([where, text]) => /\.db/.test(where) && text.includes('tenancy/main')),
    );
  });

  test('[EE-69] what the node keeps is for its user, or its group, alone', () => {
    for (const [path, mode] of filesOf(site.dataDir)) {
      assert.equal(mode & 0o007, 0, `${path} has mode ${mode.toString(8)}`);
    }
  });
});

/** What is said of files that are only looked at: another one, and one whose secrets came out wrong. */
async function ofFiles(
  daemon: Daemon,
  site: Site,
  url: string,
): Promise<readonly (readonly [string, string])[]> {
  const next = siteText() + tenancyWith(url, 1);
  const texts = { next, cut: next.replace('token: canary', 'token: *canary') };
  const said: (readonly [string, string])[] = [];
  for (const [name, text] of Object.entries(texts)) {
    const file = join(site.dir, `${name}.yaml`);
    writeFileSync(file, text);
    const planned = await daemon.cli('plan', file);
    const checked = await runCli(['check', file], { CANARY_BEARER: 'canary-bearer' });
    said.push([`plan ${name}.yaml`, planned.stdout + planned.stderr]);
    said.push([`check ${name}.yaml`, checked.stdout + checked.stderr]);
  }
  return said;
}

/** Everything, by where it was said. */
async function outputs(daemon: Daemon, site: Site): Promise<ReadonlyMap<string, string>> {
  const said = new Map<string, string>();
  for (const command of COMMANDS) {
    for (const format of [[], ['--json']]) {
      const { stdout, stderr } = await daemon.cli(...command, ...format);
      said.set([...command, ...format].join(' '), stdout + stderr);
    }
  }
  for (const page of PAGES) said.set(page, await (await fetch(adminOf(daemon) + page)).text());
  for (const [path] of filesOf(site.dataDir)) {
    if (statSync(join(site.dir, path)).isFile()) {
      said.set(path, readFileSync(join(site.dir, path), 'latin1'));
    }
  }
  said.set('log', JSON.stringify(daemon.log));
  return said;
}

/** Everything below a folder, from its parent on, and its mode. */
function filesOf(dir: string): readonly (readonly [string, number])[] {
  const below = readdirSync(dir, { recursive: true, encoding: 'utf8' });
  return ['', ...below].map(
    (path) => [join('data', path), statSync(join(dir, path)).mode] as const,
  );
}
