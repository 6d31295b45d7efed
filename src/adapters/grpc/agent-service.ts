/**
 * The Agent service: calls and streams of agents, each first asked who it is.
 *
 * Input: gRPC calls on the TLS door. Output: their answers, or a status with one sentence. A stream lives no
 * longer than the certificate it began with, and is asked for its identity again while it talks.
 *
 * Rules: [ID-6] [ID-12] whose identity is revoked, or whose certificate ends, loses its streams; [ID-16] every
 * call but Register is refused without an agent's certificate.
 */
import {
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { JsonObject } from '../../../machines/model/json.js';
import type { Clock } from '../../ports/clock.js';
import type { Log } from '../../ports/log.js';
import type { AgentCalls, Outcome } from './agent-calls.js';
import { AGENT_LIMITS } from './agent-limits.js';
import type { ReportIn } from './agent-report.js';
import type { AgentStreams } from './agent-streams.js';
import type { DrainBoard } from './drain-board.js';
import type { AgentPeer, Peer } from './peer.js';
import { type CallRefusal, refusedWith } from './refusals.js';
import { endStream } from './streams.js';

export interface AgentServiceOptions {
  readonly calls: AgentCalls;
  readonly streams: AgentStreams;
  readonly board: DrainBoard;
  readonly clock: Clock;
  readonly log: Log;
  peerOf(call: AnyCall): Peer;
}

export type AnyCall = Pick<ServerUnaryCall<unknown, unknown>, 'getAuthContext'>;

type Unary = ServerUnaryCall<Readonly<Record<string, unknown>>, JsonObject>;
type Done = sendUnaryData<JsonObject>;

const NO_AGENT = refusedWith(
  'UNAUTHENTICATED',
  "ID-16: an agent's certificate is needed: register first",
);
const EXPIRED = refusedWith(
  'UNAUTHENTICATED',
  'ID-12: the certificate has expired: renew it and come again',
);
const TOO_MANY = refusedWith(
  'RESOURCE_EXHAUSTED',
  'ID-13: too many streams of this agent are open',
);

export function agentService(options: AgentServiceOptions): UntypedServiceImplementation {
  const { calls } = options;
  const unary = (name: string, work: (peer: AgentPeer) => Outcome) => (call: Unary, done: Done) => {
    const peer = options.peerOf(call);
    if (peer.kind !== 'agent') done(NO_AGENT);
    else settle(options, { name, done }, () => work(peer));
  };
  return {
    Register: (call: Unary, done: Done) => {
      const { token, publicKey } = call.request as { token: string; publicKey: Buffer };
      settle(options, { name: 'Register', done }, () => calls.register({ token, publicKey }));
    },
    Renew: unary('Renew', calls.renew),
    AcknowledgeDrained: unary('AcknowledgeDrained', calls.acknowledge),
    Report: (call: ServerReadableStream<ReportIn, JsonObject>, done: Done) => {
      report(options, call, done);
    },
    WatchDrain: (call: ServerWritableStream<unknown, JsonObject>) => watchDrain(options, call),
  };
}

function settle(
  { log }: AgentServiceOptions,
  { name, done }: { readonly name: string; readonly done: Done },
  work: () => Outcome,
): void {
  work().then(
    (outcome) => (outcome.ok ? done(null, outcome.value) : done(outcome.failure)),
    (error: unknown) => {
      log.error({ call: name, err: error }, 'call of an agent failed');
      done({ code: status.INTERNAL, message: `${name} failed inside the daemon` });
    },
  );
}

/** One stream of reports, from its admission to its one answer. */
function report(
  options: AgentServiceOptions,
  call: ServerReadableStream<ReportIn, JsonObject>,
  done: Done,
): void {
  const peer = options.peerOf(call);
  if (peer.kind !== 'agent') return done(NO_AGENT);
  let over = false;
  const finish = (refusal?: CallRefusal): void => {
    if (over) return;
    over = true;
    watch.stop();
    const summary = stream?.summary ?? { taken: 0, ignored: 0 };
    stream?.close();
    if (refusal === undefined) done(null, { ...summary });
    else done(refusal);
  };
  const watch = watchIdentity(options, peer, finish);
  const stream = options.streams.open(peer.identity.instance, finish);
  if (stream === undefined) return finish(TOO_MANY);
  const begin = (): void => {
    call.on('data', (message: ReportIn) => {
      if (over) return;
      const refusal = stream.take(message);
      if (refusal !== undefined) finish(refusal);
      else watch.heard();
    });
  };
  call.on('end', () => finish());
  call.on('error', () => finish());
  call.on('cancelled', () => finish());
  void watch.admitted.then((admitted) => {
    if (admitted && !over) begin();
  });
}

function watchDrain(
  options: AgentServiceOptions,
  call: ServerWritableStream<unknown, JsonObject>,
): void {
  const peer = options.peerOf(call);
  if (peer.kind !== 'agent') return endStream(call, NO_AGENT);
  let over = false;
  let following: ReturnType<DrainBoard['follow']> | undefined;
  const finish = (refusal?: CallRefusal): void => {
    if (over) return;
    over = true;
    watch.stop();
    following?.stop();
    if (refusal !== undefined) endStream(call, refusal);
  };
  const watch = watchIdentity(options, peer, finish);
  watch.patrol();
  for (const event of ['cancelled', 'close', 'error']) call.on(event, () => finish());
  call.on('drain', () => following?.resume());
  void watch.admitted.then((admitted) => {
    if (!admitted || over) return;
    const { instance } = peer.identity;
    following = options.board.follow({ instance, tell: (notice) => call.write({ ...notice }) });
  });
}

interface IdentityWatch {
  /** False: it was refused, and `end` was called. */
  readonly admitted: Promise<boolean>;
  /** It talks: now and then it is asked again who it is. */
  heard(): void;
  /** It never talks: it is asked by the clock. */
  patrol(): void;
  stop(): void;
}

function watchIdentity(
  { calls, clock, log }: AgentServiceOptions,
  peer: AgentPeer,
  end: (refusal: CallRefusal) => void,
): IdentityWatch {
  let checkedAtMs = clock.monotonic();
  const check = async (): Promise<boolean> => {
    checkedAtMs = clock.monotonic();
    try {
      const admitted = await calls.admit(peer);
      if (!admitted.ok) end(admitted.failure);
      return admitted.ok;
    } catch (error) {
      log.error({ call: 'admit', err: error }, 'call of an agent failed');
      end({ code: status.INTERNAL, message: 'the call failed inside the daemon' });
      return false;
    }
  };
  const cancels = [clock.after(Math.max(0, peer.notAfterMs - clock.now()), () => end(EXPIRED))];
  const patrol = (): void => {
    cancels[1] = clock.after(AGENT_LIMITS.patrolMs, () => {
      patrol();
      void check();
    });
  };
  return {
    patrol,
    admitted: check(),
    heard: () => {
      if (clock.monotonic() - checkedAtMs >= AGENT_LIMITS.recheckMs) void check();
    },
    stop: () => {
      for (const cancel of cancels) cancel();
    },
  };
}
