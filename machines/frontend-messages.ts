/**
 * What a frontend says: the VIP it wants, acknowledgements for its members, its status for its owner,
 * and records for the journal and the feed.
 *
 * Input: its memory. Output: parameters of effects. Everything here is derived from the memory alone,
 * so a message that was lost is simply said again.
 *
 * Rules: [FE-13] a member is acknowledged from what VPP reported, never from what was asked of it;
 * [FE-27] an acknowledgement names the newest level of its member, and is given only from a report
 * after which VPP is asked for nothing else at the member's address; [FE-15] a member of a frontend that nobody wants is let go at once.
 */
import {
  addressIn,
  type FrontendMemory,
  type MemberMemory,
  unknownMembers,
} from './frontend-memory.js';
import { isCovered, isSynced } from './frontend-reports.js';
import { shapeOf } from './frontend-shape.js';
import { askedOf } from './frontend-vip.js';
import { assert } from './model/assert.js';
import type { RecordParams } from './model/effects.js';
import {
  type Address,
  addressOf,
  type FrontendName,
  type InstanceId,
  parseInstanceId,
} from './model/ids.js';
import type { JsonObject } from './model/json.js';
import type { FrontendStatus, MemberAck, MemberLevel, VipReport } from './model/messages.js';

// --- members -----------------------------------------------------------------------------------

export interface AckParams {
  readonly to: Address;
  readonly ack: MemberAck;
}

/** Acknowledgements that members have not been told yet. */
export function owedAcks(memory: FrontendMemory): readonly AckParams[] {
  const { report } = memory;
  if (report === null) return [];
  return Object.entries(memory.members).flatMap(([name, member]) => {
    const id = parseInstanceId(name);
    const ack = id === undefined ? undefined : ackOf(memory, { id, member, report });
    if (ack === undefined || ackText(ack) === toldOf(memory, name, member)) return [];
    return [{ to: addressOf('instance', name), ack }];
  });
}

/** Whoever may serve and never was an AS need not be told that it is none. */
function toldOf(memory: FrontendMemory, name: string, { phase }: MemberMemory): string | undefined {
  return memory.toldAcks[name] ?? (phase === 'in' ? 'out 0' : undefined);
}

interface Subject {
  readonly id: InstanceId;
  readonly member: MemberMemory;
  readonly report: VipReport;
}

function ackOf(memory: FrontendMemory, { id, member, report }: Subject): MemberAck | undefined {
  const base = { frontend: memory.name, member: id, level: member.level };
  const none: MemberAck = { ...base, phase: 'out', weight: 0 };
  if (member.phase === 'out' && isClaimed(memory, id, member.address)) return none;
  if (!isCovered(memory, member)) return undefined;
  // Who is no AS yet may have the address of one that is on its way out.
  if (member.phase === 'in' && member.given === null) return none;
  const asked = memory.sent === null ? 'none' : askedOf(memory.sent, member);
  const found = report.servers.find(({ address }) => address === member.address);
  if (found === undefined) return asked === 'none' || member.phase === 'in' ? none : undefined;
  if (report.frozen === true && member.phase !== 'in') {
    const phase = found.weight > 0 ? 'in' : 'drain';
    return { ...base, phase, weight: found.weight, frozen: true };
  }
  if (found.weight > 0) {
    // Told to go, it has a weight because it is kept, or because VPP has not done as told yet.
    const kept = member.phase === 'in' || asked === 'weight';
    return kept ? { ...base, phase: 'in', weight: found.weight } : undefined;
  }
  if (member.phase !== 'in') {
    return asked === 'weight' ? undefined : { ...base, phase: 'drain', weight: 0 };
  }
  const standby = member.health.state === 'up' && asked !== 'weight';
  return { ...base, phase: standby ? 'in' : 'drain', weight: 0 };
}

function isClaimed(memory: FrontendMemory, id: string, address: string): boolean {
  return Object.entries(memory.members).some(
    ([name, other]) => name !== id && other.phase !== 'out' && other.address === address,
  );
}

function ackText({ phase, weight, frozen }: MemberAck): string {
  return `${phase} ${weight}${frozen === true ? ' frozen' : ''}`;
}

/** After telling: what was told, and which members have nothing left to wait for. */
export function toldAcks(memory: FrontendMemory): FrontendMemory['toldAcks'] {
  const told = owedAcks(memory).map(({ ack }) => [ack.member, ackText(ack)]);
  return { ...memory.toldAcks, ...Object.fromEntries(told) };
}

export function goneMembers({ members, toldAcks: told }: FrontendMemory): readonly string[] {
  return Object.entries(members)
    .filter(([name, { phase }]) => phase === 'out' && told[name] === 'out 0')
    .map(([name]) => name);
}

/** To a member of a frontend that nobody wants: there is no AS, and there will be none. */
export function letGo(memory: FrontendMemory, level: MemberLevel): readonly AckParams[] {
  const { member, phase, revision } = level;
  const base = { frontend: memory.name, member, level: revision };
  const ack = { ...base, phase: 'out', weight: 0 } as const;
  return phase === 'in' ? [] : [{ to: addressOf('instance', member), ack }];
}

// --- questions ---------------------------------------------------------------------------------

export interface AskParams {
  readonly frontend: FrontendName;
  readonly to: readonly Address[];
}

/** The backends of members without a verdict; and the groups, for members we never met. */
export function questionsTo(memory: FrontendMemory, whom: 'everybody' | 'unknown'): AskParams {
  const refs = (memory.decided?.pools ?? []).flatMap(({ members }) => members);
  const groups = refs.flatMap(({ ref }) =>
    ref.kind === 'group' ? [addressOf('group', ref.group)] : [],
  );
  const backends = unknownMembers(memory).map((name) => addressOf('backend', name));
  const to = whom === 'everybody' ? [...groups, ...backends] : backends;
  return { frontend: memory.name, to };
}

