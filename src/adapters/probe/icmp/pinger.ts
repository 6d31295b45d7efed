/**
 * ICMP echo over datagram sockets: one socket for each family and source address, however many
 * backends; a reply belongs to the request whose sequence number and nonce it carries.
 *
 * Output: `L3OK` when the reply came; the attempt's own timeout else; `undefined` when this process may
 * not have such a socket (`trouble` says why), and somebody else has to ask.
 */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:dgram';
import type { HealthCheckSpec } from '../../../../machines/model/desired.js';
import type { Attempt } from '../attempt.js';
import { failed, type Outcome, passed, refusalOf } from '../outcome.js';
import { type Echo, echoRequest, type Family, readReply, SEQUENCE_MAX } from './echo.js';
import { openEchoSocket } from './socket.js';

export interface Pinger {
  ping(current: Attempt, address: string, check: HealthCheckSpec): Promise<Outcome | undefined>;
  /** Why the last socket could not be had. */
  readonly trouble: string | undefined;
  close(): void;
}

/** Requests under way over one socket, by sequence number. */
interface Flow {
  readonly family: Family;
  readonly socket: Socket;
  readonly waiting: Map<number, { readonly nonce: bigint; answered(): void }>;
  sequence: number;
}

type Opening = Promise<Flow | undefined>;

/** The destination's "port" means nothing to ICMP, but Node wants one. */
const ANY_PORT = 1;

export function createPinger(): Pinger {
  const flows = new Map<string, Opening>();
  let trouble: string | undefined;

  const flowOf = (family: Family, source: string | undefined): Opening => {
    const key = `${family} ${source ?? ''}`;
    const opening = flows.get(key) ?? open(family, source);
    flows.set(key, opening);
    // The next probe tries again.
    void opening.then((flow) => flow === undefined && flows.delete(key));
    return opening;
  };

  const open = async (family: Family, source: string | undefined): Opening => {
    const opened = await openEchoSocket(family, source);
    if (opened.ok) return flowOver(family, opened.value);
    trouble = opened.failure;
    return undefined;
  };

  return {
    ping: async (current, address, check) => {
      const family = address.includes(':') ? 6 : 4;
      const flow = await flowOf(family, family === 4 ? check.source4 : check.source6);
      return flow === undefined ? undefined : ask(flow, current, address);
    },
    get trouble() {
      return trouble;
    },
    close: () => {
      for (const opening of flows.values()) void opening.then((flow) => flow?.socket.close());
      flows.clear();
    },
  };
}

function flowOver(family: Family, socket: Socket): Flow {
  const flow: Flow = { family, socket, waiting: new Map(), sequence: 0 };
  socket.on('message', (packet) => {
    const echo = readReply(family, packet);
    const request = echo === undefined ? undefined : flow.waiting.get(echo.sequence);
    if (request?.nonce === echo?.nonce) request?.answered();
  });
  // What concerns one request comes back from its `send`.
  socket.on('error', () => undefined);
  return flow;
}

function ask(flow: Flow, current: Attempt, address: string): Promise<Outcome> {
  const echo = nextEcho(flow);
  if (echo === undefined) {
    return Promise.resolve(failed('SOCKERR', 'too many echo requests are under way'));
  }
  return new Promise((resolve) => {
    const answered = (): void => resolve(passed('L3OK', 'echo reply'));
    flow.waiting.set(echo.sequence, { nonce: echo.nonce, answered });
    current.closing(() => flow.waiting.delete(echo.sequence));
    flow.socket.send(echoRequest(flow.family, echo), ANY_PORT, address, (error) => {
      if (error !== null) resolve({ ...refusalOf(error, 'L3'), positive: false });
    });
  });
}

function nextEcho(flow: Flow): Echo | undefined {
  if (flow.waiting.size > SEQUENCE_MAX) return undefined;
  do flow.sequence = (flow.sequence + 1) & SEQUENCE_MAX;
  while (flow.waiting.has(flow.sequence));
  return { sequence: flow.sequence, nonce: randomBytes(8).readBigUInt64BE() };
}
