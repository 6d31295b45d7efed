/**
 * What the reload actor is given of the node: its file, hooks of the process, the plan of a dry run, and
 * how results are told in log and metrics.
 */
import type { ActorKind, Address } from '../../machines/model/ids.js';
import type { Json, JsonObject } from '../../machines/model/json.js';
import type { ConfigFile } from '../ports/config-file.js';
import type { ReloadPorts } from '../ports/reload.js';
import type { Store } from '../ports/store.js';
import type { Cluster } from './cluster.js';
import type { Generation } from './generation.js';
import type { HookBoard } from './hook-board.js';
import type { Parts } from './parts.js';
import { planOn } from './plan.js';

export interface ReloadPortsInput {
  readonly parts: Parts;
  readonly store: Store;
  readonly configFile: ConfigFile;
  readonly hooks: HookBoard;
  readonly generation: Generation;
  /** Known once the actors live. */
  readonly cluster: () => Cluster;
  /** Messages of main that have not left yet. */
  readonly waiting: () => number;
}

/** Messages that may wait to leave before more are made. */
const WAITING_MAX = 4_096;
/** How soon it is looked again whether they left. */
const LOOK_MS = 2;

export function reloadPorts(input: ReloadPortsInput): ReloadPorts {
  const { parts, store, configFile, hooks, generation, cluster, waiting } = input;
  const { clock } = parts;
  hooks.register('log_level', async ({ level }) => {
    await cluster().everywhere('logLevel', level ?? null);
  });
  hooks.register('retention', async (settings) => {
    await cluster().everywhere('retention', settings);
  });
  return {
    configFile,
    failpoints: parts.failpoints,
    hook: hooks.find,
    setGeneration: (to) => {
      generation.raise(to);
      void cluster().everywhere('generation', to);
    },
    room: async () => {
      await new Promise<void>((resolve) => clock.soon(resolve));
      while (waiting() > WAITING_MAX) {
        await new Promise<void>((resolve) => void clock.after(LOOK_MS, resolve));
      }
    },
    quarantined: async (kinds) => quarantinedOf(cluster(), kinds),
    plan: (desk) => planOn({ directory: cluster(), store, clock }, desk),
    report: (result) => report(parts, result),
  };
}

async function quarantinedOf(
  cluster: Cluster,
  kinds: readonly ActorKind[],
): Promise<readonly Address[]> {
  const found = await cluster.everywhere('quarantined', [...kinds]);
  return found.flatMap(({ answer }) => answer as unknown as readonly Address[]);
}

const LEVELS: Readonly<Record<string, 'info' | 'warn' | 'error'>> = {
  full_success: 'info',
  unchanged: 'info',
  partial_applied: 'warn',
};

function report({ log, metrics }: Parts, result: JsonObject): void {
  const { status, generation, trigger, outcomes, requiresRestart, loadError } = result;
  metrics.count('reload_total', { status: String(status) });
  const failed = ((outcomes ?? []) as readonly JsonObject[])
    .filter((outcome) => outcome['error'] !== undefined)
    .map((outcome) => `${outcome['name']}: ${outcome['error']}`);
  const optional: Record<string, Json> = {
    ...(failed.length === 0 ? {} : { failed }),
    ...(loadError === undefined ? {} : { loadError }),
    ...((requiresRestart as readonly string[]).length === 0
      ? {}
      : { requiresRestart: requiresRestart as Json }),
  };
  const level = LEVELS[String(status)] ?? 'error';
  log[level]({ status, generation, trigger, ...optional }, 'reload');
}
