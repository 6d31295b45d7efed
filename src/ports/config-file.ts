/**
 * The configuration file and what became of it: read and checked in a thread of its own, kept in the
 * store under its hash, asked piece by piece.
 *
 * Nothing here hands over a whole configuration: it may be larger than what an event loop should
 * take in at once. Every call answers with a value for every outcome and within its own time limit; a
 * file that cannot be read is one problem. Secrets never leave the port by way of a configuration: what
 * was read is held under its hash until `adopt` makes it current.
 */
import type { Address } from '../../machines/model/ids.js';
import type { Json, JsonObject } from '../../machines/model/json.js';
import type { Message } from '../../machines/model/messages.js';
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

/** A configuration by its hash; `inline`: its content, where it is not in the store. */
export interface KeptConfig {
  readonly hash: string;
  readonly inline?: JsonObject;
}

/** Text that somebody else read; `file` only says where it comes from. */
export interface ConfigText {
  readonly file: string;
  readonly text: string;
}

/** With what a configuration is compared. */
export interface Against {
  readonly committed: KeptConfig | null;
  /** Restart-only fields of what the process booted with; `null`: it boots with this one. */
  readonly booted: JsonObject | null;
  readonly retired: VanishedNames;
  /** Whether its surroundings (certificates, programs) are looked at as well. */
  readonly prepare: boolean;
}

export interface VanishedNames {
  readonly tenants: readonly string[];
  readonly backends: readonly string[];
  readonly frontends: readonly string[];
}

/** Which messages are wanted. */
export interface LetterOrder {
  readonly hook: string;
  readonly generation: number;
  readonly retired: VanishedNames;
  /** Its objects are gone where this one lacks them. */
  readonly previous: KeptConfig | null;
  readonly mayRecreate: boolean;
}

export interface ConfigLetter {
  readonly to: Address;
  readonly message: Message;
}

/** One configuration that was read, held in a place of its own until it is closed. */
export interface ConfigDesk {
  /** Equal hashes configure the same node. */
  readonly hash: string;
  /** `Read` of src/policy/reload.ts. */
  compare(against: Against): Promise<Json>;
  /** Puts its content into the store. */
  keep(): Promise<Result<void, string>>;
  /** What a hook of the process itself is given. */
  settings(hook: string): Promise<JsonObject>;
  /** In batches that an event loop takes in without a stall, in their order. */
  letters(order: LetterOrder): AsyncIterable<readonly ConfigLetter[]>;
  close(): void;
}

export interface ConfigFile {
  /** Reads and checks the file, or the text given instead of it. */
  open(given?: ConfigText): Promise<Result<ConfigDesk, readonly Problem[]>>;
  /** What the process has read to start with, once, unless the file was opened since; else as `open`. */
  openAtBoot(): Promise<Result<ConfigDesk, readonly Problem[]>>;
  /** One that was kept; fails with a sentence. */
  restore(kept: KeptConfig): Promise<Result<ConfigDesk, string>>;
  /** Of what was kept, only these are still needed. */
  retain(hashes: readonly string[]): Promise<void>;
  /**
   * Makes the secrets of the file with this hash the ones `secret` gives. Unknown: no change, or the
   * latest file's when none was adopted yet.
   */
  adopt(hash: string): void;
  /** By path, e.g. `tenancy.auth.token`; of the adopted file. */
  secret(path: string): string | undefined;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
