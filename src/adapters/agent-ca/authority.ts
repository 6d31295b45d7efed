/**
 * The authority for agents: makes their tokens and certificates, and the daemon's own towards them.
 *
 * Input: its directory. Output: certificates that live for `lifetimeMs`. Its key is the one secret; the
 * certificate is made again from it whenever half its time is over, and whoever was certified before stays
 * so: agents know the authority by its key. The name of the installation that made it lies beside them: on every
 * node that has a copy of the directory it is the same authority.
 *
 * Rules: [ID-3] a key that others may read, or that is gone while its certificate is there, is a refusal
 * to start, never a new key; [ID-4] only a public key of a kind that is still good is certified.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  X509Certificate,
} from 'node:crypto';
import { constants } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { Clock } from '../../ports/clock.js';
import { makeDirectory } from '../proc/make-directory.js';
import { replaceFile } from '../proc/write-file.js';
import { type CertificateRequest, keyDigest, makeCertificate, pemOf } from './certificate.js';
import { type AgentIdentity, uriOf } from './identity.js';
import {
  checkToken,
  mintToken,
  type TokenClaims,
  type TokenFailure,
  tokenSecretOf,
} from './token.js';

export interface Issued {
  readonly pem: string;
  readonly notAfterMs: number;
}

export interface ServerKeyPair extends Issued {
  readonly keyPem: string;
}

export interface Authority {
  /** PEM; agents trust what it signs. */
  readonly certificate: string;
  readonly x509: X509Certificate;
  readonly installation: string;
  /** Tells it from every other: by its key and its name. */
  readonly fingerprint: string;
  /** `publicKey`: SPKI, DER. */
  certifyAgent(
    identity: AgentIdentity,
    publicKey: Buffer,
  ): Result<Issued & { readonly key: string }, string>;
  /** By which a public key is known, if it is one that is certified. */
  digestOf(publicKey: Buffer): Result<string, string>;
  /** A fresh key with the daemon's certificate, for the names it is reached by. */
  certifyServer(hosts: readonly string[]): ServerKeyPair;
  mintToken(claims: TokenClaims): string;
  checkToken(text: string): Result<TokenClaims, TokenFailure>;
}

export interface AuthorityOptions {
  readonly dir: string;
  readonly installation: string;
  readonly lifetimeMs: number;
  readonly clock: Pick<Clock, 'now'>;
}

/** The name agents ask the daemon's certificate for, wherever it is reached. */
export const AGENT_SERVER_NAME = 'agents.switchyard.internal';

const NAME = 'Switchyard agents';
const AUTHORITY_LIFETIME_MS = 10 * 365 * 86_400_000;
/** Certificates are good from a little earlier on: clocks differ. */
const SKEW_MS = 5 * 60_000;

export async function openAuthority(options: AuthorityOptions): Promise<Result<Authority, string>> {
  const { dir, clock } = options;
  try {
    makeDirectory(dir, 0o700);
    const key = await keyIn(dir);
    if (!key.ok) return key;
    const certificate = await certificateIn(dir, key.value, clock.now());
    if (!certificate.ok) return certificate;
    const installation = await nameIn(dir, options.installation);
    return ok(authorityOf({ ...options, installation }, key.value, certificate.value));
  } catch (error) {
    return fail(`the agents' authority in ${dir} cannot be opened: ${messageOf(error)}`);
  }
}

async function keyIn(dir: string): Promise<Result<KeyObject, string>> {
  const path = join(dir, 'ca.key');
  const there = await stat(path).catch(() => undefined);
  if (there === undefined) return freshKey(dir, path);
  if ((there.mode & 0o077) !== 0) {
    return fail(`${path} may be read by others: chmod 600 ${path}`);
  }
  const text = await readFile(path, 'utf8');
  try {
    const key = createPrivateKey(text);
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return ok(key);
  } catch {
    // Said below.
  }
  return fail(
    `${path} is no P-256 private key: restore it, or remove ${dir} to begin afresh (every agent must then be replaced)`,
  );
}

