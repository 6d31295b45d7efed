/**
 * A frontend's word to the world: whether its VIP should be announced, as last told and as owed.
 *
 * Input: its memory. Output: the level for its announcement; rules in src/policy/announce.ts.
 */
import { announcement } from '../src/policy/announce.js';
import { addressIn, type FrontendMemory } from './frontend-memory.js';
import { isSynced } from './frontend-reports.js';
import type { AnnounceLevel, AnnouncementMessage, AnnounceReason } from './model/announce.js';

type Wanted = Pick<AnnounceLevel, 'wanted' | 'reason'>;

/** `null`: there is no program, no address, or nothing to say yet. */
export function announceLevel(memory: FrontendMemory): AnnounceLevel | null {
  const { decided, toldAnnounce, nodeDrained: drained, state, report } = memory;
  if (decided?.announce === undefined) return withdrawn(toldAnnounce);
  const { enabled } = decided.announce;
  const synced = isSynced(memory);
  const said = announcement({ enabled, drained, state, exists: report?.exists, synced });
  const wanted = said ?? toldAnnounce;
  return wanted === null ? null : built(memory, wanted);
}

/** Its program is no longer configured: what was told last names the one to withdraw by. */
function withdrawn(told: AnnounceLevel | null): AnnounceLevel | null {
  if (told?.wanted !== true) return null;
  return { ...told, wanted: false, reason: 'configuration', gone: true };
}

function built(memory: FrontendMemory, { wanted, reason }: Wanted): AnnounceLevel | null {
  const { name: frontend, decided } = memory;
  const address = addressIn(memory);
  if (decided?.announce === undefined || address === null) return null;
  const { protocol, port, announce: hook } = decided;
  return { frontend, address, protocol, port, wanted, reason, gone: false, hook };
}

export function owesAnnounce(memory: FrontendMemory): boolean {
  const level = announceLevel(memory);
  return level !== null && JSON.stringify(level) !== JSON.stringify(memory.toldAnnounce);
}

/** What an announcement of an earlier life is told, that asks what is to become of it. */
export function standing(memory: FrontendMemory): AnnouncementMessage | null {
  if (memory.decided === null) return null;
  if (memory.decided.announce === undefined) return { type: 'announce.unhooked' };
  const level = announceLevel(memory);
  return level === null ? { type: 'announce.undecided' } : { type: 'announce.level', level };
}

/** The frontend is on its way out: no flow should come any more. */
export function farewell(memory: FrontendMemory): AnnounceLevel | null {
  const reason: AnnounceReason = 'removed';
  const level = memory.toldAnnounce ?? built(memory, { wanted: false, reason });
  return level === null ? null : { ...level, wanted: false, reason, gone: true };
}

/** As operators see it: what the program has done; without one, what would be announced. */
export function isAnnounced(memory: FrontendMemory): boolean {
  const { decided, announced, state, nodeDrained } = memory;
  if (decided?.announce !== undefined) return announced;
  return isSynced(memory) && state === 'up' && nodeDrained === false;
}
