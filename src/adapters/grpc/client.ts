/** The Control service seen from a command: one call, or one stream, with the failure as a value. */
import { type ClientReadableStream, credentials, type ServiceError, status } from '@grpc/grpc-js';
import type { JsonObject } from '../../../machines/model/json.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import { CONTROL_MESSAGE_BYTES_MAX, controlClient } from './definition.js';

export interface ClientFailure {
  readonly code: 'unreachable' | 'not-found' | 'refused' | 'usage' | 'internal';
  readonly message: string;
}

export interface ControlClient {
  call(name: string, request?: JsonObject): Promise<Result<JsonObject, ClientFailure>>;
  /** Calls `each` for every object; resolves when the stream ends. */
  stream(
    name: string,
    request: JsonObject,
    each: (object: JsonObject) => void,
  ): Promise<Result<void, ClientFailure>>;
  /** Ends what is still open. */
  close(): void;
}

interface Wire {
  readonly json: Buffer;
}

interface Stub {
  readonly [name: string]: unknown;
  close(): void;
}

type Unary = (
  request: JsonObject,
  options: { readonly deadline: number },
  done: (error: ServiceError | null, answer: Wire) => void,
) => void;
type Streaming = (request: JsonObject) => ClientReadableStream<Wire>;

/** Longer than the longest call of the daemon (a reload), so that only a hung one is given up. */
const CALL_DEADLINE_MS = 310_000;

/** A daemon elsewhere, called over TLS. PEM. */
export interface RemoteDaemon {
  /** `host:port`. */
  readonly server: string;
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** The socket of the daemon here, or a daemon elsewhere. */
export function connectControl(daemon: string | RemoteDaemon): ControlClient {
  const Client = controlClient();
  const local = typeof daemon === 'string';
  const path = local ? daemon : daemon.server;
  const stub = new Client(
    local ? `unix:${daemon}` : daemon.server,
    local
      ? credentials.createInsecure()
      : credentials.createSsl(daemon.ca, daemon.key, daemon.cert),
    { 'grpc.max_receive_message_length': CONTROL_MESSAGE_BYTES_MAX },
  ) as unknown as Stub;
  const streams = new Set<ClientReadableStream<Wire>>();
  return {
    call: (name, request = {}) =>
      new Promise((resolve) => {
        const unary = (stub[name] as Unary).bind(stub);
        unary(request, { deadline: Date.now() + CALL_DEADLINE_MS }, (error, answer) =>
          resolve(error === null ? ok(decode(answer)) : fail(failureOf(error, path))),
        );
      }),
    stream: (name, request, each) =>
      new Promise((resolve) => {
        const stream = (stub[name] as Streaming).call(stub, request);
        streams.add(stream);
        stream.on('close', () => streams.delete(stream));
        stream.on('data', (answer: Wire) => each(decode(answer)));
        stream.on('error', (error: ServiceError) => resolve(fail(failureOf(error, path))));
        stream.on('end', () => resolve(ok(undefined)));
      }),
    close: () => {
      // A channel closes by itself only when its streams have ended.
      for (const stream of streams) stream.cancel();
      stub.close();
    },
  };
}

function decode(answer: Wire): JsonObject {
  return JSON.parse(answer.json.toString('utf8')) as JsonObject;
}

function failureOf(error: ServiceError, path: string): ClientFailure {
  const message = error.details;
  switch (error.code) {
    case status.UNAVAILABLE:
      return {
        code: 'unreachable',
        message: path.startsWith('/')
          ? `no daemon answers on ${path}: start one with 'switchyard run', or name its socket with --socket`
          : `no daemon answers at ${path} (${message}): is it there, and are --tls-ca, --tls-cert and --tls-key its?`,
      };
    case status.DEADLINE_EXCEEDED:
      return {
        code: 'unreachable',
        message: `the daemon on ${path} does not answer: its log says what it is doing`,
      };
    case status.NOT_FOUND:
      return { code: 'not-found', message };
    case status.FAILED_PRECONDITION:
      return { code: 'refused', message };
    case status.UNAUTHENTICATED:
    case status.PERMISSION_DENIED:
      return { code: 'refused', message };
    case status.INVALID_ARGUMENT:
      return { code: 'usage', message };
    default:
      return { code: 'internal', message };
  }
}
