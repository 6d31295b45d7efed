/**
 * The Agent service as an agent calls it. Every outcome is a value; a stream that ended says why.
 */
import {
  type ClientReadableStream,
  type ClientWritableStream,
  credentials,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import { AGENT_SERVER_NAME } from '../agent-ca/authority.js';
import { clientOf } from '../grpc/definition.js';
import type { Place } from './pin.js';

export interface CallFailure {
  /** `away`: worth trying again; `refused`: not with what was shown. */
  readonly kind: 'away' | 'refused';
  readonly code: string;
  readonly message: string;
}

export interface Credentials {
  /** PEM. */
  readonly authority: string;
  /** Absent: only Register can be called. */
  readonly own?: { readonly certificate: string; readonly key: string };
}

export type IdentityAnswer = {
  readonly instance: string;
  readonly tenant: string;
  readonly group: string;
  readonly certificate: string;
  readonly authority: string;
  readonly notAfterMs: number;
  readonly renewAtMs: number;
  readonly reportIntervalMs: number;
};

export interface DrainTold {
  readonly instance: string;
  readonly reason: string;
  readonly note: string;
  readonly startedAtMs: number;
  readonly deadlineMs: number;
  readonly phase: 'PENDING' | 'ENDED';
  readonly endedBy: string;
}

export interface AgentClient {
  call<T>(name: string, request: object): Promise<Result<T, CallFailure>>;
  report(end: (failure: CallFailure | undefined) => void): ReportPipe;
  watchDrain(
    each: (drain: DrainTold) => void,
    end: (failure: CallFailure | undefined) => void,
  ): void;
  close(): void;
}

export interface ReportPipe {
  send(report: object): void;
  end(): void;
}

type Unary = (
  request: object,
  options: { readonly deadline: number },
  done: (error: ServiceError | null, answer: unknown) => void,
) => void;

interface Stub {
  readonly [name: string]: unknown;
  close(): void;
}

const CALL_MS = 15_000;
const KEEPALIVE_MS = 20_000;

export function connectAgent(place: Place, shown: Credentials, now: () => number): AgentClient {
  const Client = clientOf('Agent');
  const { authority, own } = shown;
  const pair = own === undefined ? [] : [Buffer.from(own.key), Buffer.from(own.certificate)];
  const host = place.host.includes(':') ? `[${place.host}]` : place.host;
  const stub = new Client(
    `${host}:${place.port}`,
    credentials.createSsl(Buffer.from(authority), ...(pair as [Buffer, Buffer])),
    {
      'grpc.ssl_target_name_override': AGENT_SERVER_NAME,
      'grpc.keepalive_time_ms': KEEPALIVE_MS,
      'grpc.keepalive_permit_without_calls': 0,
      'grpc.enable_retries': 0,
    },
  ) as unknown as Stub;
  const open = new Set<{ cancel(): void }>();
  return {
    call: <T>(name: string, request: object) =>
      new Promise<Result<T, CallFailure>>((resolve) => {
        const unary = (stub[name] as Unary).bind(stub);
        unary(request, { deadline: now() + CALL_MS }, (error, answer) =>
          resolve(error === null ? ok(answer as T) : fail(failureOf(error))),
        );
      }),
    report: (end) => {
      type Report = (done: (error: ServiceError | null) => void) => ClientWritableStream<object>;
      const stream = (stub['Report'] as Report).call(stub, (error) =>
        end(error === null ? undefined : failureOf(error)),
      );
      open.add(stream);
      // Told to `end` as well.
      stream.on('error', () => undefined);
      return {
        send: (report) => void stream.write(report),
        end: () => stream.end(),
      };
    },
    watchDrain: (each, end) => {
      type Watch = (request: object) => ClientReadableStream<DrainTold>;
      const stream = (stub['WatchDrain'] as Watch).call(stub, {});
      open.add(stream);
      stream.on('data', each);
      stream.on('error', (error: ServiceError) => end(failureOf(error)));
      stream.on('end', () => end(undefined));
    },
    close: () => {
      for (const stream of open) stream.cancel();
      stub.close();
    },
  };
}

/** What another attempt with the same key and token would be answered in the same way. */
const FINAL: readonly number[] = [
  status.INVALID_ARGUMENT,
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
  status.FAILED_PRECONDITION,
  status.NOT_FOUND,
];

function failureOf({ code, details }: ServiceError): CallFailure {
  const kind = FINAL.includes(code) ? 'refused' : 'away';
  return { kind, code: status[code] ?? String(code), message: details };
}
