/** The whole node in one thread: the same actors, one host, no frames. For debugging and for tests. */
import type { Json } from '../../machines/model/json.js';
import { fail, ok, type Result } from '../../machines/model/result.js';
import { openSqliteStore } from '../adapters/sqlite/open.js';
import { isDuty } from '../policy/duty.js';
import { createHost, type Host } from '../runtime/host.js';
import type { Remote } from '../runtime/kernel.js';
import { createSinglePlacement } from '../runtime/placement.js';
import { createCluster } from './cluster.js';
import type { CrewOptions, Muster } from './crew.js';
import { openFleet } from './fleet.js';
import { createGeneration } from './generation.js';
import { mainPorts } from './main-ports.js';
import { answerQueries } from './queries.js';
import { castOf, portsFor, type Role } from './roles.js';
import { keepUp, metered } from './upkeep.js';

const ALL: readonly Role[] = ['main', 'shard', 'dataplane', 'outbox'];

const NOBODY: Remote = { send: () => false, reply: () => undefined };

export function musterSingle({
  boot,
  parts,
  configFile,
  worlds,
  enrol,
  hooks,
}: CrewOptions): Result<Muster, string> {
  const opened = openSqliteStore({
    file: boot.storeFile,
    durability: boot.durability,
    node: boot.node,
    run: boot.run,
    failpoints: parts.failpoints,
    clock: parts.clock,
    coalesceWindowMs: boot.coalesceWindowMs,
  });
  if (!opened.ok) return fail(opened.failure.message);
  const store = metered(opened.value, parts);
  const upkeep = keepUp({ store, boot, parts });
  let stopped = false;
  let host: Host | undefined;
  let closePorts = async (): Promise<void> => undefined;
  let closeFleet = closePorts;

  const begin: Muster['begin'] = async (settings) => {
    const ports = await portsFor(ALL, {
      ...{ settings, parts, store, thread: 'main', incarnation: settings.epoch },
    });
    if (!ports.ok) return ports;
    if (stopped) return ports.value.close().then(() => fail('the node is stopping'));
    closePorts = ports.value.close;
    const generation = createGeneration(settings.generation);
    const fleet = openFleet({
      ...{ settings, parts, store, hooks },
      orders: {
        setDuty: async (onDuty) => {
          if (onDuty) await made.takeUp();
          else await made.layDown();
        },
        acknowledge: (upTo, lost) => made.acknowledged(upTo, lost),
        tell: (to, message, cause) => made.tell(to, message, cause),
        incarnation: settings.epoch,
      },
    });
    closeFleet = fleet?.close ?? closeFleet;
    const views: Host['views'] = (kind) => made.views(kind);
    const main = mainPorts({
      ...{ settings, parts, store, enrol, configFile, worlds, hooks, generation, fleet, views },
      cluster: () => cluster,
      waiting: () => made.waiting,
    });
    const made = createHost({
      ...parts,
      ...castOf(ALL),
      thread: 'main',
      incarnation: settings.epoch,
      placement: createSinglePlacement(),
      store,
      ports: { ...ports.value.ports, ...main },
      remote: NOBODY,
      generation: () => generation.current,
      ...(settings.lease === undefined ? {} : { duty: { covers: isDuty } }),
    });
    host = made;
    const own = answerQueries({ host: made, parts, generation, retain: upkeep.retain });
    const query = async (): Promise<Json | undefined> => undefined;
    const cluster = createCluster({ host: made, own, others: [], query });
    const started = await made.start();
    if (!started.ok) return fail(started.failure.message);
    return ok({ host: made, cluster, killThread: () => false, joinFleet: () => fleet?.begin() });
  };

  const stop = async (): Promise<void> => {
    stopped = true;
    upkeep.stop();
    await host?.stop();
    await closeFleet();
    await closePorts();
    await store.close();
  };
  return ok({ store, begin, stop });
}
