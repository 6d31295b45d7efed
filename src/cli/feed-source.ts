/**
 * The feed that a command is about: what is named (a folder, or a stream of NATS servers), else what
 * `feed.source` names, else where the configured sink writes.
 */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { fail, ok, type Result } from '../../machines/model/result.js';
import { readConfigFile } from '../adapters/config-file/config-file.js';
import { openNatsSource } from '../adapters/nats/source.js';
import { systemClock } from '../adapters/system/clock.js';
import { type NatsSettings, natsSettings } from '../app/settings.js';
import type { Config } from '../config/complete.js';
import { parseFeedSource } from '../config/feed-source.js';
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
  if (named !== undefined && !named.includes('://')) return openFolder(resolve(named));
  const config = await configOf(command);
  // A named stream may be read without any configuration; with one, as it says.
  if (!config.ok) return named === undefined ? config : openNamed(named, reader);
  const { feed, outbox } = config.value;
  const source = named ?? feed.source;
  if (source !== undefined) return openNamed(source, reader, outbox.sink);
  if (outbox.sink.driver !== 'nats') return openFolder(outbox.sink.dir);
  return openStream(natsSettings(outbox.sink), reader);
}

type Sink = Config['outbox']['sink'];

async function openNamed(
  source: string,
  reader: string,
  sink?: Sink,
): Promise<Result<FeedSource, NoFeed>> {
  const parsed = parseFeedSource(source);
  if (!parsed.ok) return fail({ exitCode: EXIT.usage, message: `${source}: ${parsed.failure}` });
  if (parsed.value.driver === 'file') return openFolder(parsed.value.dir);
  const { servers, stream } = parsed.value;
  // Whoever lets our sink in lets us read as well.
  const access = sink === undefined ? { replicas: 1 } : natsSettings(sink);
  return openStream({ ...access, servers, stream }, reader);
}

function openStream(nats: NatsSettings, reader: string): Result<FeedSource, NoFeed> {
  return ok(
    openNatsSource({ ...nats, name: `switchyard feed ${reader}`, reader: `cli-${reader}` }),
  );
}

async function openFolder(dir: string): Promise<Result<FeedSource, NoFeed>> {
  const found = await stat(dir).catch(() => undefined);
  if (found?.isDirectory() === true) return ok(openFileSource({ dir, clock: systemClock() }));
  const message = `there is no feed at ${dir}: name its folder with --source`;
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
