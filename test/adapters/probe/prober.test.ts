/** The real prober where it meets the wire: what it sends, how it closes, TLS, and its own lateness. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttp, type Server as Http, type IncomingMessage } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { createServer as createTls } from 'node:tls';
import { attempt } from '../../../src/adapters/probe/attempt.js';
import { createLagWatch } from '../../../src/adapters/probe/lag-watch.js';
import { loadLibc } from '../../../src/adapters/probe/libc.js';
import { passed, refusalOf } from '../../../src/adapters/probe/outcome.js';
import { openProber } from '../../../src/adapters/probe/prober.js';
import { openTcp } from '../../../src/adapters/probe/tcp-handle.js';
import { systemClock } from '../../../src/adapters/system/clock.js';
import type { Clock } from '../../../src/ports/clock.js';
import { CHECK } from '../../contract/prober.js';
import { TEST_CERTIFICATE, TEST_KEY } from '../../support/tls.js';

const prober = openProber({ clock: systemClock(), userAgent: 'switchyard/test' });

/** One whose connections the other side gets to see. */
const plain = openProber({ clock: systemClock(), userAgent: 'switchyard/test', tcp: openTcp() });

const servers: (Server | Http)[] = [];
after(() => {
  for (const server of servers) server.close();
});

async function listening(server: Server | Http): Promise<{ address: string; port: number }> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { address: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

test('[HE-35] prober: sends the path, its own host header, and who it is', async () => {
  let asked: IncomingMessage | undefined;
  const server = createHttp((request, response) => {
    asked = request;
    response.end('ok');
  });
  const target = await listening(server);
  await prober.probe(target, { ...CHECK, host: 'shop.example:8443' });
  assert.equal(asked?.method, 'GET');
  assert.equal(asked?.url, '/healthz');
  assert.equal(asked?.headers.host, 'shop.example:8443');
  assert.equal(asked?.headers['user-agent'], 'switchyard/test');
  assert.equal(asked?.headers.connection, 'close');
  await prober.probe(target, CHECK);
  assert.equal(asked?.headers.host, '127.0.0.1');
});

const PROBES = 50;

const closings = [{ type: 'tcp' }, { type: 'http' }, { type: 'http', bodyMatches: 'ok' }] as const;

for (const check of closings) {
  const what =
    'bodyMatches' in check ? 'an http connection read to its end' : `a ${check.type} one`;
  test(`[HE-36] prober: ${what} is closed by reset, never left to wait`, async () => {
    let ended: string | undefined;
    const server = createServer((socket: Socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'));
      socket.on('end', () => {
        ended = 'FIN';
      });
      socket.on('error', (error: NodeJS.ErrnoException) => {
        ended = error.code;
      });
    });
    const target = await listening(server);
    const connection = once(server, 'connection') as Promise<[Socket]>;
    assert.ok((await plain.probe(target, { ...CHECK, ...check })).passed);
    const [socket] = await connection;
    if (!socket.closed) await once(socket, 'close').catch(() => undefined);
    assert.equal(ended, 'ECONNRESET');
  });
}

test('[HE-36] prober: a tcp check is over before the other side has a connection of it, and leaves nothing behind', async (t) => {
  const libc = await loadLibc();
  if (!libc.ok) return t.skip(libc.failure);
  let seen = 0;
  const server = createServer((socket: Socket) => {
    seen += 1;
    socket.on('error', () => undefined);
  });
  const target = await listening(server);
  for (let probe = 0; probe < PROBES; probe += 1) {
    assert.equal((await prober.probe(target, { ...CHECK, type: 'tcp' })).code, 'L4OK');
  }
  // A turn of ours that took long lets the kernel acknowledge after all.
  assert.ok(seen < PROBES, `${seen} of ${PROBES}`);
  const port = target.port.toString(16).toUpperCase().padStart(4, '0');
  const left = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .filter((line) => line.includes(`:${port} `));
  const LISTEN = ' 0A ';
  assert.deepEqual(
    left.filter((line) => !line.includes(LISTEN)),
    [],
  );
});

test('[HE-35] prober: probes from the wanted source address', async () => {
  let source: string | undefined;
  const server = createHttp((request, response) => {
    source = request.socket.remoteAddress;
    response.end();
  });
  const target = await listening(server);
  const result = await prober.probe(target, { ...CHECK, source4: '127.0.0.9' });
  assert.equal(result.code, 'L7OK');
  assert.equal(source, '127.0.0.9');
});

test('[HE-34] prober: a source address we do not have is our own trouble', async () => {
  const target = { address: '127.0.0.1', port: 9 };
  const result = await prober.probe(target, { ...CHECK, type: 'tcp', source4: '192.0.2.77' });
  assert.equal(result.code, 'SOCKERR');
  assert.equal(result.positive, false);
});

test('[HE-37] prober: TLS is verified unless told otherwise, and names the server', async () => {
  const names: string[] = [];
  const options = {
    key: TEST_KEY,
    cert: TEST_CERTIFICATE,
    SNICallback: (name: string, done: (error: null) => void) => {
      names.push(name);
      done(null);
    },
  };
  const server = createHttps(options, (_, response) => response.end('ok'));
  server.on('tlsClientError', () => undefined);
  const target = await listening(server);
  const https = { ...CHECK, type: 'https' as const };
  const refused = await prober.probe(target, { ...https, serverName: 'probe.test' });
  assert.equal(refused.code, 'L6RSP');
  const trusting = { ...https, insecureSkipVerify: true };
  assert.equal((await prober.probe(target, { ...trusting, host: 'named.test:443' })).code, 'L7OK');
  assert.equal((await prober.probe(target, { ...trusting, host: '127.0.0.1' })).code, 'L7OK');
  assert.deepEqual(names, ['probe.test', 'named.test']);
});

for (const goodbye of ['end', 'destroy', 'resetAndDestroy'] as const) {
  test(`[HE-37] prober: a TLS server that leaves by ${goodbye} is no sound answer`, async () => {
    const server = createTls({ key: TEST_KEY, cert: TEST_CERTIFICATE }, (socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => (goodbye === 'end' ? socket.end() : socket.destroy()));
    });
    server.on('connection', (socket: Socket) => {
      if (goodbye === 'resetAndDestroy') setImmediate(() => socket.resetAndDestroy());
    });
    const target = await listening(server);
    const check = { ...CHECK, type: 'https' as const, insecureSkipVerify: true };
    const result = await prober.probe(target, check);
    assert.match(result.code, /^L[67]RSP$/);
  });
}

