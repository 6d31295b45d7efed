/**
 * One node, started and stopped: store, threads, actors, servers, in that order, and back.
 *
 *   boot ─► store ─► dataplane program ─► threads and actors ─► first reload ─► servers ─► ready
 */
import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import { NODE_TREE } from '../../actors/node-tree.js';
import { assert } from '../../machines/model/assert.js';
import { addressOf } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import type { OutboxMessage } from '../../machines/model/messages.js';
import { fail, ok, type Result } from '../../machines/model/result.js';
import { type BootFile, openConfigFile } from '../adapters/config-file/config-file.js';
import { watchConfigFile } from '../adapters/config-file/watch-file.js';
import type { SimulatedWorld } from '../adapters/simulated-provider/world.js';
import { nextEpoch } from '../adapters/sqlite/epoch.js';
import type { LogLevel } from '../adapters/system/log.js';
import type { ConfigFile } from '../ports/config-file.js';
import type { NodeApi } from '../ports/node-api.js';
import type { Store } from '../ports/store.js';
import { validateSpec } from '../supervision/validate.js';
import { type AgentDoor, createAgentDoor } from './agent-door.js';
import { createApi } from './api.js';
import { type BootFailure, cannotStart, takeDataDir } from './boot.js';
import type { Crew, CrewOptions, Muster } from './crew.js';
import { musterSingle } from './crew-single.js';
import { musterThreads } from './crew-threads.js';
import { prepareDataplane } from './dataplane.js';
import { createHookBoard, type HookBoard } from './hook-board.js';
import { type NodeLifeInput, storedGeneration, tellOfLife } from './node-life.js';
import { createOrderedGroups } from './ordered-groups.js';
import { createParts, type Parts } from './parts.js';
import { openServers, type Servers } from './servers.js';
import { type BootSettings, bootSettings, type Settings } from './settings.js';

export interface NodeOptions {
  readonly configFile: string;
  /** Instead of `node.dataDir`, at every reload too. */
  readonly dataDir?: string;
  readonly booted: BootFile;
  readonly singleThread: boolean;
  readonly log: { readonly level: LogLevel; readonly pretty: boolean };
  /** `host:port`; absent: no inspector. */
  readonly inspector?: string;
  readonly failpoint: string;
  /** Aborted: stop, however far the start has come. Absent: nobody will. */
  readonly stop?: AbortSignal;
  /** Simulated clouds that outlive this node, by provider; absent: it has its own. */
  readonly worlds?: Map<string, SimulatedWorld>;
  /** The node cannot go on: exit 70 after this. */
  onFatal(reason: string): void;
}

export interface Node {
  readonly api: NodeApi;
  readonly parts: Parts;
  readonly settings: Settings;
  /** Where its servers listen, for the ready line. */
  readonly addresses: JsonObject;
  /** For tests: cuts a thread off, whatever it is doing. False: there is no such thread. */
  killThread(name: string): boolean;
  /** Again, it is the same stop. */
  stop(): Promise<void>;
}

type Undo = () => void | Promise<void>;

const STOPPED: Result<never, BootFailure> = fail({ exitCode: 0, lines: [] });

/** Starts everything, or undoes what it started and says why not. */
export async function startNode(options: NodeOptions): Promise<Result<Node, BootFailure>> {
  assert(validateSpec(NODE_TREE).ok, 'the supervision tree must be sound');
  const undo: Undo[] = [];
  const started = await tryStart(options, undo);
  if (started.ok && options.stop?.aborted !== true) return started;
  for (const step of undo.reverse()) await step();
  return started.ok ? STOPPED : started;
}

/** What `work` answers, unless a stop is asked for first; `work` is then left to be undone. */
function unlessStopped<T>(
  { stop }: NodeOptions,
  work: () => Promise<Result<T, BootFailure>>,
): Promise<Result<T, BootFailure>> {
  if (stop === undefined) return work();
  if (stop.aborted) return Promise.resolve(STOPPED);
  const stopped = new Promise<Result<T, BootFailure>>((resolve) => {
    stop.addEventListener('abort', () => resolve(STOPPED), { once: true });
  });
  return Promise.race([work(), stopped]);
}

async function tryStart(options: NodeOptions, undo: Undo[]): Promise<Result<Node, BootFailure>> {
  const { booted, log, failpoint } = options;
  const { config, read } = booted;
  undo.push(read.link.close);
  const boot = bootSettings(config, {
    run: randomUUID(),
    configDir: dirname(options.configFile),
    log,
    failpoint,
  });
  const lock = await takeDataDir(boot.dataDir);
  if (!lock.ok) return lock;
  undo.push(lock.value);
  const parts = createParts(boot, 'main');
  const hooks = createHookBoard();
  let store: Store | undefined;
  const configFile = configFileOf(options, () => store);
  const agents = createAgentDoor(config, parts);
  const { worlds, onFatal } = options;
  const { enrol } = agents;
  const crewOptions = { boot, parts, configFile, hooks, worlds, enrol, onFatal };
  const mustered = await muster(options, crewOptions);
  if (!mustered.ok) return cannotStart(mustered.failure);
  store = mustered.value.store;
  undo.push(mustered.value.stop);
  const begun = await unlessStopped(options, () => begin(mustered.value, boot, agents));
  if (!begun.ok) return begun;
  const { crew, settings } = begun.value;
  const ordered = createOrderedGroups(() => crew.cluster);
  hooks.register('ordered_groups', ordered.apply);
  const api = createApi({
    directory: crew.cluster,
    store: mustered.value.store,
    clock: parts.clock,
    node: settings.node,
    version: settings.version,
    epoch: settings.epoch,
    open: configFile.open,
    planGroup: ordered.plan,
  });
  const servers = await openServers({
    config,
    api,
    agents,
    parts,
    crew,
    configFile,
    hooks,
    settings,
    ...inspectorOf(options),
  });
  if (!servers.ok) return cannotStart(servers.failure);
  undo.push(servers.value.close);
  undo.push(watchFile(options, { api, hooks, parts }));
  const reloaded = await unlessStopped(options, () => firstReload(crew));
  if (!reloaded.ok) return reloaded;
  crew.joinFleet();
  const life = lifeOf(mustered.value.store, { parts, settings, crew });
  await tellOfLife(life, 'node.started');
  return ok(nodeOf({ api, parts, settings, crew, servers: servers.value, undo, life }));
}

