/**
 * What the dataplane contract works with: one connection per test, addresses of its own, and the
 * shorthand for the requests it sends. A test leaves nothing behind, so that the same suite can run
 * against a simulator and against a VPP that other things live on.
 */
import assert from 'node:assert/strict';
import type { LbFailure } from '../../machines/model/failures.js';
import {
  type ActualVip,
  type LbOp,
  type LbState,
  type Vip,
  type VipAttributes,
  vipKey,
} from '../../machines/model/lb.js';
import type { Result } from '../../machines/model/result.js';
import { unpackState } from '../../src/lb/packed/vips.js';
import type { Dataplane } from '../../src/ports/dataplane.js';

/** A dataplane that is not connected yet, and what ends it. Several may be of one and the same VPP. */
export interface OpenedDataplane {
  readonly dataplane: Dataplane;
  close(): Promise<void>;
}

export type OpenDataplane = () => Promise<OpenedDataplane>;

export type Answer<T = void> = Result<T, LbFailure>;

/** `ok`, or the code of the failure with VPP's number where it has one. */
export function outcomeOf(answer: Answer<unknown>): string {
  if (answer.ok) return 'ok';
  const { failure } = answer;
  return failure.code === 'LB_REFUSED' ? `${failure.code} ${failure.retval}` : failure.code;
}

export function expectOk<T>(answer: Answer<T>): T {
  if (answer.ok) return answer.value;
  assert.fail(`${answer.failure.code}: ${answer.failure.message}`);
}

/** A per-port VIP unless `change` says otherwise: one address, TCP port 80. */
export function vipAt(address: string, change: Partial<Vip> = {}): Vip {
  const prefixLength = address.includes(':') ? 128 : 32;
  return { address, prefixLength, protocol: 'tcp', port: 80, ...change };
}

export const ALL_PORTS = { protocol: 'any', port: 0 } as const;

export function attributes(change: Partial<VipAttributes> = {}): VipAttributes {
  return { encap: 'gre4', dscp: 0, srcIpSticky: false, tableLength: 1024, ...change };
}

/** One connected dataplane, with the ops of the contract as functions. */
export class Lab {
  readonly dataplane: Dataplane;
  readonly #added = new Map<string, Vip>();

  constructor(dataplane: Dataplane) {
    this.dataplane = dataplane;
  }

  apply(op: LbOp): Promise<Answer> {
    if (op.op === 'vip.add') this.#added.set(vipKey(op.vip), op.vip);
    return this.dataplane.apply(op);
  }

  addVip(vip: Vip, change: Partial<VipAttributes> = {}): Promise<Answer> {
    return this.apply({ op: 'vip.add', vip, attributes: attributes(change) });
  }

  deleteVip(vip: Vip): Promise<Answer> {
    return this.apply({ op: 'vip.del', vip });
  }

  flush(vip: Vip): Promise<Answer> {
    return this.apply({ op: 'vip.flush', vip });
  }

  add(vip: Vip, as: string, weight: number): Promise<Answer> {
    return this.apply({ op: 'as.add', vip, as, weight });
  }

  weigh(vip: Vip, as: string, weight: number, flush = false): Promise<Answer> {
    return this.apply({ op: 'as.weight', vip, as, weight, flush });
  }

  delete(vip: Vip, as: string): Promise<Answer> {
    return this.apply({ op: 'as.del', vip, as });
  }

  async read(): Promise<LbState> {
    return unpackState(expectOk(await this.dataplane.read()));
  }

  async find(vip: Vip): Promise<ActualVip | undefined> {
    const wanted = vipKey(vip);
    const found = (await this.read()).vips.filter((entry) => vipKey(entry.vip) === wanted);
    assert.ok(found.length <= 1, `${wanted} is listed ${found.length} times`);
    return found[0];
  }

  /** Address → [weight, buckets] of a VIP that must be there. */
  async servers(vip: Vip): Promise<Record<string, readonly [number, number]>> {
    const found = await this.find(vip);
    assert.ok(found, `${vipKey(vip)} is not listed`);
    const rows = found.servers.map((as) => [as.address, [as.weight, as.buckets]] as const);
    assert.equal(new Set(rows.map(([address]) => address)).size, rows.length, 'an AS twice');
    return Object.fromEntries(rows);
  }

  /** Deletes every VIP a test tried to add; what was never made answers so, and that is fine. */
  async tidy(): Promise<void> {
    for (const vip of this.#added.values()) await this.dataplane.apply({ op: 'vip.del', vip });
  }
}

/** Opens, connects, reads (nobody writes to a VPP they have not looked at), runs, tidies, closes. */
export async function withLab(
  open: OpenDataplane,
  run: (lab: Lab) => Promise<void>,
): Promise<void> {
  const { dataplane, close } = await open();
  try {
    expectOk(await dataplane.connect());
    const lab = new Lab(dataplane);
    await lab.read();
    try {
      await run(lab);
    } finally {
      await lab.tidy();
    }
  } finally {
    await close();
  }
}

/** An AS for the bucket formula: its rank is its place in ascending address order. */
export interface Weighted {
  readonly address: string;
  readonly weight: number;
}

/**
 * How VPP shares a new-flow table of `length` buckets among ASes given in ascending address order.
 * Every AS has floor(length / W) buckets per unit of weight, W being the sum of weights. What is left
 * goes to the first entries of the list (replica, AS) in that order, replica 0 of all ASes first.
 */
export function bucketShares(servers: readonly Weighted[], length: number): number[] {
  const total = servers.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return servers.map(() => 0);
  const shares = servers.map(({ weight }) => weight * Math.floor(length / total));
  let left = length % total;
  for (let replica = 0; left > 0; replica += 1) {
    for (const [rank, { weight }] of servers.entries()) {
      if (weight <= replica || left === 0) continue;
      shares[rank] = (shares[rank] ?? 0) + 1;
      left -= 1;
    }
  }
  return shares;
}
