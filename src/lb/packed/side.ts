/**
 * One side of the diff, what VPP has or what is wanted: a map of VIPs by key, whose servers lie together
 * in one sheet. To compare two sides they must number their VIPs by one index.
 *
 * Rules: [LB-70] what is set is what is got; [LB-71] `differing` names exactly the wanted VIPs that are
 * absent, or have other attributes that VPP can report, or other servers.
 */
import { Defect } from '../../../machines/model/assert.js';
import type { VipKey } from '../../../machines/model/lb.js';
import type {
  PackedActual,
  PackedDesired,
  PackedServers,
} from '../../../machines/model/lb-packed.js';
import { attributesWord } from '../attributes.js';
import { Sheet } from './sheet.js';

/** Keys that are gone and still have their number. */
const RETIRED_MAX = 1024;

/** Numbers of VIPs, from 0 in the order of their first appearance. */
export class VipIndex {
  readonly #numbers = new Map<VipKey, number>();
  readonly #keys: VipKey[] = [];

  numberOf(key: VipKey): number {
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.#keys.length);
    return this.#keys.push(key) - 1;
  }

  keyAt(number: number): VipKey {
    return this.#keys[number] ?? '';
  }

  /** Most of its numbers are of VIPs that neither side has. */
  isStale(vips: number): boolean {
    return this.#keys.length > 2 * vips + RETIRED_MAX;
  }
}

interface Packed {
  readonly key: VipKey;
  readonly servers: PackedServers;
}

abstract class Side<V extends Packed> extends Map<VipKey, V> {
  #index: VipIndex;
  #sheet = new Sheet();

  constructor(index: VipIndex) {
    super();
    this.#index = index;
  }

  get index(): VipIndex {
    return this.#index;
  }

  get sheet(): Sheet {
    return this.#sheet;
  }

  protected abstract wordOf(vip: V): number;

  /** The servers are copied: whatever they came in may go. */
  override set(key: VipKey, vip: V): this {
    const servers = this.#sheet.put(this.#index.numberOf(key), this.wordOf(vip), vip.servers);
    super.set(key, { ...vip, servers });
    if (this.#sheet.isWasteful) this.rebuild(this.#index);
    return this;
  }

  override delete(key: VipKey): boolean {
    if (!super.delete(key)) return false;
    this.#sheet.drop(this.#index.numberOf(key));
    return true;
  }

  /** Without waste, and numbered by this index. */
  rebuild(index: VipIndex): void {
    this.#index = index;
    this.#sheet = new Sheet();
    for (const [key, vip] of this) {
      const servers = this.#sheet.put(index.numberOf(key), this.wordOf(vip), vip.servers);
      super.set(key, { ...vip, servers });
    }
  }
}

/** What VPP has. */
export class Mirror extends Side<PackedActual> {
  protected override wordOf({ encap, dscp, tableLength }: PackedActual): number {
    return attributesWord(encap, dscp, tableLength);
  }
}

/** What is wanted, one VIP for each key. */
export class WantedVips extends Side<PackedDesired> {
  /** Those with servers whose flows are to be evicted. */
  readonly evicting = new Set<VipKey>();

  protected override wordOf({ attributes: { encap, dscp, tableLength } }: PackedDesired): number {
    return attributesWord(encap, dscp, tableLength);
  }

  override set(key: VipKey, vip: PackedDesired): this {
    if (vip.evictions.length > 0) this.evicting.add(key);
    else this.evicting.delete(key);
    return super.set(key, vip);
  }

  override delete(key: VipKey): boolean {
    this.evicting.delete(key);
    return super.delete(key);
  }
}

/** Keys of the wanted VIPs that are not there as they are wanted; both sides have one index. */
export function differing(actual: Mirror, wanted: WantedVips): VipKey[] {
  if (actual.index !== wanted.index)
    throw new Defect('two sides that number their VIPs differently');
  return Sheet.differing(actual.sheet, wanted.sheet).map((vip) => wanted.index.keyAt(vip));
}

/** A new index once most numbers of the old one are of nobody. */
export function renumber(actual: Mirror, wanted: WantedVips): void {
  if (!wanted.index.isStale(actual.size + wanted.size)) return;
  const index = new VipIndex();
  actual.rebuild(index);
  wanted.rebuild(index);
}