function inspectorOf({ inspector }: NodeOptions): { readonly inspector?: string } {
  return inspector === undefined ? {} : { inspector };
}

function configFileOf(
  { dataDir, configFile: file, booted }: NodeOptions,
  store: () => Store | undefined,
): ConfigFile {
  const moved = dataDir === undefined ? {} : { dataDir };
  return openConfigFile({ file, env: process.env, store, booted: booted.read, ...moved });
}

interface Watching {
  readonly api: NodeApi;
  readonly hooks: HookBoard;
  readonly parts: Parts;
}

/** Watches while `reload.watchFile` says so; answers how to end it. */
function watchFile({ configFile: file }: NodeOptions, { api, hooks, parts }: Watching): Undo {
  const { clock, log } = parts;
  let unwatch: Undo | undefined;
  const end = (): void => {
    void unwatch?.();
    unwatch = undefined;
  };
  hooks.register('watch_file', ({ enabled }) => {
    if (enabled !== true) return end();
    unwatch ??= watchConfigFile({ file, clock, log }, () => {
      log.info({ file }, 'the configuration file changed; reload asked for');
      void api.reload({ trigger: 'file', dryRun: false, disruptive: false });
    });
  });
  return end;
}

function muster({ singleThread }: NodeOptions, crew: CrewOptions): Promise<Result<Muster, string>> {
  return singleThread ? Promise.resolve(musterSingle(crew)) : musterThreads(crew);
}

async function begin(
  mustered: Muster,
  boot: BootSettings,
  agents: AgentDoor,
): Promise<Result<{ readonly crew: Crew; readonly settings: Settings }, BootFailure>> {
  const installation = await installationOf(mustered.store);
  if (!installation.ok) return cannotStart(installation.failure);
  const prepared = await agents.prepare(installation.value);
  if (!prepared.ok) return cannotStart(prepared.failure);
  const epoch = await nextEpoch(mustered.store);
  if (!epoch.ok) return cannotStart(epoch.failure.message);
  // What restored actors decide before the first reload is under the configuration committed last.
  const generation = await storedGeneration(mustered.store);
  if (!generation.ok) return cannotStart(generation.failure);
  const settings = {
    ...boot,
    installation: installation.value,
    ...(prepared.value === undefined ? {} : { agentCa: prepared.value }),
    epoch: epoch.value,
    generation: generation.value,
  };
  const dataplane = await prepareDataplane(boot);
  if (!dataplane.ok) return cannotStart(dataplane.failure);
  const crew = await mustered.begin(settings);
  return crew.ok ? ok({ crew: crew.value, settings }) : cannotStart(crew.failure);
}

/** Given once to a data directory; what this node makes is tagged with it. */
async function installationOf(store: Store): Promise<Result<string, string>> {
  const known = await store.metaGet('installation');
  if (!known.ok) return fail(known.failure.message);
  if (known.value !== undefined) return ok(known.value);
  const fresh = randomUUID();
  const written = await store.metaSet('installation', fresh);
  return written.ok ? ok(fresh) : fail(written.failure.message);
}

/** The configuration reaches the actors as any later reload does. */
async function firstReload({ cluster }: Crew): Promise<Result<void, never>> {
  const message = { type: 'reload.requested', trigger: 'boot', dryRun: false, disruptive: false };
  await cluster.ask(addressOf('reload', 'main'), message);
  return ok(undefined);
}

function lifeOf(
  store: Store,
  { parts, settings, crew }: Pick<Assembled, 'parts' | 'settings' | 'crew'>,
): NodeLifeInput {
  const { clock, ids, log } = parts;
  const { node, version, epoch } = settings;
  const appended = (seq: number): void => {
    const message: OutboxMessage = { type: 'outbox.appended', seq };
    crew.cluster.tell(addressOf('outbox', 'main'), message);
  };
  return { store, clock, ids, log, node, version, epoch, appended };
}

interface Assembled {
  readonly api: NodeApi;
  readonly parts: Parts;
  readonly settings: Settings;
  readonly crew: Crew;
  readonly servers: Servers;
  readonly undo: readonly Undo[];
  readonly life: NodeLifeInput;
}

function nodeOf({ api, parts, settings, crew, servers, undo, life }: Assembled): Node {
  return {
    api,
    parts,
    settings,
    addresses: servers.addresses,
    killThread: crew.killThread,
    stop: once(async () => {
      await tellOfLife(life, 'node.stopping');
      for (const step of [...undo].reverse()) await step();
    }),
  };
}

function once(stop: () => Promise<void>): () => Promise<void> {
  let stopped: Promise<void> | undefined;
  return () => {
    stopped ??= stop();
    return stopped;
  };
}
