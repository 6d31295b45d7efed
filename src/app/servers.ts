/** The node's doors: the control socket, the admin port, the inspector. Opened last, closed first. */
import { join } from 'node:path';
import type { JsonObject } from '../../machines/model/json.js';
import { ok, type Result } from '../../machines/model/result.js';
import { createDrainBoard, type DrainBoard } from '../adapters/grpc/drain-board.js';
import { healthService } from '../adapters/grpc/health-service.js';
import { operatorService } from '../adapters/grpc/operator-service.js';
import { UNIX_PEER } from '../adapters/grpc/peer.js';
import { serveControl } from '../adapters/grpc/server.js';
import { serveAdmin } from '../adapters/http/server.js';
import { serveInspector } from '../adapters/inspector/server.js';
import type { TapRequest } from '../adapters/inspector/tap.js';
import { processMetrics, renderMetrics } from '../adapters/metrics/registry.js';
import type { Config } from '../config/complete.js';
import { leavesOf } from '../config/fields.js';
import { configSchema } from '../config/schema.js';
import type { ConfigFile } from '../ports/config-file.js';
import type { NodeApi } from '../ports/node-api.js';
import type { AgentDoor } from './agent-door.js';
import type { Crew } from './crew.js';
import type { HookBoard } from './hook-board.js';
import type { Parts } from './parts.js';
import { allMachines } from './roles.js';
import type { Settings } from './settings.js';

export interface ServersOptions {
  readonly config: Config;
  readonly api: NodeApi;
  readonly agents: AgentDoor;
  readonly parts: Parts;
  readonly crew: Crew;
  readonly configFile: ConfigFile;
  readonly hooks: HookBoard;
  readonly settings: Settings;
  /** `host:port`; absent: no inspector. */
  readonly inspector?: string;
}

export interface Servers {
  readonly addresses: JsonObject;
  close(): Promise<void>;
}

interface Door {
  readonly name: string;
  readonly address: string;
  close(): Promise<void>;
}

export async function openServers(options: ServersOptions): Promise<Result<Servers, string>> {
  const doors: Door[] = [];
  const close = async (): Promise<void> => {
    for (const door of doors.reverse()) await door.close();
  };
  const board = createDrainBoard({ api: options.api, clock: options.parts.clock });
  for (const open of [openControl, openAgents, openAdmin, openInspector]) {
    const door = await open(options, board);
    if (!door.ok) {
      await close();
      return door;
    }
    if (door.value !== undefined) doors.push(door.value);
  }
  const addresses = Object.fromEntries(doors.map(({ name, address }) => [name, address]));
  return ok({ addresses, close });
}

type Opened = Promise<Result<Door | undefined, string>>;

async function openControl(
  { agents, api, config, parts, settings }: ServersOptions,
  board: DrainBoard,
): Opened {
  const path = join(settings.dataDir, 'switchyard.sock');
  const { clock, log } = parts;
  const operator = operatorService({
    ...{ api, board, clock, log },
    metricsOf: agents.metricsOf,
    peerOf: () => UNIX_PEER,
  });
  const served = await serveControl({
    path,
    api,
    log,
    operator,
    health: healthService({ api, clock }),
    reflection: config.api.reflection,
  });
  return served.ok ? ok({ name: 'socket', address: path, close: served.value.close }) : served;
}

async function openAgents({ agents, api, hooks }: ServersOptions, board: DrainBoard): Opened {
  const opened = await agents.open(api, board);
  if (!opened.ok || opened.value === undefined) return opened as Awaited<Opened>;
  const { address, close, reload } = opened.value;
  hooks.register('tls_certificate', (files) => reload(files as never));
  return ok({ name: 'api', address, close });
}

async function openAdmin({ api, config, crew, parts }: ServersOptions): Opened {
  const { listen } = config.admin;
  if (listen === 'off') return ok(undefined);
  const ofProcess = processMetrics();
  const metrics = async () => {
    const threads = await crew.cluster.everywhere('metrics', null);
    return renderMetrics([await ofProcess(), ...threads.map(({ answer }) => answer)]);
  };
  const served = await serveAdmin({ listen, api, metrics, log: parts.log });
  return served.ok ? ok({ name: 'admin', ...served.value }) : served;
}

async function openInspector(options: ServersOptions): Opened {
  const { config, configFile, crew, hooks, inspector, parts, settings } = options;
  if (inspector === undefined) return ok(undefined);
  const read = async (request: TapRequest | undefined) =>
    crew.cluster.everywhere('tap', request === undefined ? null : { ...request });
  const served = await serveInspector({
    listen: inspector,
    node: settings.node,
    filter: config.inspector.filter,
    clock: parts.clock,
    log: parts.log,
    machines: allMachines(),
    secrets: () => secretsOf(configFile),
    read,
  });
  if (!served.ok) return served;
  hooks.register('inspector', (filter) => served.value.refilter(filter as never));
  return ok({ name: 'inspector', ...served.value });
}

/** Fields of the configuration that hold secrets; lists of such have no path of their own. */
const SECRET_PATHS: readonly string[] = leavesOf(configSchema)
  .filter(({ note }) => note?.secret === true)
  .map(({ path }) => path);

function secretsOf(configFile: ConfigFile): readonly string[] {
  return SECRET_PATHS.flatMap((path) => configFile.secret(path) ?? []);
}
