/**
 * The judge behind the dataplane port, with faults to order: the k-th request fails, is lost on its
 * way there, or is done and its answer lost. Answers come in a later turn, as from a socket.
 */
import type { LbFailure } from '../../machines/model/failures.js';
import type { LbOp } from '../../machines/model/lb.js';
import { fail, ok } from '../../machines/model/result.js';
import { packState } from '../../src/lb/packed/vips.js';
import type { Dataplane } from '../../src/ports/dataplane.js';
import { keyOf, type StrictLb } from './strict-lb.js';

export type Fault =
  /** Refused with this failure; nothing is done. */
  | { readonly kind: 'refused'; readonly failure: LbFailure }
  /** The connection breaks before or after the request was carried out. */
  | { readonly kind: 'lost'; readonly done: boolean };

export interface StrictDataplane extends Dataplane {
  /** Requests since the start, acknowledged or not. */
  readonly sent: LbOp[];
  reads: number;
  pid: number;
  reachable: boolean;
  /** By number of the request, counted from 0 over the life of this object. */
  readonly faults: Map<number, Fault>;
  /** Breaks the connection as a restart of VPP does. */
  drop(reason: string): void;
}

const UNREACHABLE: LbFailure = { code: 'LB_UNREACHABLE', message: 'not connected' };

export function createStrictDataplane(lb: StrictLb): StrictDataplane {
  const listeners: ((reason: string) => void)[] = [];
  let connected = false;
  const hello = () => ({ version: 'strict', pid: dataplane.pid });
  const dataplane: StrictDataplane = {
    sent: [],
    reads: 0,
    pid: 4711,
    reachable: true,
    faults: new Map(),
    drop: (reason) => {
      if (!connected) return;
      connected = false;
      for (const listener of listeners) listener(reason);
    },
    connect: async () => {
      await turn();
      connected = dataplane.reachable;
      return connected ? ok(hello()) : fail(UNREACHABLE);
    },
    read: async () => {
      await turn();
      if (!connected) return fail(UNREACHABLE);
      dataplane.reads += 1;
      return ok(packState(lb.state()));
    },
    apply: async (op) => {
      const broken = refusedByClient(lb, op);
      await turn();
      if (!connected) return fail(UNREACHABLE);
      const fault = dataplane.faults.get(dataplane.sent.length);
      dataplane.sent.push(op);
      if (broken !== undefined) return fail({ code: 'LB_INVALID_REQUEST', message: broken });
      if (fault?.kind === 'refused') return fail(fault.failure);
      const failure = fault?.done === false ? undefined : lb.apply(op);
      if (fault === undefined) return failure === undefined ? ok(undefined) : fail(failure);
      dataplane.drop('request timed out');
      return fail({ code: 'LB_TIMEOUT', message: 'no answer' });
    },
    ping: async () => {
      await turn();
      return connected ? ok(hello()) : fail(UNREACHABLE);
    },
    onDown: (listener) => {
      listeners.push(listener);
    },
    close: async () => {
      connected = false;
    },
  };
  return dataplane;
}

/** What the real client refuses to send, knowing the VIPs it has seen so far. */
function refusedByClient(lb: StrictLb, op: LbOp): string | undefined {
  if (op.op === 'conf.set') return op.conf.stickyBucketsPerCore < 1 ? 'sticky buckets' : undefined;
  if (op.op === 'vip.add') {
    const { encap, tableLength } = op.attributes;
    const longest = op.vip.address.includes(':') ? 128 : 32;
    if (op.vip.prefixLength > longest || op.vip.address.startsWith('::')) return 'prefix';
    if (!LENGTHS.includes(tableLength)) return 'table length';
    return ENCAPS[longest].includes(encap) ? undefined : 'encapsulation';
  }
  const known = lb.vips.get(keyOf(op.vip));
  if (op.op !== 'as.add' || known === undefined) return undefined;
  return op.as.includes(':') === (known.attributes.encap === 'gre6') ? undefined : 'family';
}

const LENGTHS: readonly number[] = Array.from({ length: 16 }, (_, bits) => 2 ** bits);
const ENCAPS: Readonly<Record<32 | 128, readonly string[]>> = {
  32: ['gre4', 'gre6', 'l3dsr'],
  128: ['gre4', 'gre6'],
};

function turn(): Promise<void> {
  return Promise.resolve();
}
