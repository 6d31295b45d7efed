/**
 * Probes that another process makes: ICMP, and in other network namespaces. Namespaces are made where the
 * machine lets us; where it does not, what an operator would see there is tested.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import type { HealthCheckSpec } from '../../../machines/model/desired.js';
import { echoRequest, readReply } from '../../../src/adapters/probe/icmp/echo.js';
import { openRoutedProber } from '../../../src/adapters/probe/routed.js';
import { systemClock } from '../../../src/adapters/system/clock.js';
import { CHECK } from '../../contract/prober.js';
import { seedOfRun } from '../../support/seed.js';

const NETNS = `swy-${process.pid}`;
const ICMP: HealthCheckSpec = { ...CHECK, type: 'icmp', timeoutMs: 2_000 };
const TCP: HealthCheckSpec = { ...CHECK, type: 'tcp', timeoutMs: 2_000 };
const prober = openRoutedProber({ clock: systemClock(), userAgent: 'switchyard/test' });
const mayHaveNamespaces = process.getuid?.() === 0;

const CLIENT = new URL('../../../src/adapters/probe/helper/client.js', import.meta.url).href;
const CLOCK = new URL('../../../src/adapters/system/clock.js', import.meta.url).href;

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: 'pipe' });
}

before(() => {
  if (!mayHaveNamespaces) return;
  ip('netns', 'add', NETNS);
  ip('netns', 'exec', NETNS, 'ip', 'link', 'set', 'lo', 'up');
  const everybody = "echo '0 2147483647' > /proc/sys/net/ipv4/ping_group_range";
  ip('netns', 'exec', NETNS, 'sh', '-c', everybody);
});

after(() => {
  prober.close();
  if (mayHaveNamespaces) ip('netns', 'delete', NETNS);
});

const at = (address: string, port = 0) => ({ address, port });

test('[HE-38] icmp: loopback answers, IPv4 and IPv6, from the address that is wanted', async () => {
  for (const address of ['127.0.0.1', '::1']) {
    const { passed, code, detail } = await prober.probe(at(address), ICMP);
    assert.deepEqual([passed, code], [true, 'L3OK'], detail);
  }
  const from = await prober.probe(at('127.0.0.1'), { ...ICMP, source4: '127.0.0.5' });
  assert.equal(from.code, 'L3OK', from.detail);
});

test('[HE-38] [HE-39] icmp in a namespace: by sockets of our own, and nothing gets out of it', async () => {
  const check = { ...ICMP, netns: NETNS };
  const [near, far, from] = await Promise.all([
    prober.probe(at('127.0.0.1'), check),
    prober.probe(at('192.0.2.1'), check),
    prober.probe(at('127.0.0.1'), { ...check, source4: '192.0.2.9' }),
  ]);
  if (!mayHaveNamespaces) return assert.equal(near.code, 'SOCKERR', near.detail);
  assert.deepEqual([near.code, near.detail], ['L3OK', 'echo reply']);
  assert.deepEqual([far.passed, far.code, far.positive], [false, 'L3CON', false]);
  assert.notEqual(from.code, 'L3OK', 'a source that is not ours');
});

test('[HE-39] tcp in a namespace: what listens outside is not there', async () => {
  const server = createServer((socket) => socket.destroy());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const outside = await prober.probe(at('127.0.0.1', port), TCP);
  const inside = await prober.probe(at('127.0.0.1', port), { ...TCP, netns: NETNS });
  server.close();
  assert.equal(outside.code, 'L4OK');
  assert.equal(inside.code, mayHaveNamespaces ? 'L4CON' : 'SOCKERR', inside.detail);
});

test('[HE-34] [HE-39] a namespace that is missing is our own trouble, and named', async () => {
  const result = await prober.probe(at('127.0.0.1', 1), { ...TCP, netns: 'no-such' });
  assert.deepEqual([result.passed, result.code, result.positive], [false, 'SOCKERR', false]);
  assert.match(result.detail, /netns no-such.*\/run\/netns\/no-such/s);
});

test('[HE-40] a helper that is killed: what it had in hand is our own trouble, then there is another', async () => {
  const own = openRoutedProber({ clock: systemClock(), userAgent: 'switchyard/test' });
  const others = new Set(helpers());
  assert.equal((await own.probe(at('127.0.0.1'), ICMP)).code, 'L3OK');
  const [pid] = helpers().filter((helper) => !others.has(helper));
  assert.ok(pid !== undefined);
  process.kill(pid, 'SIGSTOP');
  const inHand = own.probe(at('127.0.0.1'), ICMP);
  process.kill(pid, 'SIGKILL');
  assert.equal((await inHand).code, 'SOCKERR');
  let code = '';
  for (let tries = 0; tries < 50 && code !== 'L3OK'; tries += 1) {
    ({ code } = await own.probe(at('127.0.0.1'), ICMP));
    assert.match(code, /^(SOCKERR|L3OK)$/);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.equal(code, 'L3OK');
  own.close();
});

test('[HE-34] [HE-40] a helper that cannot be started is our own trouble, and the process lives on', () => {
  const script = `
    import { openSync } from 'node:fs';
    import { createHelper } from ${JSON.stringify(CLIENT)};
    import { systemClock } from ${JSON.stringify(CLOCK)};
    const helper = createHelper({ clock: systemClock(), userAgent: 'test' });
    process.stdout.write('');
    try { for (;;) openSync('/dev/null'); } catch {}
    const result = await helper.probe({ address: '127.0.0.1', port: 0 }, ${JSON.stringify(ICMP)});
    process.stdout.write(result.code, () => process.exit(0));`;
  const run = `ulimit -n 64; exec "$0" --input-type=module -e "$1"`;
  const { stdout, status, stderr } = spawnSync('sh', ['-c', run, process.execPath, script]);
  assert.deepEqual([String(stdout), status], ['SOCKERR', 0], String(stderr));
});

function helpers(): readonly number[] {
  const { stdout } = spawnSync('pgrep', ['-P', String(process.pid), '-f', 'probe/helper/entry.js']);
  return String(stdout).trim().split('\n').filter(Boolean).map(Number);
}

test('[HE-38] icmp: a request comes back as its own reply and as nobody else’s', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(4 as const, 6 as const),
      fc.nat(0xffff),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      (family, sequence, nonce) => {
        const request = echoRequest(family, { sequence, nonce });
        assert.equal(readReply(family, request), undefined, 'a request is no reply');
        const reply = Buffer.from(request);
        reply[0] = family === 4 ? 0 : 129;
        assert.deepEqual(readReply(family, reply), { sequence, nonce });
        assert.equal(readReply(family, reply.subarray(0, 15)), undefined, 'cut short');
      },
    ),
    { seed: seedOfRun() },
  );
});
