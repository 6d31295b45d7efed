/** What a configuration names outside itself: certificates, keys and programs, good and bad. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { lookAround } from '../../src/adapters/config-file/surroundings.js';
import { printPath } from '../../src/config/problem.js';
import { loadText, SITE } from '../support/config.js';

const folder = mkdtempSync(join(tmpdir(), 'switchyard-around-'));
const at = (name: string): string => join(folder, name);
after(() => rmSync(folder, { recursive: true }));

function makePair(name: string): void {
  const to = ['-keyout', at(`${name}.key`), '-out', at(`${name}.crt`)];
  const how = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30'];
  execFileSync('openssl', ['req', '-x509', ...how, '-subj', '/CN=test', ...to], {
    stdio: 'ignore',
  });
}

before(() => {
  makePair('one');
  makePair('two');
  writeFileSync(at('noise'), 'no certificate');
  writeFileSync(at('plain'), 'no program');
});

interface Named {
  readonly tls?: Readonly<Record<string, string>>;
  readonly announce?: readonly string[];
  readonly nowMs?: number;
}

function found({ tls = {}, announce, nowMs = Date.now() }: Named): readonly string[] {
  const loaded = loadText(SITE);
  assert.ok(loaded.ok);
  const { config } = loaded.value;
  const changed = {
    ...config,
    api: { ...config.api, tls },
    announce: { ...config.announce, ...(announce === undefined ? {} : { command: announce }) },
  };
  return lookAround(changed as never, nowMs).map(
    ({ hook, finding }) => `${hook} ${printPath(finding.path)}: ${finding.message}`,
  );
}

const pair = (cert: string, key: string) => ({ cert: at(cert), key: at(key) });
const YEAR_MS = 365 * 24 * 60 * 60 * 1_000;

const cases: readonly { readonly name: string; readonly of: Named; readonly says: RegExp[] }[] = [
  { name: 'a pair that fits', of: { tls: pair('one.crt', 'one.key') }, says: [] },
  { name: 'a chain to trust', of: { tls: { clientCa: at('one.crt') } }, says: [] },
  {
    name: 'the key of another',
    of: { tls: pair('one.crt', 'two.key') },
    says: [/^tls_certificate api\.tls\.key: .*two\.key is not the key of .*one\.crt$/],
  },
  {
    name: 'a certificate that has expired',
    of: { tls: pair('one.crt', 'one.key'), nowMs: Date.now() + YEAR_MS },
    says: [/^tls_certificate api\.tls\.cert: .*one\.crt has expired/],
  },
  {
    name: 'no certificate, and no key, each told',
    of: { tls: pair('noise', 'absent') },
    says: [/api\.tls\.cert: .*cannot be used/, /api\.tls\.key: .*ENOENT/],
  },
  {
    name: 'a chain that is none',
    of: { tls: { clientCa: at('noise') } },
    says: [/api\.tls\.clientCa: .*cannot be used/],
  },
  { name: 'a program', of: { announce: [process.execPath] }, says: [] },
  { name: 'a bare name, looked up when it is called', of: { announce: ['nowhere'] }, says: [] },
  {
    name: 'a file that is no program',
    of: { announce: [at('plain')] },
    says: [/^frontends announce\.command: .*cannot be run/],
  },
];

for (const { name, of, says } of cases) {
  test(`[RE-3] surroundings: ${name}`, () => {
    const told = found(of);
    assert.equal(told.length, says.length, told.join('\n'));
    for (const [index, wanted] of says.entries()) assert.match(told[index] ?? '', wanted);
  });
}
