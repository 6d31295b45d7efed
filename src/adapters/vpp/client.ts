/**
 * The VPP client: the `Dataplane` port over VPP's binary API socket.
 *
 * Input: connect, read, apply, ping. Output: values; nothing here rejects. One connection at a time:
 * after a loss, or a close, `connect` makes a new one, with its own message ids and knowledge.
 *
 * [VP-5] A VPP that lacks a message needed for reading is refused; one that only lacks a message needed
 * for writing can be read, and `apply` answers `LB_INCOMPATIBLE`. [VP-12] Only a VIP that VPP is
 * known to have is flushed. [VP-13] Each request that changes something is enclosed by failpoints.
 */
import type { LbFailure } from '../../../machines/model/failures.js';
import { type LbOp, vipKey } from '../../../machines/model/lb.js';
import type { PackedState } from '../../../machines/model/lb-packed.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { Clock } from '../../ports/clock.js';
import type { Dataplane, DataplaneHello } from '../../ports/dataplane.js';
import type { Failpoints } from '../../ports/failpoints.js';
import type { Log } from '../../ports/log.js';
import type { Metrics } from '../../ports/metrics.js';
import { Connection } from './connection.js';
import type { TakeMessage } from './framing.js';
import { handshake } from './handshake.js';
import { KnownVips } from './known-vips.js';
import { limits } from './limits.js';
import { requestFor } from './requests.js';
import { failureOf } from './retvals.js';
import { brokenRule } from './rules.js';
import { refuseSocket, unreachableFailure } from './socket-path.js';
import { StateReader } from './state.js';

export interface VppOptions {
  /** Of VPP's API socket. */
  readonly path: string;
  readonly clock: Clock;
  /** How long VPP may take to answer one request. */
  readonly requestTimeoutMs?: number;
  /** Exchanges in flight. */
  readonly window?: number;
  readonly log?: Log;
  readonly metrics?: Metrics;
  readonly failpoints?: Failpoints;
}

export function openVpp(options: VppOptions): Dataplane {
  return new VppClient(options);
}

/** What a connection is worth once its handshake is through. */
interface Session {
  readonly connection: Connection;
  readonly hello: DataplaneHello;
  readonly known: KnownVips;
  /** Keys of messages needed for writing that this VPP lacks. */
  readonly missing: readonly string[];
}

class VppClient implements Dataplane {
  readonly #options: VppOptions;
  readonly #listeners: ((reason: string) => void)[] = [];
  #connecting: Promise<Result<DataplaneHello, LbFailure>> | undefined;
  #connection: Connection | undefined;
  #session: Session | undefined;
  /** Of the last read: the next one will find about as many. */
  #servers = 0;
  /** Counts the calls of `close`: one that comes during `connect` wins. */
  #closes = 0;

  constructor(options: VppOptions) {
    this.#options = options;
  }

