/**
 * What frontends want of lbsync, level by level: each frontend's latest word counts, whatever the
 * order in which words arrive.
 *
 *   wanted     it sent its VIP                 awaited    it exists but is not ready: hands off
 *   withdrawn  it sent its VIP away and waits to hear that it is gone
 *
 * Rules: [LB-41] a VIP two frontends want belongs to the first of them until that one lets go;
 * [LB-42] a VIP key its frontend no longer wants (another address) may be removed; [LB-59] a word that
 * a newer one of the same frontend overtook counts for nothing.
 */
import { Defect } from '../machines/model/assert.js';
import type { FrontendName } from '../machines/model/ids.js';
import type { DesiredVip, VipKey } from '../machines/model/lb.js';
import type { PackedDesired } from '../machines/model/lb-packed.js';
import { VipIndex, WantedVips } from '../src/lb/packed/side.js';
import { packDesired } from '../src/lb/packed/vips.js';
import type { Scope } from '../src/runtime/actor-type.js';

export interface Want {
  readonly key: VipKey;
  /** Packed when it arrived; nobody keeps the plain words. */
  readonly desired: PackedDesired;
  /** Carries the cause of the message, so that the answer follows from it. */
  readonly scope: Scope;
}

/** What the owner of a key wants lies with all the others; who waits for it keeps its own. */
class Wish implements Want {
  readonly key: VipKey;
  readonly scope: Scope;
  readonly #vips: WantedVips;
  #waiting: PackedDesired | undefined;

  constructor(vips: WantedVips, desired: PackedDesired, scope: Scope) {
    this.key = desired.key;
    this.scope = scope;
    this.#vips = vips;
    this.#waiting = desired;
  }

  get desired(): PackedDesired {
    const desired = this.#waiting ?? this.#vips.get(this.key);
    if (desired === undefined) throw new Defect(`${this.key} is wanted by nobody`);
    return desired;
  }

  /** It is its turn. */
  own(): void {
    if (this.#waiting === undefined) return;
    this.#vips.set(this.key, this.#waiting);
    this.#waiting = undefined;
  }
}

export interface Wants {
  readonly wanted: Map<FrontendName, Wish>;
  /** What to converge to: one VIP per key, as its owner wants it. */
  readonly vips: WantedVips;
  readonly awaited: Map<FrontendName, Scope>;
  readonly withdrawn: Map<FrontendName, Withdrawal>;
  /** Frontends that want a key, first come first. */
  readonly claims: Map<VipKey, FrontendName[]>;
  /** Keys let go of, and by whom. */
  readonly released: Map<VipKey, FrontendName>;
  /** Keys with another owner by now, and whose wish VPP still follows there. */
  readonly bequeathed: Map<VipKey, FrontendName>;
}

export interface Withdrawal {
  readonly revision: number;
  readonly scope: Scope;
}

export function createWants(): Wants {
  return {
    wanted: new Map(),
    vips: new WantedVips(new VipIndex()),
    awaited: new Map(),
    withdrawn: new Map(),
    claims: new Map(),
    released: new Map(),
    bequeathed: new Map(),
  };
}

/** The newest word of this frontend has a higher revision than this one. */
export function isOvertaken(wants: Wants, frontend: FrontendName, revision: number): boolean {
  const wish = wants.wanted.get(frontend)?.desired.revision ?? 0;
  const withdrawal = wants.withdrawn.get(frontend)?.revision ?? 0;
  return revision < Math.max(wish, withdrawal);
}

/** Keys that this frontend once had and that may still hold its servers. */
export function leftBehindBy(wants: Wants, frontend: FrontendName): readonly VipKey[] {
  const keysIn = (left: ReadonlyMap<VipKey, FrontendName>) =>
    [...left].filter(([, name]) => name === frontend).map(([key]) => key);
  return [...keysIn(wants.released), ...keysIn(wants.bequeathed)];
}

/** Keys to look at afterwards. */
export function want(wants: Wants, wish: DesiredVip, scope: Scope): readonly VipKey[] {
  const desired = packDesired(wish);
  const { frontend, key } = desired;
  const left = letGo(wants, frontend, key);
  wants.awaited.delete(frontend);
  wants.withdrawn.delete(frontend);
  wants.released.delete(key);
  wants.wanted.set(frontend, new Wish(wants.vips, desired, scope));
  const claims = wants.claims.get(key) ?? [];
  if (!claims.includes(frontend)) claims.push(frontend);
  wants.claims.set(key, claims);
  ownedBy(wants, key)?.own();
  return [...left, key];
}

export function withdraw(
  wants: Wants,
  frontend: FrontendName,
  withdrawal: Withdrawal,
): readonly VipKey[] {
  const left = letGo(wants, frontend, undefined);
  wants.awaited.delete(frontend);
  wants.withdrawn.set(frontend, withdrawal);
  return left;
}

/** A restored frontend that does not know its members yet; what it wanted before still stands. */
export function awaitFrontend(wants: Wants, frontend: FrontendName, scope: Scope): void {
  if (!wants.wanted.has(frontend)) wants.awaited.set(frontend, scope);
}

/** The one whose wish for this key counts. */
export function ownerOf(wants: Wants, key: VipKey): Want | undefined {
  return ownedBy(wants, key);
}

function ownedBy(wants: Wants, key: VipKey): Wish | undefined {
  const first = wants.claims.get(key)?.[0];
  return first === undefined ? undefined : wants.wanted.get(first);
}

/** Ends the claim on any key but `keep`; the key is released unless another frontend wants it. */
function letGo(wants: Wants, frontend: FrontendName, keep: VipKey | undefined): VipKey[] {
  const before = wants.wanted.get(frontend);
  if (before === undefined || before.key === keep) return [];
  wants.wanted.delete(frontend);
  const others = (wants.claims.get(before.key) ?? []).filter((name) => name !== frontend);
  if (others.length > 0) {
    wants.claims.set(before.key, others);
    ownedBy(wants, before.key)?.own();
  } else {
    wants.claims.delete(before.key);
    wants.vips.delete(before.key);
    wants.released.set(before.key, frontend);
  }
  return [before.key];
}
