/**
 * The crew of a node: its store and its actors, spread over threads or all in one. Both are opened in
 * two steps, because threads need to know the installation and the epoch, which only an open store
 * can tell.
 */
import type { Result } from '../../machines/model/result.js';
import type { SimulatedWorld } from '../adapters/simulated-provider/world.js';
import type { ConfigFile } from '../ports/config-file.js';
import type { AgentEnrolment, EnrolClaims } from '../ports/provider.js';
import type { Store } from '../ports/store.js';
import type { Host } from '../runtime/host.js';
import type { Cluster } from './cluster.js';
import type { HookBoard } from './hook-board.js';
import type { Parts } from './parts.js';
import type { BootSettings, Settings } from './settings.js';

export interface CrewOptions {
  readonly boot: BootSettings;
  readonly parts: Parts;
  readonly configFile: ConfigFile;
  readonly worlds: Map<string, SimulatedWorld> | undefined;
  enrol(claims: EnrolClaims): AgentEnrolment | undefined;
  readonly hooks: HookBoard;
  onFatal(reason: string): void;
}

/** A crew whose store is open; nobody acts yet. */
export interface Muster {
  readonly store: Store;
  /** Brings every actor to life. */
  begin(settings: Settings): Promise<Result<Crew, string>>;
  /** Closes what is open, whether or not `begin` was called. */
  stop(): Promise<void>;
}

export interface Crew {
  /** Of main. */
  readonly host: Host;
  readonly cluster: Cluster;
  /** For tests: cuts a thread off, whatever it is doing. False: there is no such thread. */
  killThread(name: string): boolean;
  /** Wants the fleet's lease from now on, where there is one to want. */
  joinFleet(): void;
}