async function freshKey(dir: string, path: string): Promise<Result<KeyObject, string>> {
  const certificate = join(dir, 'ca.crt');
  if ((await stat(certificate).catch(() => undefined)) !== undefined) {
    return fail(
      `${path} is gone and ${certificate} is not: restore the key, or remove ${dir} to begin afresh (every agent must then be replaced)`,
    );
  }
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const flags = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY;
  const file = await open(path, flags, 0o600);
  try {
    await file.writeFile(privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await file.sync();
  } finally {
    await file.close();
  }
  return ok(privateKey);
}

/** Of the installation that made it: ours, unless the directory was brought from another node. */
async function nameIn(dir: string, own: string): Promise<string> {
  const path = join(dir, 'installation');
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  if (text.trim() !== '') return text.trim();
  await replaceFile(path, `${own}\n`, 'durable');
  return own;
}

async function certificateIn(
  dir: string,
  key: KeyObject,
  nowMs: number,
): Promise<Result<string, string>> {
  const path = join(dir, 'ca.crt');
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text !== undefined) {
    const known = parsed(text);
    if (known === undefined || !known.checkPrivateKey(key)) {
      return fail(
        `${path} is no certificate of the key beside it: remove it, it is made again from the key`,
      );
    }
    if (Date.parse(known.validTo) - nowMs > AUTHORITY_LIFETIME_MS / 2) return ok(text);
  }
  const fresh = selfSigned(key, nowMs);
  await replaceFile(path, fresh, 'durable');
  return ok(fresh);
}

function selfSigned(privateKey: KeyObject, nowMs: number): string {
  const publicKey = createPublicKey(privateKey);
  const times = { notBeforeMs: nowMs - SKEW_MS, notAfterMs: nowMs + AUTHORITY_LIFETIME_MS };
  const request: CertificateRequest = { subject: NAME, publicKey, use: 'authority', ...times };
  return pemOf(makeCertificate(request, { name: NAME, publicKey, privateKey }));
}

function authorityOf(
  options: AuthorityOptions,
  privateKey: KeyObject,
  certificate: string,
): Authority {
  const { clock, installation, lifetimeMs } = options;
  const publicKey = createPublicKey(privateKey);
  const secret = tokenSecretOf(privateKey.export({ type: 'pkcs8', format: 'der' }));
  const pin = keyDigest(publicKey);
  const issue = (request: Omit<CertificateRequest, 'notBeforeMs' | 'notAfterMs'>): Issued => {
    const nowMs = clock.now();
    // Certificates know whole seconds.
    const notAfterMs = Math.floor((nowMs + lifetimeMs) / 1_000) * 1_000;
    const times = { notBeforeMs: nowMs - SKEW_MS, notAfterMs };
    const der = makeCertificate({ ...request, ...times }, { name: NAME, publicKey, privateKey });
    return { pem: pemOf(der), notAfterMs };
  };
  return {
    certificate,
    x509: new X509Certificate(certificate),
    installation,
    fingerprint: createHash('sha256').update(`${pin} ${installation}`).digest('hex').slice(0, 16),
    certifyAgent: (identity, der) => {
      const key = goodKey(der);
      if (!key.ok) return key;
      const { instance: subject } = identity;
      const uris = [uriOf(identity, installation)];
      const issued = issue({ subject, publicKey: key.value, use: 'client', uris });
      return ok({ ...issued, key: keyDigest(key.value) });
    },
    digestOf: (der) => {
      const key = goodKey(der);
      return key.ok ? ok(keyDigest(key.value)) : key;
    },
    certifyServer: (hosts) => {
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const names = {
        dnsNames: [AGENT_SERVER_NAME, ...hosts.filter((host) => isIP(host) === 0)],
        addresses: hosts.filter((host) => isIP(host) !== 0),
      };
      const issued = issue({ subject: NAME, publicKey: pair.publicKey, use: 'server', ...names });
      const keyPem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
      return { ...issued, pem: issued.pem + certificate, keyPem };
    },
    mintToken: (claims) => mintToken(secret, { ...claims, pin }),
    checkToken: (text) => checkToken(secret, text, clock.now()),
  };
}

/** Longest public key that is read at all: RSA with 4,096 bits takes some 550 bytes. */
const KEY_BYTES_MAX = 1_024;

function goodKey(der: Buffer): Result<KeyObject, string> {
  const key = der.length > KEY_BYTES_MAX ? undefined : publicKeyIn(der);
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = key ?? {};
  const good =
    type === 'ed25519' ||
    (type === 'ec' && ['prime256v1', 'secp384r1'].includes(details.namedCurve ?? '')) ||
    (type === 'rsa' && (details.modulusLength ?? 0) >= 2_048);
  return key !== undefined && good
    ? ok(key)
    : fail(
        'the public key must be SPKI in DER: P-256, P-384, Ed25519, or RSA of 2,048 bits and more',
      );
}

function publicKeyIn(der: Buffer): KeyObject | undefined {
  try {
    return createPublicKey({ key: der, format: 'der', type: 'spki' });
  } catch {
    return undefined;
  }
}

function parsed(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
