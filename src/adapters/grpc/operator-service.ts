/**
 * The Operator service: for programs that carry out drains and keep groups.
 *
 * Input: gRPC calls, and who makes them. Output: drains, errors and groups as streams that resume, answers of
 * verbs. A caller of one tenant is told of that tenant alone, whatever it asks for.
 *
 * Rules: [ID-17] what belongs to another tenant does not exist for a caller of one; [ID-20] [ID-21]
 * drain-board.ts; [ID-22] errors have a history: `since` is the last one seen; [CL-7] slow readers.
 */
import {
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { JsonObject } from '../../../machines/model/json.js';
import type { Clock } from '../../ports/clock.js';
import type { Log } from '../../ports/log.js';
import type { NodeApi } from '../../ports/node-api.js';
import { followEvents } from '../watch/follow.js';
import { wantedItems } from '../watch/wanted.js';
import type { AnyCall } from './agent-service.js';
import type { DrainBoard } from './drain-board.js';
import { errorIn } from './error-events.js';
import { GROUP_CALLS } from './group-calls.js';
import { watchGroups } from './group-watch.js';
import { type Answer, OPERATOR_CALLS, type Request } from './operator-calls.js';
import type { OperatorPeer, Peer } from './peer.js';
import { type CallRefusal, refusedWith } from './refusals.js';
import { endStream } from './streams.js';

export interface OperatorServiceOptions {
  readonly api: NodeApi;
  readonly board: DrainBoard;
  readonly clock: Clock;
  readonly log: Log;
  /** Of the newest report of an instance's agent. */
  metricsOf(instance: string): Readonly<Record<string, number>> | undefined;
  peerOf(call: AnyCall): Peer;
}

type Unary = ServerUnaryCall<Request, JsonObject>;
type Streaming = ServerWritableStream<Request, object>;
type Done = sendUnaryData<object>;

const NO_OPERATOR = refusedWith(
  'UNAUTHENTICATED',
  "ID-16: an operator's certificate is needed here",
);

export function operatorService(options: OperatorServiceOptions): UntypedServiceImplementation {
  const { api } = options;
  const unary =
    (name: string, work: (peer: OperatorPeer, request: Request) => Answer) =>
    (call: Unary, done: Done) => {
      const peer = options.peerOf(call);
      if (peer.kind !== 'operator') return done(NO_OPERATOR);
      work(peer, call.request).then(
        (answer) => (answer.ok ? done(null, packed(answer.value)) : done(answer.failure)),
        (error: unknown) => done(internal(options, name, error)),
      );
    };
  const calls = Object.fromEntries(
    Object.entries({ ...OPERATOR_CALLS, ...GROUP_CALLS }).map(([name, work]) => [
      name,
      unary(name, (peer, request) => work({ api, peer, metricsOf: options.metricsOf }, request)),
    ]),
  );
  const streaming = (open: (call: Streaming, scope: Scope) => Following) => (call: Streaming) => {
    const peer = options.peerOf(call);
    if (peer.kind !== 'operator') return endStream(call, NO_OPERATOR);
    const following = open(call, { tenant: scopeOf(peer, textOf(call.request, 'tenant')) });
    call.on('drain', following.resume);
    for (const event of ['cancelled', 'close', 'error']) call.on(event, following.stop);
  };
  return {
    ...calls,
    WatchDrains: streaming((call, { tenant }) =>
      options.board.follow({
        ...(tenant === '' ? {} : { tenant }),
        tell: (notice) => call.write({ ...notice }),
      }),
    ),
    WatchErrors: streaming((call, { tenant }) => watchErrors(api, call, tenant)),
    ListGroups: (call: Streaming) => listGroups(options, call),
    WatchGroups: streaming((call, { tenant }) =>
      watchGroups({ ...options, tenant, tell: (event) => call.write(event) }),
    ),
  };
}

interface Following {
  resume(): void;
  stop(): void;
}

interface Scope {
  /** Empty: all. */
  readonly tenant: string;
}

/** Nothing is named so: who asks for another tenant than its own sees an empty one. */
const NOBODYS = '-';

function scopeOf({ tenant }: OperatorPeer, asked: string): string {
  if (tenant === undefined) return asked;
  return asked === '' || asked === tenant ? tenant : NOBODYS;
}

function watchErrors(api: NodeApi, call: Streaming, tenant: string): Following {
  const wanted = wantedItems({ kind: '', tenant });
  return followEvents({
    api,
    since: Number(call.request['since'] ?? 0),
    write: (item) => {
      const event = wanted(item) ? errorIn(item) : undefined;
      return event === undefined || call.write(event);
    },
  });
}

function listGroups(options: OperatorServiceOptions, call: Streaming): void {
  const peer = options.peerOf(call);
  if (peer.kind !== 'operator') return endStream(call, NO_OPERATOR);
  const tenant = scopeOf(peer, textOf(call.request, 'tenant'));
  options.api.list('groups', tenant === '' ? {} : { tenant }).then(
    (groups) => {
      for (const group of groups) call.write(packed(group));
      call.end();
    },
    (error: unknown) => endStream(call, internal(options, 'ListGroups', error)),
  );
}

function internal({ log }: OperatorServiceOptions, call: string, error: unknown): CallRefusal {
  log.error({ call, err: error }, 'call failed');
  return { code: status.INTERNAL, message: `${call} failed inside the daemon: see its log` };
}

function packed(object: JsonObject): { readonly json: Buffer } {
  return { json: Buffer.from(JSON.stringify(object)) };
}

function textOf(request: Request, name: string): string {
  const value = request[name];
  return typeof value === 'string' ? value : '';
}
