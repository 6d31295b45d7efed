/** The tenant manager over TLS: whom we trust, who we are, and certificates that are replaced. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openTenancyHttp } from '../../../src/adapters/tenancy-http/tenancy-http.js';
import type { TenancyApi } from '../../../src/ports/tenancy-api.js';
import { TEST_CERTIFICATE, TEST_KEY } from '../../support/tls.js';

const TIMEOUT_MS = 5_000;
const PAGE = '{"events":[],"lastEventId":7}';

type Body = (api: TenancyApi, folder: string) => Promise<void>;

async function withTls(options: ServerOptions, body: Body): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-tls-'));
  const own = { key: TEST_KEY, cert: TEST_CERTIFICATE };
  const server = createServer({ ...own, ...options }, (_request, response) => {
    response.end(PAGE);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    await body(openTenancyHttp({ url, controller: 'c', userAgent: 'test' }), folder);
  } finally {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
  }
}

function write(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const codeOf = async (api: TenancyApi): Promise<string> => {
  const read = await api.replay(TIMEOUT_MS);
  return read.ok ? 'ok' : read.failure.code;
};

test('[TE-22] tenancy-http: a server nobody vouches for is not believed, one of our CA is', async () => {
  await withTls({}, async (api, folder) => {
    assert.equal(await codeOf(api), 'unreachable');
    api.secure({ ca: write(folder, 'ca.pem', TEST_CERTIFICATE) });
    assert.equal(await codeOf(api), 'ok');
  });
});

test('[TE-22] tenancy-http: a server that wants to know who we are is shown a certificate', async () => {
  const asks = { requestCert: true, rejectUnauthorized: true, ca: TEST_CERTIFICATE };
  await withTls(asks, async (api, folder) => {
    const ca = write(folder, 'ca.pem', TEST_CERTIFICATE);
    api.secure({ ca });
    assert.equal(await codeOf(api), 'unreachable');
    const key = write(folder, 'key.pem', TEST_KEY);
    api.secure({ ca, cert: write(folder, 'cert.pem', TEST_CERTIFICATE), key });
    assert.equal(await codeOf(api), 'ok');
  });
});

test('[TE-57] tenancy-http: files that are replaced count from the next exchange on', async () => {
  await withTls({}, async (api, folder) => {
    const ca = join(folder, 'ca.pem');
    api.secure({ ca });
    const absent = await api.replay(TIMEOUT_MS);
    assert.match(absent.ok ? '' : absent.failure.message, /tenancy\.tls\.ca cannot be read/);
    assert.equal(absent.ok ? '' : absent.failure.code, 'unauthorized');
    write(folder, 'ca.pem', 'nonsense, a little longer');
    assert.notEqual(await codeOf(api), 'ok');
    write(folder, 'ca.pem', TEST_CERTIFICATE);
    assert.equal(await codeOf(api), 'ok');
  });
});

test('[TE-57] tenancy-http: while files cannot be read, what was read before goes on', async () => {
  await withTls({}, async (api, folder) => {
    const ca = write(folder, 'ca.pem', TEST_CERTIFICATE);
    api.secure({ ca });
    assert.equal(await codeOf(api), 'ok');
    rmSync(ca);
    assert.equal(await codeOf(api), 'ok');
  });
});
