/** An exec provider whose program drives the fake cloud, or any other program; its cloud outlives it. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type Cloud, createCloud } from '../../examples/fake-cloud/cloud.js';
import {
  type ExecProviderOptions,
  openExecProvider,
} from '../../src/adapters/exec-provider/provider.js';
import { systemClock } from '../../src/adapters/system/clock.js';
import type { Provider } from '../../src/ports/provider.js';
import {
  expectOk,
  LAB_INSTALLATION,
  LAB_MAX_INSTANCES,
  type ProviderLab,
} from '../contract/provider.js';
import { templateOf } from './process-lab.js';
import { rememberingLog } from './quiet.js';
import { repoPath } from './root.js';

export const CLOUD_TOKEN = 'open-sesame';

export interface CloudAtWork {
  readonly cloud: Cloud;
  readonly url: string;
  close(): Promise<void>;
}

export async function startCloud(pageSize?: number): Promise<CloudAtWork> {
  const cloud = createCloud({
    token: CLOUD_TOKEN,
    ...(pageSize === undefined ? {} : { pageSize }),
  });
  cloud.http.listen(0, '127.0.0.1');
  await once(cloud.http, 'listening');
  const { port } = cloud.http.address() as AddressInfo;
  const close = async (): Promise<void> => {
    cloud.http.closeAllConnections();
    cloud.http.close();
    await once(cloud.http, 'close');
  };
  return { cloud, url: `http://127.0.0.1:${port}`, close };
}

/** Deaths are looked for often: the contract waits for some. */
const POLL_MS = 150;

export function execOptions(changes: Partial<ExecProviderOptions> = {}): ExecProviderOptions {
  return {
    name: 'lab',
    command: [process.execPath, repoPath('examples', 'exec', 'fake-cloud.mjs')],
    cwd: repoPath(),
    installation: LAB_INSTALLATION,
    timeoutMs: 20_000,
    pollIntervalMs: POLL_MS,
    passEnvironment: [],
    environment: process.env,
    maxInstances: LAB_MAX_INSTANCES,
    failpoints: { hit: () => undefined },
    clock: systemClock(),
    log: rememberingLog(),
    ...changes,
  };
}

export interface ExecLab extends ProviderLab {
  readonly cloud: Cloud;
  notify: NonNullable<ProviderLab['notify']>;
  restart(changes?: Partial<ExecProviderOptions>): Promise<Provider>;
}

export async function openExecLab(): Promise<ExecLab> {
  const { cloud, url, close } = await startCloud(4);
  const secrets = { FAKE_CLOUD_URL: url, FAKE_CLOUD_TOKEN: CLOUD_TOKEN };
  const options = execOptions({
    environment: { ...process.env, ...secrets },
    passEnvironment: Object.keys(secrets),
  });
  let provider = expectOk(openExecProvider(options));
  return {
    cloud,
    get provider() {
      return provider;
    },
    template: templateOf({ image: 'debian-12' }),
    kill: (providerId) => {
      const server = cloud.servers.get(providerId);
      if (server !== undefined) cloud.servers.set(providerId, { ...server, status: 'stopped' });
    },
    notify: (providerId, id, deadlineMs) => {
      const server = cloud.servers.get(providerId);
      const leaves = { id, deadline: new Date(deadlineMs).toISOString() };
      if (server !== undefined) cloud.servers.set(providerId, { ...server, leaves });
    },
    restart: async (changes = {}) => {
      await provider.close();
      provider = expectOk(openExecProvider({ ...options, ...changes }));
      return provider;
    },
    dispose: async () => {
      await provider.close();
      await close();
    },
  };
}
