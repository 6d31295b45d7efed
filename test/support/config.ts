/** Configurations for tests: loads text as the file `/site/switchyard.yaml` of the host `edge-9`. */
import assert from 'node:assert/strict';
import type { Config } from '../../src/config/complete.js';
import type { Environment } from '../../src/config/expand.js';
import { type LoadedConfig, loadConfig } from '../../src/config/load.js';
import { printProblem } from '../../src/config/problem.js';
import type { Problem } from '../../src/ports/config-file.js';

const SOURCE = { file: '/site/switchyard.yaml', hostname: 'edge-9' };

/** As the daemon finds it: with its problems, if it has any. */
export function loadText(text: string, env: Environment = {}): ReturnType<typeof loadConfig> {
  return loadConfig({ ...SOURCE, text, env });
}

export function loadedFrom(text: string, env: Environment = {}): LoadedConfig {
  const loaded = loadText(text, env);
  assert.ok(loaded.ok, loaded.ok ? '' : loaded.failure.map(printProblem).join('\n'));
  return loaded.value;
}

export function configFrom(text: string, env: Environment = {}): Config {
  return loadedFrom(text, env).config;
}

export function problemsOf(text: string, env: Environment = {}): readonly Problem[] {
  const loaded = loadText(text, env);
  return loaded.ok ? [] : loaded.failure;
}

/** As `line:col path: message`, without the file. */
export function saysOf(text: string, env: Environment = {}): readonly string[] {
  return problemsOf(text, env).map((problem) =>
    printProblem(problem).slice(`${SOURCE.file}:`.length),
  );
}

/** A site with one of everything, to build on. */
export const SITE = `
node: { name: edge-1, addressPools: { public: 198.51.100.0/24 } }
tenancy:
  url: http://127.0.0.1:8080
  auth: { token: sesame }
  onProject:
    groups: { web: { template: web, size: 3, backend: { probePort: 8080, healthCheck: http-ok } } }
    frontends:
      web: { addressFrom: public, port: 80, pools: [{ name: one, members: [{ group: web }] }] }
providers: { local: { driver: process } }
templates: { web: { provider: local, spec: { command: [node, server.mjs] } } }
healthChecks: { http-ok: { type: http, path: /healthz, interval: 2s, fastInterval: 500ms } }
tenants: { acme: { groups: { api: { template: web, size: 2 }, db: { template: web } } } }
backends:
  cache-1: { address: 10.0.0.21, healthCheck: http-ok }
  cache-2: { address: 10.0.0.22 }
frontends:
  cache:
    address: 192.0.2.1
    port: 443
    pools:
      - { name: primary, members: [{ backend: cache-1, weight: 50 }, { group: acme/api }] }
      - { name: fallback, members: [{ backend: cache-2 }] }
  bulk: { address: 192.0.2.2, pools: [{ name: one, members: [{ backend: cache-1 }] }] }
`;
