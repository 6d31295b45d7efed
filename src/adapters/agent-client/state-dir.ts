/**
 * What an agent keeps between its runs: its key, made once and never shown, the certificate it was given for
 * it, and the number of its last start.
 *
 *   <dir>/agent.key   <dir>/identity.json   <dir>/boot        each for its owner alone
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory } from '../proc/make-directory.js';
import { replaceFile } from '../proc/write-file.js';
import type { IdentityAnswer } from './client.js';

export interface AgentState {
  /** PEM. */
  readonly key: string;
  /** SPKI, DER. */
  readonly publicKey: Buffer;
  readonly identity: IdentityAnswer | undefined;
  /** Larger than that of any start before. */
  readonly boot: number;
  keep(identity: IdentityAnswer): Promise<void>;
}

/** Throws what the file system says. */
export async function openStateDir(dir: string, nowMs: number): Promise<AgentState> {
  makeDirectory(dir, 0o700);
  const keyPath = join(dir, 'agent.key');
  const key = (await textOf(keyPath)) ?? (await freshKey(keyPath));
  const bootPath = join(dir, 'boot');
  const boot = Math.max(nowMs, Number((await textOf(bootPath)) ?? 0) + 1);
  await replaceFile(bootPath, `${boot}\n`, 'durable');
  const identityPath = join(dir, 'identity.json');
  const publicKey = createPublicKey(createPrivateKey(key));
  return {
    key,
    publicKey: publicKey.export({ type: 'spki', format: 'der' }),
    identity: identityIn((await textOf(identityPath)) ?? ''),
    boot,
    keep: (identity) => replaceFile(identityPath, `${JSON.stringify(identity)}\n`, 'durable'),
  };
}

async function freshKey(path: string): Promise<string> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  await replaceFile(path, pem, 'durable');
  return pem;
}

/** One that cannot be read is none: the token, or a renewal, gives another. */
function identityIn(text: string): IdentityAnswer | undefined {
  try {
    const identity = JSON.parse(text) as Partial<IdentityAnswer>;
    const whole =
      typeof identity.certificate === 'string' && typeof identity.authority === 'string';
    return whole ? (identity as IdentityAnswer) : undefined;
  } catch {
    return undefined;
  }
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