/** A member we just met may have had its verdict before we knew it. */
export function questionTo(memory: FrontendMemory, { member }: MemberLevel): AskParams {
  const to = unknownMembers(memory).includes(member) ? [addressOf('backend', member)] : [];
  return { frontend: memory.name, to };
}

export interface PoolCall {
  readonly pool: string;
  readonly frontend: FrontendName;
}

/** To the pool that an address came from, else to the one we want an address of. */
export function poolCall(memory: FrontendMemory): PoolCall {
  const { decided, allocated, name: frontend } = memory;
  const pool = allocated?.pool ?? decided?.addressFrom;
  assert(pool !== undefined, `frontend ${frontend} has no address pool`);
  return { pool, frontend };
}

// --- the owner ---------------------------------------------------------------------------------

export interface StatusParams {
  readonly to: Address | null;
  readonly status: FrontendStatus;
}

/** Nothing is left; whoever asked is told when nobody owns the frontend. */
export function goneStatus(memory: FrontendMemory, asker: Address): StatusParams {
  const status = { ...statusOf(memory), synced: true, removed: true };
  return { to: memory.owner ?? asker, status };
}

export function statusOf(memory: FrontendMemory): FrontendStatus {
  const address = addressIn(memory);
  const problem = memory.problem ?? memory.report?.problem;
  return {
    frontend: memory.name,
    ...(address === null ? {} : { address }),
    state: memory.state,
    synced: isSynced(memory),
    removed: false,
    ...(problem === undefined ? {} : { problem }),
  };
}

export function owesStatus(memory: FrontendMemory): boolean {
  if (memory.owner === null) return false;
  return JSON.stringify(statusOf(memory)) !== JSON.stringify(memory.toldStatus);
}

// --- records -----------------------------------------------------------------------------------

export function owesRecord({ recorded, state, choice, panic }: FrontendMemory): boolean {
  const turned = recorded.state !== state || recorded.panic !== panic;
  return turned || recorded.active !== choice.active;
}

/** A decision the fleet hears of, with the whole frontend after it. */
function published(
  memory: FrontendMemory,
  decision: { readonly event: string; readonly rule: string; readonly numbers: JsonObject },
): RecordParams {
  const tenant = memory.spec?.tenant;
  const aggregate = { aggregateKind: 'frontend', aggregateId: memory.name, data: shapeOf(memory) };
  const publish = tenant === undefined ? aggregate : { ...aggregate, tenantId: tenant };
  return { ...decision, publish };
}

export function stateChanged(memory: FrontendMemory): RecordParams {
  const { recorded, state, choice, panic } = memory;
  const turned = recorded.panic === panic ? 'FE-2' : 'FE-45';
  const rule = recorded.active === choice.active ? turned : 'FE-6';
  const pools = { fromPool: recorded.active, toPool: choice.active };
  const numbers = { from: recorded.state, to: state, panic, ...pools, reasons: reasonsIn(memory) };
  return published(memory, { event: 'frontend.state_changed', rule, numbers });
}

export function desiredChanged(memory: FrontendMemory): RecordParams {
  const numbers = { revision: memory.revision, address: addressIn(memory) };
  return published(memory, { event: 'frontend.desired_changed', rule: 'FE-10', numbers });
}

export function removed(memory: FrontendMemory): RecordParams {
  return published(memory, { event: 'frontend.removed', rule: 'FE-14', numbers: {} });
}

/** Of the newest decision on disk: VPP has it, or why not; `null`: not known yet. */
function syncOf(memory: FrontendMemory): FrontendMemory['toldSync'] {
  const { settledRevision: revision, report } = memory;
  const outcome = isSynced(memory) ? 'synced' : report?.problem;
  return outcome === undefined ? null : { revision, outcome };
}

/** Once for each decision and outcome, over restarts too: what VPP says again is no news. */
export function owesSync(memory: FrontendMemory): boolean {
  const { toldSync: told } = memory;
  const now = syncOf(memory);
  return now !== null && (now.revision !== told?.revision || now.outcome !== told.outcome);
}

export function toldSync(memory: FrontendMemory): Pick<FrontendMemory, 'toldSync'> {
  return { toldSync: syncOf(memory) };
}

export function syncChanged(memory: FrontendMemory): RecordParams {
  const { report, decided } = memory;
  const { problem, servers = [] } = report ?? {};
  const weighted = servers.filter(({ weight }) => weight > 0).length;
  const counts = { servers: servers.length, weighted, generation: decided?.generation ?? 0 };
  const event = isSynced(memory) ? 'frontend.synced' : 'frontend.sync_failed';
  const numbers = { ...counts, ...(problem === undefined ? {} : { problem }) };
  return published(memory, { event, rule: 'FE-60', numbers });
}

/** Journal only: the feed hears of a member from the member itself. */
export function memberChanged(level: MemberLevel): RecordParams {
  const { member, phase, dead, lastMayGo } = level;
  const numbers = { member, phase, dead, lastMayGo };
  return { event: 'frontend.member_changed', rule: 'FE-4', numbers };
}

/** How many members have which reason. */
function reasonsIn(memory: FrontendMemory): JsonObject {
  const counts: Record<string, number> = {};
  for (const { reason } of Object.values(memory.members)) {
    counts[reason] = (counts[reason] ?? 0) + 1;
  }
  return counts;
}
