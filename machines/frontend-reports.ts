/**
 * What a frontend makes of lbsync's reports: what members weigh, whether VPP has what was last sent, and
 * what a report proves about one member.
 *
 * Input: its memory, a report. Output: the next memory; yes or no.
 *
 * Rules: [FE-28] a report proves something about a member only when it follows a wish since which
 * nothing else was asked for at its address; [FE-29] one that is numbered above our wishes answers an
 * earlier life, and what we ask is then numbered above it; [FE-30] the permission to re-create the VIP
 * is used up once VPP is as wanted.
 */
import { scaleOf } from '../src/lb/scale.js';
import { type FrontendMemory, forbidden, type MemberMemory, unasked } from './frontend-memory.js';
import { withoutClimbs } from './frontend-weighing.js';
import type { VipReport } from './model/messages.js';

/**
 * Takes a report. The first one after a restart also says what members were last given: to all while
 * nothing was sent, else to those still unknown. A VIP that VPP lost teaches nothing.
 */
export function withReport(memory: FrontendMemory, report: VipReport): FrontendMemory {
  const first = memory.report === null && report.exists && memory.decided !== null;
  const lost = memory.report?.exists === true && !report.exists;
  const known = lost ? withoutClimbs(memory) : memory;
  const next = permitted(numberedAbove({ ...known, report }, report));
  return first ? learned(next, report) : next;
}

/** It answers an earlier life, which numbered its wishes higher: what we ask now must be newer. */
function numberedAbove(memory: FrontendMemory, { revision }: VipReport): FrontendMemory {
  return revision <= memory.wish ? memory : { ...unasked(memory), wish: revision + 1 };
}

/** The permission to re-create the VIP ends as soon as VPP is as wanted. */
function permitted(memory: FrontendMemory): FrontendMemory {
  const { spec, decided } = memory;
  if (!isSynced(memory) || spec === null || decided?.mayRecreate === undefined) return memory;
  const isOne = memory.settledRevision === memory.revision;
  return { ...memory, decided: forbidden(decided), spec: isOne ? forbidden(spec) : spec };
}

/** VPP has acknowledged the very wish that was last sent. */
export function isSynced({ report, sent }: FrontendMemory): boolean {
  if (report === null || sent === null) return false;
  return report.exists && report.synced && report.revision === sent.revision;
}

/** Everything VPP may still do about this member's address is what the newest wish asks for. */
export function isCovered(memory: FrontendMemory, { askedSince }: MemberMemory): boolean {
  const since = askedSince ?? memory.sent?.revision ?? memory.wish;
  return memory.report !== null && memory.report.revision >= since;
}

function learned(memory: FrontendMemory, report: VipReport): FrontendMemory {
  const divisor = memory.decided === null ? 1 : scaleOf(memory.decided).divisor;
  const members = Object.fromEntries(
    Object.entries(memory.members).map(([name, member]) => {
      const teaches = memory.sent === null || member.health.state === 'unknown';
      const found = report.servers.find(({ address }) => address === member.address);
      const given = found === undefined ? null : Math.min(100, found.weight * divisor);
      return [name, teaches ? { ...member, given } : member];
    }),
  );
  return { ...memory, members };
}

/** VPP has nothing of ours left. */
export function withdrawn(memory: FrontendMemory): FrontendMemory {
  const conf = { encap: '', tableLength: undefined };
  const nothing = { synced: true, exists: false, servers: [], conf };
  const report = { frontend: memory.name, revision: memory.wish, ...nothing };
  return { ...unasked(memory), report };
}
