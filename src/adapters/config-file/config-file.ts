/**
 * The configuration file on disk.
 *
 * Input: its path and the environment to expand from. Output: the port `ConfigFile`. The file is
 * read here, once, and everything else happens at a desk in a thread of its own; `inThread: false` does
 * it right here (tests, `check`).
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { ReadRequest, Surroundings } from '../../config/clerk.js';
import type { Config } from '../../config/complete.js';
import type { Environment } from '../../config/expand.js';
import { configLimits } from '../../config/limits.js';
import { type LoadedConfig, loadConfigBytes } from '../../config/load.js';
import type { Secrets } from '../../config/secrets.js';
import type { ConfigDesk, ConfigFile, ConfigText, Problem } from '../../ports/config-file.js';
import type { Store } from '../../ports/store.js';
import { type ClerkLink, clerkHere, clerkInThread } from './clerk-link.js';
import { CONFIG_ARTIFACT, fetchStored, openDesk } from './desk.js';
import { createSecretShelf } from './secret-shelf.js';

export interface ConfigFileOptions {
  readonly file: string;
  readonly env: Environment;
  /** Wins over `node.dataDir`. */
  readonly dataDir?: string;
  /** Default true. */
  readonly inThread?: boolean;
  /** Of one question. Default 180 s: a hundred thousand entries take 14 s of CPU time. */
  readonly timeLimitMs?: number;
  /** Where configurations are kept, once it is open. */
  readonly store?: () => Store | undefined;
  /** What is outside, where everything happens right here; default: what is there. */
  readonly surroundings?: Surroundings;
  /** What the process has read of the file before it had anything to do with it. */
  readonly booted?: BootRead | undefined;
  /** Instead of reading the file. */
  readonly bytes?: () => Promise<Result<Uint8Array, string>>;
}

/** A file that a process has read to start with. Closed, or given away once. */
export interface BootRead {
  readonly hash: string;
  readonly secrets: Secrets;
  readonly link: ClerkLink;
}

export interface BootFile {
  /** Everything but what actors are told. */
  readonly config: Config;
  readonly read: BootRead;
}

const TIME_LIMIT_MS = 180_000;

export function openConfigFile(options: ConfigFileOptions): ConfigFile {
  const shelf = createSecretShelf();
  const store = options.store ?? (() => undefined);
  let { booted } = options;

  const takeBooted = (): BootRead | undefined => {
    const taken = booted;
    booted = undefined;
    return taken;
  };

  const openFile = async (given?: ConfigText): Promise<Result<ConfigDesk, readonly Problem[]>> => {
    const request = await requestOf(options, given);
    if (!request.ok) return request;
    const link = clerkOf(options);
    const read = await ask(link, request.value.file, () => link.ask('read', request.value));
    if (!read.ok) return read;
    const { hash, secrets } = read.value;
    // A text that somebody shows us is only looked at: its secrets are nobody's.
    if (given === undefined) shelf.hold(hash, secrets);
    return ok(openDesk({ link, hash, store }));
  };

  const openNow: ConfigFile['open'] = (given) => {
    // The file is read anew: what it was when the process started is of no use any more.
    if (given === undefined) takeBooted()?.link.close();
    return openFile(given);
  };

  return {
    open: openNow,
    openAtBoot: async () => {
      const taken = takeBooted();
      if (taken === undefined) return openFile();
      const { link, hash, secrets } = taken;
      shelf.hold(hash, secrets);
      return ok(openDesk({ link, hash, store }));
    },
    restore: async (kept) => {
      const stored = await fetchStored(store(), kept);
      const link = clerkOf(options);
      const taken = await link.ask('take', stored).catch((error: Error) => fail(error.message));
      if (taken.ok) return ok(openDesk({ link, hash: kept.hash, store }));
      link.close();
      return taken;
    },
    retain: async (hashes) => {
      await store()?.artifactsKeep(CONFIG_ARTIFACT, hashes);
    },
    adopt: shelf.adopt,
    secret: shelf.secret,
  };
}

/** For a process that is about to start: its first reload goes on with what was read here. */
export async function readBootFile(
  options: ConfigFileOptions,
): Promise<Result<BootFile, readonly Problem[]>> {
  const request = await requestOf(options);
  if (!request.ok) return request;
  const link = clerkOf(options);
  const read = await ask(link, request.value.file, () => link.ask('read', request.value));
  if (!read.ok) return read;
  const config = await link.ask('atBoot', null);
  return ok({ config, read: { link, ...read.value } });
}

/** Reads and checks right here; the problems of an unreadable file included. */
export async function readConfigFile(
  options: ConfigFileOptions,
): Promise<Result<LoadedConfig, readonly Problem[]>> {
  const request = await requestOf(options);
  return request.ok ? loadConfigBytes(request.value) : request;
}

function clerkOf({ inThread, surroundings, timeLimitMs }: ConfigFileOptions): ClerkLink {
  if (inThread === false) return clerkHere(surroundings);
  return clerkInThread(timeLimitMs ?? TIME_LIMIT_MS);
}

/** A clerk that has found problems, or cannot go on, has nothing more to do. */
async function ask<T>(
  link: ClerkLink,
  file: string,
  question: () => Promise<Result<T, readonly Problem[]>>,
): Promise<Result<T, readonly Problem[]>> {
  const answer = await question().catch((error: Error) => fail([problem(file, error.message)]));
  if (!answer.ok) link.close();
  return answer;
}

async function requestOf(
  options: ConfigFileOptions,
  given?: ConfigText,
): Promise<Result<ReadRequest, readonly Problem[]>> {
  const file = resolve(given?.file ?? options.file);
  const bytes = given === undefined ? await bytesOf(options, file) : ok(Buffer.from(given.text));
  if (!bytes.ok) return fail([problem(file, bytes.failure)]);
  const dataDir = options.dataDir === undefined ? undefined : resolve(options.dataDir);
  const env = { ...options.env };
  return ok({ bytes: bytes.value, file, env, hostname: hostname(), dataDir });
}

function bytesOf(options: ConfigFileOptions, file: string): Promise<Result<Uint8Array, string>> {
  return options.bytes === undefined ? readBytes(file) : options.bytes();
}

/** Reads one byte more than is allowed: enough to tell that the file is too large. */
async function readBytes(file: string): Promise<Result<Uint8Array, string>> {
  try {
    // A FIFO without a writer would keep an ordinary open waiting for ever.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = await handle.stat();
      // A folder has an error of its own.
      if (!stats.isFile() && !stats.isDirectory())
        return fail('cannot be read: neither a file nor a link to one');
      const { size } = stats;
      const wanted = Math.min(size, configLimits.textBytesMax + 1);
      const buffer = Buffer.alloc(wanted);
      const { bytesRead } = await handle.read(buffer, 0, wanted, 0);
      return ok(buffer.subarray(0, bytesRead));
    } finally {
      await handle.close();
    }
  } catch (error) {
    return fail(`cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function problem(file: string, message: string): Problem {
  return { file, line: 1, column: 1, path: '', message, code: 'parse' };
}
