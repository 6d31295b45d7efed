/**
 * A node that serves, from `ready` to its end: reloads on hangups, and the service manager told of all
 * of it.
 *
 * Rules: [OP-1] a reload that was announced is announced as over, once the last one asked for is; [OP-2]
 * signs of life are given until the process ends.
 */
import {
  NO_SERVICE_MANAGER,
  openServiceManager,
  type ServiceManager,
} from '../adapters/systemd/notify.js';
import type { Node } from './node.js';
import type { End, Signals } from './signals.js';

export async function serveNode(node: Node, signals: Signals): Promise<End> {
  const { log } = node.parts;
  const { version, node: name } = node.settings;
  const manager = await managerOf(node);
  log.info({ node: name, version, ...node.addresses }, 'ready');
  manager.ready('serving');
  keepTelling(manager);
  const reload = createReloads(node, manager, signals);
  const end = await signals.until((hangup) => {
    log.info({ signal: hangup }, 'reload asked for');
    void reload();
  });
  log.info({ reason: end.reason }, 'stopping');
  manager.stopping(`stopping: ${end.reason}`);
  await node.stop();
  log.info({}, 'stopped');
  return end;
}

async function managerOf({ parts }: Node): Promise<ServiceManager> {
  const { env, pid, hrtime } = process;
  const monotonicUs = (): bigint => hrtime.bigint() / 1_000n;
  const told = { ...env };
  // For this process alone: what it starts must not speak for it.
  for (const key of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[key];
  return told['NOTIFY_SOCKET'] === undefined
    ? NO_SERVICE_MANAGER
    : openServiceManager({ env: told, pid, monotonicUs, log: parts.log });
}

/** To the end of the process: a stop is under supervision as well. */
function keepTelling(manager: ServiceManager): void {
  const { aliveEveryMs } = manager;
  if (aliveEveryMs === undefined) return;
  manager.alive();
  setInterval(manager.alive, aliveEveryMs).unref();
}

/**
 * systemd waits for the end of the reload it saw beginning; several at once end together. What is still
 * under way when the node stops is nobody's news.
 */
export function createReloads(
  node: Pick<Node, 'api'>,
  manager: Pick<ServiceManager, 'ready' | 'reloading'>,
  signals: Pick<Signals, 'end'>,
): () => Promise<void> {
  let running = 0;
  return async () => {
    running += 1;
    manager.reloading('reloading');
    const { status, generation } = await node.api.reload({
      trigger: 'signal',
      dryRun: false,
      disruptive: false,
    });
    running -= 1;
    if (running > 0 || signals.end !== undefined) return;
    manager.ready(`serving generation ${generation}; last reload: ${status}`);
  };
}
