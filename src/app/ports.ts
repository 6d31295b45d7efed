/**
 * The outside world of each role: which adapters its actors are given. The only place where a port
 * meets its adapter.
 */

import { join } from 'node:path';
import type { LbsyncPorts } from '../../actors/lbsync-state.js';
import type { Backlog, OutboxPorts } from '../../actors/outbox-backlog.js';
import { finish } from '../../actors/outbox-pass.js';
import type { ProviderFailure, SinkFailure } from '../../machines/model/failures.js';
import type { ProviderSettings } from '../../machines/model/messages.js';
import { fail, ok, type Result } from '../../machines/model/result.js';
import { openExecProvider } from '../adapters/exec-provider/provider.js';
import { openFileSink } from '../adapters/file-sink/sink.js';
import { openNatsSink } from '../adapters/nats/sink.js';
import { fleetSubject, nodeSubject } from '../adapters/nats/stream.js';
import { openNopSink } from '../adapters/nop-sink/sink.js';
import { meteredProber } from '../adapters/probe/metered.js';
import { openRoutedProber } from '../adapters/probe/routed.js';
import { openProcessProvider } from '../adapters/process-provider/provider.js';
import {
  createSimulatedWorld,
  openSimulatedProvider,
  type SimulatedWorld,
} from '../adapters/simulated-provider/provider.js';
import { isOfFleet } from '../policy/duty.js';
import type { Hold } from '../ports/lease.js';
import type { Provider } from '../ports/provider.js';
import type { Sink } from '../ports/sink.js';
import type { Store } from '../ports/store.js';
import { openDataplane } from './dataplane.js';
import type { Parts } from './parts.js';
import type { NatsSettings, Settings } from './settings.js';

/** Of settings that an older release stored. */
const POLL_INTERVAL_MS = 15_000;

export interface PortsInput {
  readonly settings: Settings;
  readonly parts: Parts;
  readonly store: Store;
}

/** Of a thread: who is given them. */
export interface ThreadPortsInput extends PortsInput {
  readonly thread: string;
  readonly incarnation: number;
}

export interface MainInput extends PortsInput {
  /** Simulated clouds by provider. Given: they outlive the node, as clouds do. */
  readonly worlds?: Map<string, SimulatedWorld> | undefined;
}

export function shardPorts({ parts, settings }: PortsInput) {
  return {
    prober: meteredProber(
      openRoutedProber({ clock: parts.clock, userAgent: `switchyard/${settings.version}` }),
      parts.metrics,
    ),
  };
}

export function dataplanePorts({
  settings,
  parts,
  store,
}: PortsInput): LbsyncPorts & { readonly random: Parts['random'] } {
  const { apiSocket, driver, requestTimeoutMs, window } = settings.dataplane;
  const { clock, log, metrics, failpoints, random } = parts;
  const options = { path: apiSocket, requestTimeoutMs, window, clock, log, metrics, failpoints };
  return { dataplane: openDataplane(settings, options), store, random, driver, metrics };
}

export interface OpenOutbox {
  readonly ports: OutboxPorts;
  /** Publishes what is there yet, within a time, and closes the sink. */
  close(): Promise<void>;
}

export async function outboxPorts(input: ThreadPortsInput): Promise<Result<OpenOutbox, string>> {
  const { settings, parts, store, thread, incarnation } = input;
  const { clock, failpoints, metrics } = parts;
  const opened = await openSink(settings, parts);
  if (!opened.ok) return fail(opened.failure.message);
  const sink = opened.value;
  let backlog: Backlog | undefined;
  const ports: OutboxPorts = {
    ...{ store, sink, failpoints, metrics },
    publisher: { thread, incarnation, epoch: settings.epoch },
    ...(settings.lease === undefined ? {} : { fleetStore: store }),
    onBacklog: (made) => {
      backlog = made;
    },
  };
  const close = async (): Promise<void> => {
    if (backlog !== undefined) await finish(ports, backlog, clock);
    await sink.close();
  };
  return ok({ ports, close });
}

async function openSink(settings: Settings, { log }: Parts): Promise<Result<Sink, SinkFailure>> {
  const { driver, dir, layout, nats } = settings.sink;
  if (nats !== undefined) return ok(natsSink(settings, nats));
  return driver === 'file' ? openFileSink({ dir, layout, log }) : ok(openNopSink());
}

/** Opens by itself when there is something to send: a broker that is away keeps no node from its start. */
function natsSink({ installation, lease, node }: Settings, nats: NatsSettings): Sink {
  const own = nodeSubject(nats.stream, node);
  const fleet = lease === undefined ? own : fleetSubject(nats.stream);
  return openNatsSink({
    ...nats,
    name: `switchyard outbox ${node}`,
    writer: installation,
    subjectOf: (event) => (isOfFleet(event) ? fleet : own),
  });
}

/** @param hold Of the fleet's lease; absent: this node is its own fleet, for good. */
export function providerPorts(
  { settings, parts, store, worlds = new Map() }: MainInput,
  hold?: Hold,
) {
  const { node, epoch, dataDir, configDir } = settings;
  const { clock, log, failpoints } = parts;
  const ownership = {
    node,
    // A fleet's instances are tagged with the fleet, and with the epoch of who asked for them.
    get installation() {
      return hold?.fleet ?? settings.installation;
    },
    get epoch() {
      return hold?.epoch ?? epoch;
    },
  };
  /** One cloud for each provider; it outlives a reopening with other settings. */
  const worldOf = (name: string): SimulatedWorld => {
    const world = worlds.get(name) ?? createSimulatedWorld();
    worlds.set(name, world);
    return world;
  };
  const openProvider = async (
    provider: ProviderSettings,
  ): Promise<Result<Provider, ProviderFailure>> => {
    switch (provider.driver) {
      case 'process':
        return openProcessProvider({
          installation: ownership.installation,
          dir: join(dataDir, 'process', provider.name),
          baseDir: configDir,
          maxInstances: provider.maxInstances,
          clock,
          log,
          failpoints,
        });
      case 'simulated':
        return ok(
          openSimulatedProvider({
            ...{ world: worldOf(provider.name), clock, maxInstances: provider.maxInstances },
            ...(provider.script === undefined ? {} : { script: provider.script }),
          }),
        );
      case 'exec':
        return openExecProvider({
          ...{ name: provider.name, command: provider.command ?? [] },
          ...{ cwd: configDir, installation: ownership.installation, environment: process.env },
          timeoutMs: provider.timeoutMs,
          pollIntervalMs: provider.pollIntervalMs ?? POLL_INTERVAL_MS,
          passEnvironment: provider.passEnvironment ?? [],
          maxInstances: provider.maxInstances,
          ...{ clock, log, failpoints },
        });
    }
  };
  const gate = hold === undefined ? {} : { mayAct: () => hold.mayAct() };
  return { ownership, openProvider, store, ...gate };
}
