/** The agents' authority: what its certificates say, and what its directory must be like. */
import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseInstanceId, parseTenantId } from '../../../machines/model/ids.js';
import { fail, type Result } from '../../../machines/model/result.js';
import {
  AGENT_SERVER_NAME,
  type Authority,
  openAuthority,
} from '../../../src/adapters/agent-ca/authority.js';
import { identityIn, uriOf } from '../../../src/adapters/agent-ca/identity.js';

const NOW = Date.UTC(2026, 3, 1);
const HOUR = 3_600_000;
const folder = mkdtempSync(join(tmpdir(), 'authority-'));
after(() => rmSync(folder, { recursive: true }));

const tenant = parseTenantId('acme') ?? assert.fail();
const instance = parseInstanceId('i-3f2a-0190abcdef0123456789') ?? assert.fail();
const identity = { tenant, group: 'web', instance };

function freshDir(): string {
  return mkdtempSync(join(folder, 'ca-'));
}

function opened(dir: string, nowMs = NOW) {
  const clock = { now: () => nowMs };
  return openAuthority({ dir, installation: 'inst-1', lifetimeMs: 24 * HOUR, clock });
}

async function authority(dir = freshDir(), nowMs = NOW): Promise<Authority> {
  const result = await opened(dir, nowMs);
  return result.ok ? result.value : assert.fail(result.failure);
}

function spki(type: 'ec' | 'ed25519' | 'rsa' | 'weak'): Buffer {
  const keys = {
    ec: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    ed25519: () => generateKeyPairSync('ed25519'),
    rsa: () => generateKeyPairSync('rsa', { modulusLength: 2_048 }),
    weak: () => generateKeyPairSync('rsa', { modulusLength: 1_024 }),
  } as const;
  return keys[type]().publicKey.export({ type: 'spki', format: 'der' });
}

test('[ID-2] an agent is certified as itself, for as long as was asked, as a client', async () => {
  const ca = await authority();
  for (const type of ['ec', 'ed25519', 'rsa'] as const) {
    const issued = ca.certifyAgent(identity, spki(type));
    assert.ok(issued.ok, type);
    const certificate = new X509Certificate(issued.value.pem);
    assert.ok(certificate.checkIssued(ca.x509) && certificate.verify(ca.x509.publicKey));
    assert.equal(certificate.ca, false);
    assert.equal(certificate.subjectAltName, `URI:${uriOf(identity, 'inst-1')}`);
    assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.2']);
    assert.equal(Date.parse(certificate.validTo), NOW + 24 * HOUR);
    assert.equal(issued.value.notAfterMs, NOW + 24 * HOUR);
  }
});

test('[ID-2] an identity is read back whole, and nothing else is one', () => {
  const uri = uriOf(identity, 'inst-1');
  assert.deepEqual(identityIn(uri, 'inst-1'), identity);
  const others = [
    [uri, 'inst-2'],
    [`${uri}/more`, 'inst-1'],
    [uri.replace('acme', 'Acme'), 'inst-1'],
    [uri.replace('/web/', '/../'), 'inst-1'],
    [uri.replace(instance, 'i-1'), 'inst-1'],
    [`URI:${uri}`, 'inst-1'],
    ['', ''],
  ] as const;
  for (const [text, installation] of others) {
    assert.equal(identityIn(text, installation), undefined, text);
  }
});

test('[ID-4] a key too weak, too long or no key at all is not certified', async () => {
  const ca = await authority();
  const cases = [spki('weak'), Buffer.alloc(0), Buffer.from('nonsense'), Buffer.alloc(100_000)];
  for (const key of cases) assert.equal(ca.certifyAgent(identity, key).ok, false);
});

test('[ID-2] the daemon is certified as a server, for the names it is reached by', async () => {
  const ca = await authority();
  const server = ca.certifyServer(['edge-1', '127.0.0.1', '::1']);
  const certificate = new X509Certificate(server.pem);
  assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.1']);
  assert.ok(certificate.checkPrivateKey(createPrivateKey(server.keyPem)));
  for (const host of [AGENT_SERVER_NAME, 'edge-1']) assert.equal(certificate.checkHost(host), host);
  assert.equal(certificate.checkIP('127.0.0.1'), '127.0.0.1');
  assert.ok(server.pem.endsWith(ca.certificate), 'the authority is in the chain');
});

