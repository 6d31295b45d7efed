/** The feed that a command is about: a folder that is named, or where the configured sink writes. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { fail, ok, type Result } from '../../machines/model/result.js';
import { readConfigFile } from '../adapters/config-file/config-file.js';
import { openNatsSource } from '../adapters/nats/source.js';
import { systemClock } from '../adapters/system/clock.js';
import { natsSettings } from '../app/settings.js';
import type { Config } from '../config/complete.js';
import { printProblem } from '../config/problem.js';
import { openFileSource } from '../feed/file-source.js';
import type { FeedSource } from '../ports/feed-source.js';
import { findConfigFile, NO_CONFIG } from './config-file.js';
import { EXIT } from './exit-codes.js';

export interface NoFeed {
  readonly exitCode: number;
  readonly message: string;
}

/** `reader` names who asks, where the feed remembers its readers. */
export async function openFeed(
  command: Command,
  named: string | undefined,
  reader: string,
): Promise<Result<FeedSource, NoFeed>> {
  if (named !== undefined) return openFolder(resolve(named));
  const config = await configOf(command);
  if (!config.ok) return config;
  const { sink } = config.value.outbox;
  if (sink.driver !== 'nats') return openFolder(sink.dir);
  const name = `switchyard feed ${reader}`;
  return ok(openNatsSource({ ...natsSettings(sink), name, reader: `cli-${reader}` }));
}

async function openFolder(dir: string): Promise<Result<FeedSource, NoFeed>> {
  const found = await stat(dir).catch(() => undefined);
  if (found?.isDirectory() === true) return ok(openFileSource({ dir, clock: systemClock() }));
  const message = `there is no feed at ${dir}: name its folder with --dir`;
  return fail({ exitCode: EXIT.notFound, message });
}

async function configOf(command: Command): Promise<Result<Config, NoFeed>> {
  const { config } = command.optsWithGlobals<{ readonly config?: string }>();
  const file = findConfigFile(config);
  if (file === undefined) return fail({ exitCode: EXIT.failed, message: NO_CONFIG });
  const loaded = await readConfigFile({ file, env: process.env, inThread: false });
  if (loaded.ok) return ok(loaded.value.config);
  const first = loaded.failure.map(printProblem)[0] ?? `${file} cannot be read`;
  return fail({ exitCode: EXIT.failed, message: first });
}
