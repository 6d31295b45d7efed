/**
 * The configuration file on disk.
 *
 * Input: its path and the environment to expand from. Output: the port `ConfigFile`. The file is
 * parsed in a thread of its own with a memory and a time limit, so that a hostile or huge file
 * costs a problem and not the daemon; `inThread: false` parses right here (tests, `check`).
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { JsonObject } from '../../../machines/model/json.js';
import { fail, type Result } from '../../../machines/model/result.js';
import type { Environment } from '../../config/expand.js';
import { configLimits } from '../../config/limits.js';
import { type LoadedConfig, loadConfigBytes } from '../../config/load.js';
import type { Secrets } from '../../config/secrets.js';
import type { ConfigFile, Problem } from '../../ports/config-file.js';
import type { ParseRequest } from './parse-thread.js';

export interface ConfigFileOptions {
  readonly file: string;
  readonly env: Environment;
  /** Wins over `node.dataDir`. */
  readonly dataDir?: string;
  /** Default true. */
  readonly inThread?: boolean;
  /** Default 30 s. */
  readonly timeLimitMs?: number;
}

const TIME_LIMIT_MS = 30_000;
const HEAP_MB = 2_048;
/** Loads whose secrets are kept until one of them is adopted. */
const HELD_MAX = 4;

type Loaded = Result<LoadedConfig, readonly Problem[]>;

export function openConfigFile(options: ConfigFileOptions): ConfigFile {
  const held = new Map<string, Secrets>();
  let current: Secrets | undefined;
  let latest: Secrets = {};
  return {
    async load() {
      const loaded = await readConfigFile(options);
      if (!loaded.ok) return loaded;
      const { config, hash, secrets } = loaded.value;
      held.delete(hash);
      held.set(hash, secrets);
      latest = secrets;
      for (const old of [...held.keys()].slice(0, -HELD_MAX)) held.delete(old);
      return { ok: true, value: { config: config as unknown as JsonObject, hash } };
    },
    adopt(hash) {
      // A new process that keeps an older configuration has only the secrets of the new file.
      current = held.get(hash) ?? current ?? latest;
    },
    secret: (path) => current?.[path],
  };
}

/** Parses text that somebody else read: `file` only says where it comes from. */
export function parseConfigText(options: ConfigFileOptions, text: string): Promise<Loaded> {
  return parse(options, Buffer.from(text));
}

/** Reads and parses once; the problems of an unreadable file included. */
export async function readConfigFile(options: ConfigFileOptions): Promise<Loaded> {
  const file = resolve(options.file);
  const bytes = await readBytes(file);
  return bytes.ok ? parse(options, bytes.value) : fail([problem(file, bytes.failure)]);
}

async function parse(options: ConfigFileOptions, bytes: Uint8Array): Promise<Loaded> {
  const file = resolve(options.file);
  const dataDir = options.dataDir === undefined ? undefined : resolve(options.dataDir);
  const env = { ...options.env };
  const request = { bytes, file, env, hostname: hostname(), dataDir };
  if (options.inThread === false) return loadConfigBytes(request);
  return parseInThread(request, options.timeLimitMs ?? TIME_LIMIT_MS);
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
      return { ok: true, value: buffer.subarray(0, bytesRead) };
    } finally {
      await handle.close();
    }
  } catch (error) {
    return fail(`cannot be read: ${reasonOf(error)}`);
  }
}

function parseInThread(request: ParseRequest, timeLimitMs: number): Promise<Loaded> {
  return new Promise((settle) => {
    const thread = new Worker(new URL('./parse-thread.js', import.meta.url), {
      workerData: request,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
      env: {},
    });
    const finish = (loaded: Loaded): void => {
      clearTimeout(limit);
      settle(loaded);
      void thread.terminate();
    };
    const giveUp = (message: string): void => finish(fail([problem(request.file, message)]));
    const limit = setTimeout(() => giveUp('takes too long to parse'), timeLimitMs);
    thread.once('message', finish);
    thread.once('error', (error) => giveUp(`cannot be parsed: ${reasonOf(error)}`));
    thread.once('exit', () => giveUp('cannot be parsed: the parser stopped'));
  });
}

function problem(file: string, message: string): Problem {
  return { file, line: 1, column: 1, path: '', message, code: 'parse' };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