test('[HE-32] prober: judges a long body by its first 64 KB', async () => {
  const server = createHttp((_, response) => {
    response.end(`${'x'.repeat(70_000)}needle`);
  });
  const target = await listening(server);
  assert.equal((await prober.probe(target, { ...CHECK, bodyMatches: 'needle' })).code, 'L7RSP');
  assert.equal((await prober.probe(target, { ...CHECK, bodyMatches: '^xxx' })).code, 'L7OK');
});

test('[HE-33] prober: a silent connection ends as a timeout of the layer it had reached', async () => {
  const never = new Promise<never>(() => undefined);
  const outcome = await attempt(systemClock(), 1, () => never);
  assert.equal(outcome.code, 'L4TOUT');
});

test('[HE-33] prober: an answer that is already there wins over its own timeout', async () => {
  const soon: (() => void)[] = [];
  let due = (): void => undefined;
  const clock: Clock = {
    ...systemClock(),
    after: (_, run) => {
      due = run;
      return () => undefined;
    },
    soon: (run) => void soon.push(run),
  };
  let arrive = (): void => undefined;
  const arrival = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const outcome = attempt(clock, 1, () => arrival.then(() => passed('L4OK', 'connected')));
  due();
  arrive();
  await new Promise((resolve) => setImmediate(resolve));
  for (const run of soon) run();
  assert.equal((await outcome).code, 'L4OK');
});

test('[HE-4] prober: a busy event loop of ours marks the result as late', () => {
  let nowMs = 0;
  let beat = (): void => undefined;
  const clock: Clock = {
    now: () => nowMs,
    monotonic: () => nowMs,
    after: (_, run) => {
      beat = run;
      return () => undefined;
    },
    soon: (run) => run(),
  };
  const watch = createLagWatch(clock);
  const back = watch.begin();
  nowMs = 20;
  beat();
  assert.equal(watch.worstSince(0), 0);
  nowMs = 640;
  assert.equal(watch.worstSince(0), 600, 'a beat that is overdue counts already');
  beat();
  assert.equal(watch.worstSince(0), 600);
  assert.equal(watch.worstSince(650), 0, 'lag from before the probe does not count');
  back();
});

test('[HE-4] prober: late means later than half of the timeout', async () => {
  const lagged = (lagMs: number) => ({ begin: () => () => undefined, worstSince: () => lagMs });
  const target = { address: '127.0.0.1', port: 9 };
  for (const [lagMs, late] of [
    [5_000, false],
    [5_001, true],
  ] as const) {
    const clock = systemClock();
    const slow = openProber({ clock, userAgent: 'test', lagWatch: lagged(lagMs) });
    assert.equal((await slow.probe(target, { ...CHECK, type: 'tcp' })).late, late);
  }
});

const errors = [
  { code: 'ECONNREFUSED', is: 'L4CON', positive: true },
  { code: 'EHOSTUNREACH', is: 'L4CON', positive: false },
  { code: 'ECONNRESET', is: 'L4CON', positive: false },
  { code: 'ETIMEDOUT', is: 'L4TOUT', positive: false },
  { code: 'EMFILE', is: 'SOCKERR', positive: false },
  { code: 'EADDRNOTAVAIL', is: 'SOCKERR', positive: false },
];

for (const { code, is, positive } of errors) {
  test(`[HE-30] prober: ${code} while connecting is ${is}`, () => {
    const outcome = refusalOf(Object.assign(new Error(code), { code }));
    assert.equal(outcome.code, is);
    assert.equal(outcome.positive, positive);
  });
}
