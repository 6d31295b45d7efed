/**
 * What a configuration names outside itself, looked at before a reload commits: certificates and the
 * keys that go with them, and programs. One finding for each thing that could not be used.
 *
 * Input: a configuration that makes sense. Output: findings by the hook that would fail.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { accessSync, constants, readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { Surroundings } from '../../config/clerk.js';
import type { Config } from '../../config/complete.js';
import { type Finding, type Path, semantic } from '../../config/problem.js';

type Found = ReturnType<Surroundings>[number];

/** `nowMs`: what an expiry is compared with. */
export function lookAround(config: Config, nowMs: number): readonly Found[] {
  const { api, tenancy } = config;
  return [
    ...tagged('tls_certificate', pairIn(['api', 'tls'], api.tls, nowMs)),
    ...tagged('tls_certificate', authorityIn(['api', 'tls', 'clientCa'], api.tls.clientCa)),
    ...tagged('tenancy', pairIn(['tenancy', 'tls'], tenancy?.tls ?? {}, nowMs)),
    ...tagged('tenancy', authorityIn(['tenancy', 'tls', 'ca'], tenancy?.tls.ca)),
    ...tagged('frontends', programIn(['announce', 'command'], config.announce.command)),
    ...Object.entries(config.providers).flatMap(([name, { command }]) =>
      tagged('providers', programIn(['providers', name, 'command'], command)),
    ),
  ];
}

function tagged(hook: Found['hook'], findings: readonly Finding[]): readonly Found[] {
  return findings.map((finding) => ({ hook, finding }));
}

interface Pair {
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

function pairIn(path: Path, { cert, key }: Pair, nowMs: number): readonly Finding[] {
  if (cert === undefined || key === undefined) return [];
  const certificate = attempt([...path, 'cert'], cert, readCertificate);
  const secret = attempt([...path, 'key'], key, (file) => createPrivateKey(readFileSync(file)));
  const problems = [certificate, secret].flatMap((one) => ('finding' in one ? [one.finding] : []));
  if ('finding' in certificate) return problems;
  const leaf = certificate.value;
  if (Date.parse(leaf.validTo) <= nowMs) {
    problems.push(semantic([...path, 'cert'], `${cert} has expired: ${leaf.validTo}`));
  }
  if (!('finding' in secret) && !leaf.checkPrivateKey(secret.value)) {
    problems.push(semantic([...path, 'key'], `${key} is not the key of ${cert}`));
  }
  return problems;
}

function authorityIn(path: Path, file: string | undefined): readonly Finding[] {
  if (file === undefined) return [];
  const read = attempt(path, file, readCertificate);
  return 'finding' in read ? [read.finding] : [];
}

/** The first certificate of the file: the leaf. */
function readCertificate(file: string): X509Certificate {
  return new X509Certificate(readFileSync(file));
}

function attempt<T>(
  path: Path,
  file: string,
  read: (file: string) => T,
): { readonly value: T } | { readonly finding: Finding } {
  try {
    return { value: read(file) };
  } catch (error) {
    return { finding: semantic(path, `${file} cannot be used: ${(error as Error).message}`) };
  }
}

/** A bare name is looked up when it is called, in whatever PATH there is then. */
function programIn(path: Path, command: readonly string[] | undefined): readonly Finding[] {
  const [program] = command ?? [];
  if (program === undefined || !isAbsolute(program)) return [];
  try {
    accessSync(program, constants.X_OK);
    return [];
  } catch (error) {
    return [semantic(path, `${program} cannot be run: ${(error as Error).message}`)];
  }
}
