/**
 * The VIPs this connection knows of: read from VPP, or added and acknowledged.
 *
 * Needed because some requests are safe only for some VIPs: VPP flushes something else when told to
 * flush a VIP it does not have, and can die of changes to NAT VIPs, which others may have made.
 */
import type { LbFailure } from '../../../machines/model/failures.js';
import { type LbOp, type Vip, type VipKey, vipKey } from '../../../machines/model/lb.js';
import type { PackedState } from '../../../machines/model/lb-packed.js';
import type { WireEncap } from './kinds.js';

export class KnownVips {
  #encaps = new Map<VipKey, WireEncap>();
  #complete = false;
  /** Changes acknowledged while reads are under way; a read may be older than they are. */
  readonly #journals = new Set<Map<VipKey, WireEncap | undefined>>();

  /** Whether VPP's own list was read: then what is not known is not there. */
  get complete(): boolean {
    return this.#complete;
  }

  encapOf(vip: Vip): WireEncap | undefined {
    return this.#encaps.get(vipKey(vip));
  }

  /**
   * An op is about to be sent; call the result with what became of it. A VIP counts as there once its
   * add is acknowledged, and as gone from the moment its delete is sent.
   */
  follow(op: LbOp): (failure: LbFailure | undefined) => void {
    if (op.op === 'vip.add') {
      const { vip, attributes } = op;
      return (failure) => {
        if (failure === undefined) this.#change(vipKey(vip), attributes.encap);
        // Somebody else's, made since the read: it may be anything, a NAT VIP too.
        else if (failure.code === 'LB_EXISTS') this.#complete = false;
      };
    }
    if (op.op !== 'vip.del') return () => {};
    const key = vipKey(op.vip);
    const encap = this.#encaps.get(key);
    this.#change(key, undefined);
    return (failure) => {
      const stillThere = failure !== undefined && failure.code !== 'LB_NO_SUCH_ENTRY';
      if (stillThere && encap !== undefined) this.#change(key, encap);
    };
  }

  /** Runs a read and takes over what it saw. */
  async learnFrom<T>(
    read: () => Promise<T>,
    seen: (answer: T) => PackedState | undefined,
  ): Promise<T> {
    const journal = new Map<VipKey, WireEncap | undefined>();
    this.#journals.add(journal);
    const answer = await read();
    this.#journals.delete(journal);
    const state = seen(answer);
    if (state === undefined) return answer;
    this.#encaps = new Map();
    for (const [key, { encap }] of state.vips) this.#encaps.set(key, encap);
    this.#complete = true;
    for (const [key, encap] of journal) this.#change(key, encap);
    return answer;
  }

  #change(key: VipKey, encap: WireEncap | undefined): void {
    if (encap === undefined) this.#encaps.delete(key);
    else this.#encaps.set(key, encap);
    for (const journal of this.#journals) journal.set(key, encap);
  }
}