test('[ID-3] the authority outlives its daemon, and its secrets are its own', async () => {
  const dir = freshDir();
  const first = await authority(dir);
  const token = first.mintToken({ clientToken: 't-1', instance, expiresAtMs: NOW + HOUR });
  const again = await authority(dir);
  assert.equal(again.certificate, first.certificate);
  assert.ok(again.checkToken(token).ok);
  assert.deepEqual((await authority()).checkToken(token), fail('forged'));
  assert.equal(statSync(dir).mode & 0o777, 0o700);
  for (const name of ['ca.key', 'ca.crt']) {
    assert.equal(statSync(join(dir, name)).mode & 0o777, 0o600, name);
  }
});

test('[ID-3] its certificate is made again in time, and what it signed stays good', async () => {
  const dir = freshDir();
  const first = await authority(dir);
  const issued = first.certifyAgent(identity, spki('ec'));
  const later = await authority(dir, NOW + 6 * 365 * 24 * HOUR);
  assert.notEqual(later.certificate, first.certificate);
  assert.ok(issued.ok);
  const certificate = new X509Certificate(issued.value.pem);
  assert.ok(certificate.checkIssued(later.x509) && certificate.verify(later.x509.publicKey));
});

test('[ID-3] certificates beyond 2049 are read as what they say', async () => {
  const ca = await authority(freshDir(), Date.UTC(2045, 0, 1));
  assert.equal(new Date(Date.parse(ca.x509.validTo)).getUTCFullYear(), 2054);
});

test('[ID-3] what is wrong with its directory is one sentence, and nothing is made anew', async () => {
  const spoil: Readonly<Record<string, readonly [(dir: string) => void, RegExp]>> = {
    'key for all': [
      (dir) => chmodSync(join(dir, 'ca.key'), 0o644),
      /^.*ca\.key may be read by oth.*chmod 600/,
    ],
    'key gone': [(dir) => rmSync(join(dir, 'ca.key')), /ca\.key is gone .* restore the key/],
    'key damaged': [(dir) => writeFileSync(join(dir, 'ca.key'), 'x'), /is no P-256 private key/],
    'other certificate': [
      (dir) => writeFileSync(join(dir, 'ca.crt'), 'x'),
      /ca\.crt is no certificate of the key beside it/,
    ],
  };
  for (const [name, [damage, sentence]] of Object.entries(spoil)) {
    const dir = freshDir();
    await authority(dir);
    const before = readFileSync(join(dir, 'ca.crt'), 'utf8');
    damage(dir);
    const refused = await opened(dir);
    assert.ok(!refused.ok, name);
    assert.match(refused.failure, sentence, name);
    if (name !== 'other certificate')
      assert.equal(readFileSync(join(dir, 'ca.crt'), 'utf8'), before);
  }
});

test('[ID-3] a crash between key and certificate is mended at the next start', async () => {
  const dir = freshDir();
  const first = await authority(dir);
  rmSync(join(dir, 'ca.crt'));
  assert.equal((await authority(dir)).x509.publicKey.equals(first.x509.publicKey), true);
});

function whole<T>(result: Result<T, unknown>): T {
  return result.ok ? result.value : assert.fail(JSON.stringify(result.failure));
}

test('[ID-40] on every node that has a copy of its directory it is the same authority', async () => {
  const dir = freshDir();
  const first = await authority(dir);
  const copy = freshDir();
  cpSync(dir, copy, { recursive: true });
  const clock = { now: () => NOW };
  const options = { installation: 'inst-2', lifetimeMs: HOUR, clock };
  const second = whole(await openAuthority({ ...options, dir: copy }));
  assert.deepEqual(
    [second.fingerprint, second.installation],
    [first.fingerprint, first.installation],
  );
  const issued = whole(first.certifyAgent(identity, spki('ec')));
  const uri = new X509Certificate(issued.pem).subjectAltName?.slice('URI:'.length) ?? '';
  assert.deepEqual(identityIn(uri, second.installation), identity);
  const token = first.mintToken({ clientToken: 't', instance, expiresAtMs: NOW + HOUR });
  assert.equal(whole(second.checkToken(token)).instance, instance);
  const foreign = whole(await openAuthority({ ...options, dir: freshDir() }));
  assert.notEqual(foreign.fingerprint, first.fingerprint);
  assert.equal(foreign.installation, 'inst-2');
  // A copy without its name is another authority: its certificates name somebody else.
  rmSync(join(copy, 'installation'));
  const nameless = whole(await openAuthority({ ...options, dir: copy }));
  assert.notEqual(nameless.fingerprint, first.fingerprint);
});
