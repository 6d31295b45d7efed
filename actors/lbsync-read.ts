/**
 * What a full read tells: the mirror, whether VPP was restarted, whether its tables are what the model
 * says, and which of our VIPs nobody asks for any more.
 *
 * Rules: [LB-40] a VPP that lost its state is recognised and rebuilt at once; [LB-46] a VIP in the
 * ledger that nobody wants is removed only after warm-up, after asking who is there, and never when
 * there are suspiciously many; [LB-62] what differs from our acknowledged writes is somebody else's;
 * [LB-47] predicted buckets equal VPP's, else a condition says so.
 */
import { addressOf } from '../machines/model/ids.js';
import type { VipKey } from '../machines/model/lb.js';
import type { PackedState } from '../machines/model/lb-packed.js';
import type { ReloadMessage } from '../machines/model/messages.js';
import { isDefaultConf } from '../src/lb/conf.js';
import { driftOf } from '../src/lb/drift.js';
import { forgetAll, forgetVip } from '../src/lb/memory.js';
import { bucketsDisagree, mirrorOf, type News, renew } from '../src/lb/mirror.js';
import { type Mirror, renumber } from '../src/lb/packed/side.js';
import { outOfStep } from '../src/lb/plan.js';
import type { Scope } from '../src/runtime/actor-type.js';
import { frontendOf, strike } from './lbsync-ledger.js';
import { type ForeignWrite, type LbsyncState, markAll, warmedUpMs } from './lbsync-state.js';

/** More than this many, and more than this share of the ledger: held instead of removed. */
const STALE_MAX = 3;
const STALE_SHARE_MAX = 0.25;

export function takeIn(state: LbsyncState, read: PackedState, scope: Scope): void {
  if (lostItsState(state, read)) beginRebuild(state);
  const known = state.mirror;
  const mirror = known ?? mirrorOf(read, state.wants.vips.index);
  const news = known === undefined ? undefined : renew(known, read);
  renumber(mirror, state.wants.vips);
  state.drifts = foreignWrites(state, news);
  state.fullSync = true;
  state.mirror = mirror;
  state.conf = read.conf;
  state.foundAtStart ??= new Set(mirror.keys());
  state.lostAt = undefined;
  state.mismatched = disagreeing(state, mirror);
  for (const key of state.memory.building) if (!mirror.has(key)) forgetVip(state.memory, key);
  state.reviewReleases = true;
  judgeStale(state, mirror, scope);
  if (news === undefined) markAll(state);
  else markNews(state, mirror, news);
}

/** A site at rest has none: what is as it was, and as wanted, has nobody waiting for it. */
function markNews(state: LbsyncState, mirror: Mirror, news: readonly News[]): void {
  const { wants, ledger, memory } = state;
  for (const { key } of news) {
    if (wants.claims.has(key) || ledger.told.has(key)) state.dirty.add(key);
  }
  for (const key of outOfStep(mirror, wants.vips, memory)) state.dirty.add(key);
  for (const left of [wants.released, state.stale, state.findings]) {
    for (const key of left.keys()) state.dirty.add(key);
  }
}

/** The other mark, a changed process id, is seen when connecting. */
function lostItsState(state: LbsyncState, { conf, vips }: PackedState): boolean {
  const { told } = state.ledger;
  const ours = [...told.keys()];
  return ours.length > 0 && isDefaultConf(conf) && !ours.some((key) => vips.has(key));
}

/** Whatever was flushed or pinned is gone, and there is nothing left to be careful with. */
export function beginRebuild(state: LbsyncState): void {
  const now = state.clock.now();
  forgetAll(state.memory);
  state.foundAtStart = new Set();
  state.rebuild ??= {
    lostAt: state.lostAt ?? now,
    detectedAt: now,
    ops: 0,
    frontends: new Set(),
  };
}

/** Without a mirror nothing is known of the time between, and nobody is accused. */
function foreignWrites(state: LbsyncState, news: readonly News[] = []): LbsyncState['drifts'] {
  const drifts = new Map<VipKey, ForeignWrite>();
  if (state.rebuild !== undefined) return drifts;
  for (const { key, before, after } of news) {
    const what = state.ledger.told.has(key) ? driftOf(before, after) : undefined;
    const since = state.drifts.get(key)?.since ?? state.clock.now();
    if (what !== undefined) drifts.set(key, { what, since });
  }
  return drifts;
}

function disagreeing({ wants, ledger }: LbsyncState, mirror: Mirror): ReadonlySet<VipKey> {
  const managed = [...mirror].filter(([key]) => wants.claims.has(key) || ledger.told.has(key));
  return new Set(managed.filter(([, vip]) => bucketsDisagree(vip)).map(([key]) => key));
}

function judgeStale(state: LbsyncState, mirror: Mirror, scope: Scope): void {
  state.stale = new Set();
  state.staleHeld = [];
  const { ledger, settings } = state;
  if (!ledger.loaded || settings === undefined) return;
  if (warmedUpMs(state) < settings.startupMaxDelayMs || !somebodySpoke(state)) return;

  const orphans = orphansOf(state);
  const tooMany = orphans.length > Math.max(STALE_MAX, STALE_SHARE_MAX * ledger.entries.size);
  if (tooMany) state.staleHeld = orphans;
  else if (orphans.length > 0 && !state.askedForOwners) askForOwners(state, scope);
  else state.stale = new Set([...orphans, ...foreignToRemove(state, mirror)]);
  for (const key of state.stale) if (!mirror.has(key)) strike(ledger, key);
}

/** Silence of everybody is ignorance, not a wish. */
function somebodySpoke({ wants }: LbsyncState): boolean {
  return wants.wanted.size + wants.awaited.size + wants.withdrawn.size > 0;
}

/** In the ledger, but neither wanted, nor let go of, nor of a frontend that is still coming back. */
function orphansOf({ wants, ledger }: LbsyncState): readonly VipKey[] {
  return [...ledger.entries]
    .filter(([key]) => !wants.claims.has(key) && !wants.released.has(key))
    .filter(([, entry]) => {
      const frontend = frontendOf(entry);
      return frontend === undefined || !wants.awaited.has(frontend);
    })
    .map(([key]) => key);
}

function foreignToRemove({ wants, ledger, settings }: LbsyncState, mirror: Mirror) {
  if (settings?.ownership !== 'exclusive') return [];
  return [...mirror.keys()].filter((key) => !wants.claims.has(key) && !ledger.entries.has(key));
}

/** Whoever owns them may have lost its word to us: everything converges once more before we act. */
function askForOwners(state: LbsyncState, scope: Scope): void {
  state.askedForOwners = true;
  const reason = 'VIPs in the ledger that no frontend asks for';
  const message: ReloadMessage = { type: 'reload.reconverge', reason };
  state.outbox.push(() => scope.tell(addressOf('reload', 'main'), message));
}
