/**
 * The configuration file, and the two things a reload does outside of actors.
 *
 * `load` answers with a value for every outcome and within its own time limit; a file that cannot be
 * read is one problem. Secrets never leave the port by way of a configuration: what was loaded is
 * held under its hash until `adopt` makes it current.
 */
import type { JsonObject } from '../../machines/model/json.js';
import type { Result } from '../../machines/model/result.js';

export type ProblemCode = 'parse' | 'semantic';

/** What is wrong in the file, and where. */
export interface Problem {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  /** `frontends.cache.pools[0].name`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
  /** `parse`: not our language; `semantic`: understood, and it cannot be. */
  readonly code: ProblemCode;
}

export interface ReadConfig {
  /** A `Config` of src/config as plain data. */
  readonly config: JsonObject;
  /** Equal hashes configure the same node. */
  readonly hash: string;
}

export interface ConfigFile {
  load(): Promise<Result<ReadConfig, readonly Problem[]>>;
  /**
   * Makes the secrets of the load with this hash the ones `secret` gives. Unknown: no change, or the
   * latest load's when none was adopted yet.
   */
  adopt(hash: string): void;
  /** By path, e.g. `tenancy.auth.token`; of the adopted load. */
  secret(path: string): string | undefined;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface ReloadPorts {
  readonly configFile: ConfigFile;
  /** May reject: the reload reports it and goes on. */
  setLogLevel(level: LogLevel): void | Promise<void>;
  /** The generation that decisions are taken under from now on. */
  setGeneration(generation: number): void;
}
