/** A process provider in a folder of its own, on a clock that can be told to hurry its long waits. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TemplateSpec } from '../../machines/model/desired.js';
import type { JsonObject } from '../../machines/model/json.js';
import {
  openProcessProvider,
  type ProcessProviderOptions,
} from '../../src/adapters/process-provider/provider.js';
import { systemClock } from '../../src/adapters/system/clock.js';
import type { Clock } from '../../src/ports/clock.js';
import type { Provider } from '../../src/ports/provider.js';
import {
  expectOk,
  LAB_INSTALLATION,
  LAB_MAX_INSTANCES,
  type ProviderLab,
} from '../contract/provider.js';
import { rememberingLog } from './quiet.js';

export interface ProcessLab extends ProviderLab {
  readonly dir: string;
  pidOf(providerId: string): number;
  /** Another run: closes the last one. */
  restart(changes?: Partial<ProcessProviderOptions>): Promise<Provider>;
}

export function templateOf(
  spec: JsonObject,
  vars: Readonly<Record<string, string>> = {},
): TemplateSpec {
  return { name: 'lab', provider: 'local', spec, vars, infraHash: '' };
}

/** Long waits pass a hundred times faster; short ones, of which order is made, stay. */
export function hurriedClock(): Clock {
  const clock = systemClock();
  return {
    ...clock,
    after: (delayMs, run) => clock.after(delayMs > 1_000 ? delayMs / 100 : delayMs, run),
  };
}

export async function openProcessLab(): Promise<ProcessLab> {
  const dir = await mkdtemp(join(tmpdir(), 'switchyard-process-'));
  const options: ProcessProviderOptions = {
    dir,
    baseDir: dir,
    installation: LAB_INSTALLATION,
    maxInstances: LAB_MAX_INSTANCES,
    failpoints: { hit: () => undefined },
    clock: hurriedClock(),
    log: rememberingLog(),
  };
  let provider = expectOk(await openProcessProvider(options));
  const pidOf = (providerId: string): number =>
    JSON.parse(readFileSync(join(dir, providerId, 'meta.json'), 'utf8')).process.pid;
  const restart = async (changes: Partial<ProcessProviderOptions> = {}): Promise<Provider> => {
    await provider.close();
    provider = expectOk(await openProcessProvider({ ...options, ...changes }));
    return provider;
  };
  return {
    dir,
    get provider() {
      return provider;
    },
    template: templateOf({ command: ['sleep', '1000'] }),
    pidOf,
    kill: (providerId) => process.kill(pidOf(providerId), 'SIGKILL'),
    restart,
    async dispose() {
      await restart();
      const { instances } = expectOk(await provider.list(LAB_INSTALLATION));
      await Promise.all(instances.map(({ providerId }) => provider.delete(providerId)));
      await provider.close();
      await rm(dir, { recursive: true });
    },
  };
}
