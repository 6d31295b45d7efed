/**
 * One client command: finds the daemon's socket, makes the call, and turns a failure into one sentence
 * on stderr and its exit code.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { JsonObject } from '../../machines/model/json.js';
import {
  type ClientFailure,
  type ControlClient,
  connectControl,
  type RemoteDaemon,
} from '../adapters/grpc/client.js';
import { findConfigFile } from './config-file.js';
import { dataDirOf } from './data-dir.js';
import { EXIT } from './exit-codes.js';

export interface GlobalOptions {
  readonly config?: string;
  readonly socket?: string;
  readonly server?: string;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

/** A daemon elsewhere, when one is named; throws what is wrong with how it is named. */
function remoteOf(command: Command): RemoteDaemon | undefined {
  const { server, tlsCa, tlsCert, tlsKey } = command.optsWithGlobals<GlobalOptions>();
  if (server === undefined) return undefined;
  if (tlsCa === undefined || tlsCert === undefined || tlsKey === undefined) {
    throw new RangeError('--server needs --tls-ca, --tls-cert and --tls-key');
  }
  const [ca, cert, key] = [tlsCa, tlsCert, tlsKey].map((file) => readFileSync(file));
  return { server, ca: ca as Buffer, cert: cert as Buffer, key: key as Buffer };
}

/** Where the daemon listens: --socket, SWITCHYARD_SOCKET, or its data directory. */
export async function socketOf(command: Command): Promise<string> {
  const { socket, config } = command.optsWithGlobals<GlobalOptions>();
  const named = socket ?? process.env['SWITCHYARD_SOCKET'];
  if (named !== undefined) return resolve(named);
  const file = findConfigFile(config);
  const dataDir = file === undefined ? 'data' : await dataDirOf(file);
  return resolve(join(dataDir, 'switchyard.sock'));
}

/** Runs `work` against the daemon; its number is the exit code. */
export async function withDaemon(
  command: Command,
  work: (client: ControlClient) => Promise<number>,
): Promise<void> {
  const client = connectControl(remoteOf(command) ?? (await socketOf(command)));
  try {
    process.exitCode = await work(client);
  } finally {
    client.close();
  }
}

const CODE_OF: Readonly<Record<ClientFailure['code'], number>> = {
  unreachable: EXIT.unreachable,
  'not-found': EXIT.notFound,
  refused: EXIT.refused,
  usage: EXIT.usage,
  internal: EXIT.fatal,
};

export function report(failure: ClientFailure): number {
  process.stderr.write(`switchyard: ${failure.message}\n`);
  return CODE_OF[failure.code];
}

/** One call whose answer is printed by `print`. */
export function callAndPrint(
  command: Command,
  call: { readonly name: string; readonly request?: JsonObject },
  print: (answer: JsonObject) => number,
): Promise<void> {
  return withDaemon(command, async (client) => {
    const answer = await client.call(call.name, call.request ?? {});
    return answer.ok ? print(answer.value) : report(answer.failure);
  });
}

/** One stream, gathered; lists are bounded by the daemon. */
export function listAndPrint(
  command: Command,
  call: { readonly name: string; readonly request: JsonObject },
  print: (items: readonly JsonObject[]) => number,
): Promise<void> {
  return withDaemon(command, async (client) => {
    const items: JsonObject[] = [];
    const ended = await client.stream(call.name, call.request, (item) => items.push(item));
    return ended.ok ? print(items) : report(ended.failure);
  });
}
