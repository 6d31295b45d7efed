/**
 * The Control and Operator services on the node's unix socket (mode 0660; the file's permissions are the guard).
 * Slow readers are held back by their own stream; a stream that ends frees what it held.
 */
import { chmodSync, existsSync, lstatSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { JsonObject } from '../../../machines/model/json.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { Log } from '../../ports/log.js';
import type { NodeApi } from '../../ports/node-api.js';
import { followEvents } from '../watch/follow.js';
import { wantedItems } from '../watch/wanted.js';
import { type CallFailure, LISTS, UNARY } from './calls.js';
import { CONTROL_MESSAGE_BYTES_MAX, clientOf, controlClient } from './definition.js';
import { INSPECTION } from './inspection-calls.js';
import { reflectionServices } from './reflection-service.js';
import type { Request } from './request-fields.js';
import { scale } from './scale-call.js';
import { endStream } from './streams.js';
import { sweep } from './sweep-call.js';
import { TENANTS } from './tenant-calls.js';

export interface ControlServer {
  close(): Promise<void>;
}

export interface ControlOptions {
  readonly path: string;
  readonly api: NodeApi;
  readonly log: Log;
  /** The Operator service; absent: there is none. */
  readonly operator?: UntypedServiceImplementation;
  /** gRPC's own health service; absent: there is none. */
  readonly health?: UntypedServiceImplementation;
  /** Tools may ask which services there are. */
  readonly reflection?: boolean;
}

/** `sun_path` of Linux, without its closing zero. */
const SOCKET_PATH_BYTES_MAX = 107;

interface Wire {
  readonly json: Buffer;
}

const encode = (object: JsonObject): Wire => ({ json: Buffer.from(JSON.stringify(object)) });

export async function serveControl(
  options: ControlOptions,
): Promise<Result<ControlServer, string>> {
  const { path } = options;
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX) {
    return fail(
      `${path} is longer than the ${SOCKET_PATH_BYTES_MAX} bytes a socket's path may have: choose a shorter node.dataDir`,
    );
  }
  const free = await freeSocket(path);
  if (!free.ok) return free;
  const server = new Server({
    'grpc.max_receive_message_length': CONTROL_MESSAGE_BYTES_MAX,
    'grpc.max_concurrent_streams': 64,
  });
  server.addService(controlClient().service, controlService(options));
  if (options.health !== undefined) server.addService(clientOf('Health').service, options.health);
  if (options.operator !== undefined) {
    server.addService(clientOf('Operator').service, options.operator);
  }
  for (const { definition, implementation } of options.reflection === true
    ? reflectionServices()
    : []) {
    server.addService(definition, implementation);
  }
  const bound = await bind(server, path);
  if (!bound.ok) return bound;
  chmodSync(path, 0o660);
  return ok({ close: () => close(server, path) });
}

export function controlService({
  api,
  log,
}: Pick<ControlOptions, 'api' | 'log'>): UntypedServiceImplementation {
  const calls = { ...UNARY, ...INSPECTION, ...TENANTS, Scale: scale };
  const unary = Object.entries(calls).map(([name, call]) => [
    name,
    (request: ServerUnaryCall<Request, Wire>, reply: sendUnaryData<Wire>) => {
      call(api, request.request).then(
        (answer) => (answer.ok ? reply(null, encode(answer.value)) : reply(answer.failure)),
        (error: unknown) => reply(internal(log, name, error)),
      );
    },
  ]);
  const lists = Object.entries({ ...LISTS, Sweep: sweep }).map(([name, call]) => [
    name,
    (stream: ServerWritableStream<Request, Wire>) => {
      call(api, stream.request).then(
        async (answer) => {
          if (answer.ok) await writeAll(stream, answer.value);
          else endStream(stream, answer.failure);
        },
        (error: unknown) => endStream(stream, internal(log, name, error)),
      );
    },
  ]);
  const watch = (stream: ServerWritableStream<Request, Wire>) => watchEvents(api, stream);
  return Object.fromEntries([...unary, ...lists, ['WatchEvents', watch]]);
}

function internal(log: Log, call: string, error: unknown): CallFailure {
  log.error({ call, err: error }, 'call failed');
  return { code: status.INTERNAL, message: `${call} failed inside the daemon: see its log` };
}

async function writeAll(
  stream: ServerWritableStream<Request, Wire>,
  objects: readonly JsonObject[],
): Promise<void> {
  for (const object of objects) {
    if (stream.cancelled || stream.destroyed) return;
    if (!stream.write(encode(object))) await drained(stream);
  }
  stream.end();
}

function drained(stream: ServerWritableStream<Request, Wire>): Promise<void> {
  const ends = ['drain', 'close', 'cancelled'] as const;
  return new Promise((resolve) => {
    const end = (): void => {
      for (const name of ends) stream.off(name, end);
      resolve();
    };
    for (const name of ends) stream.on(name, end);
  });
}

function watchEvents(api: NodeApi, stream: ServerWritableStream<Request, Wire>): void {
  const { since, kind, tenant } = stream.request as { since: number; kind: string; tenant: string };
  const wanted = wantedItems({ kind, tenant });
  const following = followEvents({
    api,
    since,
    write: (item) => !wanted(item) || stream.write(encode({ ...item })),
  });
  stream.on('drain', following.resume);
  stream.on('cancelled', following.stop);
  stream.on('close', following.stop);
}

/**
 * A socket file nobody listens on is left over from a crash; any other belongs to a daemon, also one
 * too busy to answer.
 */
async function freeSocket(path: string): Promise<Result<void, string>> {
  if (!existsSync(path)) return ok(undefined);
  if (!lstatSync(path).isSocket()) {
    return fail(`${path} is no socket: move it away, it is where the daemon listens`);
  }
  if (await isListenedOn(path)) {
    return fail(
      `${path} is in use by another daemon: stop it, or give this one another node.dataDir`,
    );
  }
  unlinkSync(path);
  return ok(undefined);
}

function isListenedOn(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) =>
      resolve(!LEFT_OVER.includes(error.code)),
    );
  });
}

function bind(server: Server, path: string): Promise<Result<void, string>> {
  return new Promise((resolve) => {
    server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) =>
      resolve(error === null ? ok(undefined) : fail(`cannot listen on ${path}: ${error.message}`)),
    );
  });
}

/** What only a socket without a listener, or none at all, answers. */
const LEFT_OVER: readonly (string | undefined)[] = ['ECONNREFUSED', 'ENOENT'];

/** How long open streams may take to end before they are cut. */
const CLOSE_GRACE_MS = 1_000;

function close(server: Server, path: string): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.forceShutdown(), CLOSE_GRACE_MS);
    server.tryShutdown(() => {
      clearTimeout(timer);
      if (existsSync(path)) unlinkSync(path);
      resolve();
    });
  });
}
