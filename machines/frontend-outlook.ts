/**
 * What a frontend would want under another spec, with everything it knows now: for plans. Nothing is
 * decided and nothing is said by it.
 *
 * Input:  its memory, the spec (`null`: it would be removed), the time.
 * Output: the VIP it would want, the one it asked for last, and what VPP was last heard to have.
 *
 * Rules: [FE-40] a member that nobody has seen yet is expected to come up; whoever is known counts as
 * it is.
 */
import { type FrontendMemory, settle } from './frontend-memory.js';
import { desiredOf, type WantedVip } from './frontend-vip.js';
import { reweighed } from './frontend-weighing.js';
import type { FrontendSpec } from './model/desired.js';
import type { DesiredVip } from './model/lb.js';
import type { HealthState, VipReport } from './model/messages.js';

export interface Outlook {
  readonly wanted: WantedVip | null;
  readonly sent: DesiredVip | null;
  readonly found: VipReport | null;
}

/** Backends that are known elsewhere, by name. */
export type Expected = Readonly<Record<string, string>>;

export function outlookOf(
  memory: FrontendMemory,
  spec: FrontendSpec | null,
  { expected, nowMs }: { readonly expected: Expected; readonly nowMs: number },
): Outlook {
  const { sent, report: found } = memory;
  if (spec === null) return { wanted: null, sent, found };
  const permitted = { ...spec, mayRecreate: true };
  const decided = settle({ ...memory, spec: permitted, revision: memory.revision + 1 });
  const wanted = desiredOf(reweighed(cameUp(decided, expected), nowMs));
  return { wanted, sent, found };
}

function cameUp(memory: FrontendMemory, expected: Expected): FrontendMemory {
  const members = Object.fromEntries(
    Object.entries(memory.members).map(([name, member]) => {
      const { health, given, phase } = member;
      if (health.state !== 'unknown' || given !== null || phase !== 'in') return [name, member];
      return [name, { ...member, health: { ...health, state: foreseen(expected[name]) } }];
    }),
  );
  return { ...memory, members };
}

function foreseen(state: string | undefined): HealthState {
  return state === 'down' || state === 'paused' || state === 'disabled' ? state : 'up';
}
