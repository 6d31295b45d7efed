/** The example tenant manager on a loopback port with a file of its own, and the words people say to it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  startTenantManager,
  type TenantManager,
  type TenantManagerOptions,
} from '../../examples/tenant-manager/server.js';
import { openTenancyHttp } from '../../src/adapters/tenancy-http/tenancy-http.js';
import type { TenancyApi } from '../../src/ports/tenancy-api.js';

export interface Reply {
  readonly status: number;
  readonly body: unknown;
}

export interface Shown {
  readonly id: string;
  readonly name: string;
  readonly deleted: boolean;
  readonly status: { readonly indicator: string; readonly message: string };
}

export interface ManagerLab {
  readonly manager: TenantManager;
  readonly api: TenancyApi;
  /** Its database. */
  readonly file: string;
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Reply>;
  orgs(): Promise<readonly Shown[]>;
  projects(): Promise<readonly Shown[]>;
  /** The same file, opened by a second life of the server. */
  again(): Promise<ManagerLab>;
  dispose(): Promise<void>;
}

export async function managerLab(options: Partial<TenantManagerOptions> = {}): Promise<ManagerLab> {
  const dir = await mkdtemp(join(tmpdir(), 'switchyard-manager-'));
  return openLab(dir, options);
}

async function openLab(dir: string, options: Partial<TenantManagerOptions>): Promise<ManagerLab> {
  const file = join(dir, 'tenants.db');
  const manager = await startTenantManager({
    host: '127.0.0.1',
    port: 0,
    file,
    controllers: { org: ['switchyard'], project: ['switchyard'] },
    ...options,
  });
  const call: ManagerLab['call'] = async (method, path, body, headers = {}) => {
    const response = await fetch(`${manager.url}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  };
  const list = async (path: string) => (await call('GET', path)).body as readonly Shown[];
  return {
    manager,
    file,
    call,
    api: openTenancyHttp({
      url: manager.url,
      controller: 'switchyard',
      userAgent: 'test',
      ...(options.token === undefined ? {} : { token: options.token }),
    }),
    orgs: () => list('/v1/orgs'),
    projects: () => list('/v1/projects'),
    again: async () => {
      await manager.close();
      return openLab(dir, options);
    },
    dispose: async () => {
      await manager.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
