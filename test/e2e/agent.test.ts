/**
 * The reference agent in an instance of a real daemon: registers with the token it was born with, reports,
 * hears of its drain, carries it out, acknowledges it; and a thief of its token gets nothing.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CLI, type Daemon, makeSite, runCli, tail, until } from '../support/daemon.js';

const CONFIG = `
node: { name: edge-1, workers: 1 }
api: { listen: "127.0.0.1:0" }
admin: { listen: off }
dataplane: { driver: none }
providers: { local: { driver: process } }
templates:
  agent:
    provider: local
    spec:
      command: [sh, -c, 'exec NODE CLI agent --state state-$SWITCHYARD_INSTANCE --interval 300ms --on-drain "env | grep SWITCHYARD_DRAIN > drained"']
tenants: { acme: { groups: { web: { template: agent, size: 1 } } } }
`;

interface Instance {
  readonly id: string;
  readonly state: string;
  readonly providerId?: string;
  readonly drain?: { readonly endedBy?: string; readonly reason: string };
}

async function instancesOf(daemon: Daemon): Promise<readonly Instance[]> {
  return daemon.json<readonly Instance[]>('get', 'instances');
}

/** Variables of the process that carries this instance. */
function environmentOf(instance: string): Readonly<Record<string, string>> {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const text = readFileSync(`/proc/${pid}/environ`, 'utf8');
      if (!text.includes(`SWITCHYARD_INSTANCE=${instance}`)) continue;
      const pairs = text.split('\0').map((entry) => entry.split(/=(.*)/s).slice(0, 2));
      return Object.fromEntries(pairs) as Record<string, string>;
    } catch {
      // Another one, or gone.
    }
  }
  return {};
}

test('[EE-75] an agent registers, reports, carries out its drain and acknowledges it; its token is worth nothing to others', async () => {
  const text = CONFIG.replace('NODE', process.execPath).replace('CLI', CLI);
  const site = makeSite(text, 'single');
  try {
    const daemon = await site.start();
    let instance = '';
    await until('an identity', async () => {
      instance = (await instancesOf(daemon))[0]?.id ?? '';
      const actors = await daemon.json<readonly { address: string; state: string }[]>(
        'get',
        'actors',
      );
      return actors.some(
        ({ address, state }) => address === `identity/${instance}` && state === 'bound',
      );
    });
    const born = environmentOf(instance);
    const shown = await daemon.json<Record<string, unknown>>('show', `instance/${instance}`);
    assert.ok(born['SWITCHYARD_TOKEN']?.startsWith(`${shown['token']}.`));
    const secret = born['SWITCHYARD_TOKEN']?.split('.').at(-1) ?? '';
    assert.equal(JSON.stringify(shown).includes(secret), false, 'what operators see is no secret');

    const thief = await runCli(['agent', '--state', join(site.dir, 'thief')], born);
    assert.equal(thief.code, 6, thief.stderr);
    assert.match(thief.stderr, /ID-5: the token of .* was used already/);
    const stranger = { ...born, SWITCHYARD_TOKEN: born['SWITCHYARD_TOKEN']?.slice(0, -2) ?? '' };
    assert.equal((await runCli(['agent', '--state', join(site.dir, 'x')], stranger)).code, 6);

    assert.equal((await daemon.cli('drain', instance, '--reason', 'new kernel')).code, 0);
    await until('the drain to be over', async () => {
      const [one] = (await instancesOf(daemon)).filter(({ id }) => id === instance);
      return one?.drain?.endedBy === 'acknowledged';
    });
    const drained = readFileSync(join(site.dir, 'drained'), 'utf8');
    assert.match(drained, /SWITCHYARD_DRAIN_REASON=operator/);
    assert.match(drained, /SWITCHYARD_DRAIN_NOTE=new kernel/);
    assert.equal(await daemon.stop(), 0, tail(daemon));
    assert.equal(JSON.stringify(daemon.log).includes(secret), false);
    for (const file of ['ca.key', 'ca.crt']) assert.ok(existsSync(join(site.dataDir, 'ca', file)));
  } finally {
    await site.close();
  }
});