  connect(): Promise<Result<DataplaneHello, LbFailure>> {
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async read(): Promise<Result<PackedState, LbFailure>> {
    const session = this.#session;
    if (session === undefined) return fail(this.#unconnected());
    return session.known.learnFrom(
      () => this.#read(session.connection),
      (answer) => (answer.ok ? answer.value : undefined),
    );
  }

  async apply(op: LbOp): Promise<Result<void, LbFailure>> {
    const session = this.#session;
    if (session === undefined) return fail(this.#unconnected());
    const doing = describe(op);
    const [missing] = session.missing;
    if (missing !== undefined) {
      return fail({ code: 'LB_INCOMPATIBLE', message: `${doing}: this VPP has no ${missing}` });
    }
    const broken = brokenRule(op, session.known);
    if (broken !== undefined) {
      return fail({ code: 'LB_INVALID_REQUEST', message: `${doing}: ${broken}` });
    }
    const { failpoints } = this.#options;
    failpoints?.hit('vpp.op.before');
    const { name, body } = requestFor(op);
    const settled = session.known.follow(op);
    const answer = await session.connection.call(name, body);
    if (!answer.ok) return answer;
    failpoints?.hit('vpp.op.after');
    const failure = failureOf(answer.value.retval, doing);
    settled(failure);
    return failure === undefined ? ok(undefined) : fail(failure);
  }

  async ping(): Promise<Result<DataplaneHello, LbFailure>> {
    const session = this.#session;
    if (session === undefined) return fail(this.#unconnected());
    const answer = await session.connection.call('control_ping', {});
    if (!answer.ok) return answer;
    const failure = failureOf(answer.value.retval, 'control_ping');
    if (failure !== undefined) return fail(failure);
    return ok({ version: session.hello.version, pid: answer.value.vpe_pid });
  }

  onDown(listener: (reason: string) => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    this.#closes += 1;
    this.#disconnect();
  }

  #disconnect(): void {
    this.#connection?.close();
    this.#forget();
  }

  async #connect(): Promise<Result<DataplaneHello, LbFailure>> {
    const closes = this.#closes;
    this.#disconnect();
    const refused = await refuseSocket(this.#options.path);
    if (refused !== undefined) return fail(refused);
    if (closes !== this.#closes) return fail(this.#unconnected());
    const connection = new Connection(this.#connectionOptions());
    this.#connection = connection;
    const met = await handshake(connection);
    if (!met.ok) {
      connection.close();
      return met;
    }
    if (this.#connection !== connection) return fail(this.#unconnected());
    const { hello, missing } = met.value;
    this.#session = { connection, hello, missing, known: new KnownVips() };
    this.#options.metrics?.gauge('vpp_connected', 1);
    if (missing.length > 0) {
      this.#options.log?.warn({ missing }, 'this VPP can be read but not changed');
    }
    return ok(hello);
  }

  #connectionOptions() {
    const { path, clock, metrics, requestTimeoutMs, window } = this.#options;
    return {
      path,
      clock,
      metrics,
      requestTimeoutMs: requestTimeoutMs ?? limits.requestTimeoutMsDefault,
      window: Math.min(Math.max(window ?? limits.windowDefault, 1), limits.windowMax),
      onLost: (reason: string) => this.#lost(reason),
    };
  }

  /** A connection lost during its handshake never was open: `connect` tells. */
  #lost(reason: string): void {
    const wasOpen = this.#session !== undefined;
    this.#forget();
    if (!wasOpen) return;
    this.#options.log?.warn({ path: this.#options.path, reason }, 'VPP connection lost');
    for (const listener of this.#listeners) listener(reason);
  }

  #forget(): void {
    this.#connection = undefined;
    this.#session = undefined;
    this.#options.metrics?.gauge('vpp_connected', 0);
  }

  async #read(connection: Connection): Promise<Result<PackedState, LbFailure>> {
    const everyAs = { pfx_address: '0.0.0.0', pfx_len: 0, protocol: 255, port: 0 };
    const everyVip = { ...everyAs, pfx_matcher_le: 255, pfx_matcher_ge: 255 };
    const reader = new StateReader(this.#servers);
    const takeVip: TakeMessage = (bytes, start) => reader.takeVip(bytes, start);
    const takeServer: TakeMessage = (bytes, start) => reader.takeServer(bytes, start);
    const [conf, vips, servers] = await Promise.all([
      connection.call('lb_conf_get', {}),
      connection.dump('lb_vip_dump', everyVip, takeVip),
      connection.dump('lb_as_v2_dump', everyAs, takeServer),
    ]);
    if (!conf.ok) return conf;
    if (!vips.ok) return vips;
    if (!servers.ok) return servers;
    const failure = failureOf(conf.value.retval, 'lb_conf_get');
    if (failure !== undefined) return fail(failure);
    this.#servers = reader.servers;
    const { state, unnamed } = reader.state(conf.value);
    if (unnamed > 0) this.#options.log?.warn({ unnamed }, 'VPP has VIPs that cannot be ours');
    return ok(state);
  }

  #unconnected(): LbFailure {
    return unreachableFailure(this.#options.path, 'not connected');
  }
}

/** `as.weight 203.0.113.7 of 192.0.2.1/32 tcp 443`. */
function describe(op: LbOp): string {
  if (op.op === 'conf.set') return op.op;
  const key = vipKey(op.vip);
  return 'as' in op ? `${op.op} ${op.as} of ${key}` : `${op.op} ${key}`;
}
