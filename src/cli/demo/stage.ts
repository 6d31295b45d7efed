/**
 * The demo's programs: tenant manager and daemon as child processes, the control client to ask the
 * daemon, and the end of everything that would outlive them.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { JsonObject } from '../../../machines/model/json.js';
import { type ControlClient, connectControl } from '../../adapters/grpc/client.js';
import { packageFile } from '../../adapters/system/package-file.js';
import { endDetachedVppSim } from '../../vppsim/detached.js';

export interface Stage {
  readonly dir: string;
  readonly feedDir: string;
  readonly socket: string;
  /** Base address of the tenant manager. */
  startTenantManager(): Promise<string>;
  /** The fields of the daemon's ready line. */
  startDaemon(tenantManager: string): Promise<JsonObject>;
  list(kind: string): Promise<readonly JsonObject[]>;
  show(kind: string, name: string): Promise<JsonObject>;
  call(name: string, request: JsonObject): Promise<JsonObject>;
  close(): Promise<void>;
}

/** How long a program may take to say that it is there. */
const READY_WITHIN_MS = 60_000;
/** How long a program may take to end when asked. */
const END_WITHIN_MS = 10_000;

const built = (path: string): string =>
  fileURLToPath(new URL(`../../../../${path}`, import.meta.url));

export function openStage(): Stage {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-demo-'));
  const socket = join(dir, 'switchyard.sock');
  const children: ChildProcess[] = [];
  let client: ControlClient | undefined;

  const start = (args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess => {
    const child = spawn(process.execPath, args, {
      env: { ...process.env, ...env },
      // Ctrl-C reaches the whole terminal; the demo ends its programs itself, in order.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    return child;
  };

  const ask = (): ControlClient => {
    client ??= connectControl(socket);
    return client;
  };

  const call = async (name: string, request: JsonObject): Promise<JsonObject> => {
    const answer = await ask().call(name, request);
    if (!answer.ok) throw new Error(answer.failure.message);
    return answer.value;
  };

  return {
    dir,
    socket,
    feedDir: join(dir, 'feed'),
    startTenantManager: async () => {
      const args = ['--listen', '127.0.0.1:0', '--db', join(dir, 'tenant-manager.db')];
      const child = start([built('dist/examples/tenant-manager/main.js'), ...args], {});
      const line = await lineWhere(child, ({ listening }) => typeof listening === 'string');
      return String(line['listening']);
    },
    startDaemon: (tenantManager) => {
      const config = packageFile('examples', 'demo.yaml');
      const args = ['run', '--config', config, '--data-dir', dir];
      const child = start([built('dist/src/cli/main.js'), ...args], {
        TENANT_MANAGER_URL: tenantManager,
      });
      return lineWhere(child, ({ msg }) => msg === 'ready');
    },
    list: async (kind) => {
      const items: JsonObject[] = [];
      const ended = await ask().stream('List', { kind }, (item) => items.push(item));
      if (!ended.ok) throw new Error(ended.failure.message);
      return items;
    },
    show: (kind, name) => call('Show', { kind, name }),
    call,
    close: async () => {
      client?.close();
      for (const child of children.reverse()) await endChild(child);
      // The simulator outlives the daemon by design; the demo's own one ends with the demo.
      await endDetachedVppSim(join(dir, 'vpp.sock'));
      rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

/** The first JSON line of a program's output that `wanted` accepts. */
function lineWhere(
  child: ChildProcess,
  wanted: (line: JsonObject) => boolean,
): Promise<JsonObject> {
  return new Promise((resolve, reject) => {
    const seen: string[] = [];
    const timer = setTimeout(
      () => reject(new Error(`a program did not start:\n${seen.slice(-10).join('\n')}`)),
      READY_WITHIN_MS,
    );
    const take = (text: string): void => {
      seen.push(text);
      const line = parse(text);
      if (line === undefined || !wanted(line)) return;
      clearTimeout(timer);
      resolve(line);
    };
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', take);
    }
    child.on('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`a program ended at once (${code}):\n${seen.slice(-10).join('\n')}`));
    });
  });
}

function parse(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}

function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), END_WITHIN_MS);
    child.on('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill('SIGTERM');
  });
}
