/**
 * A frontend as operators and the feed see it.
 *
 * Input: its memory. Output: the JSON shape of the API. `digestOf` is apart because it builds the whole
 * table: for who asks, never for the path of a verdict.
 */
import { tableDigest } from '../src/lb/maglev.js';
import { scaleOf } from '../src/lb/scale.js';
import { isAnnounced } from './frontend-announce.js';
import { addressIn, type FrontendMemory, type MemberMemory } from './frontend-memory.js';
import { isSynced } from './frontend-reports.js';
import { desiredOf } from './frontend-vip.js';
import type { PoolSpec } from './model/desired.js';
import type { JsonObject } from './model/json.js';

export function shapeOf(memory: FrontendMemory): JsonObject {
  const { spec, state, choice } = memory;
  const synced = isSynced(memory);
  return {
    name: memory.name,
    tenant: spec?.tenant,
    address: addressIn(memory) ?? spec?.address ?? '',
    protocol: spec?.protocol ?? 'any',
    port: spec?.port ?? 0,
    state,
    since: new Date(memory.sinceMs).toISOString(),
    activePool: spec?.pools[choice.active]?.name ?? '',
    panic: memory.panic,
    frozen: memory.report?.frozen === true,
    announced: isAnnounced(memory),
    synced,
    problem: memory.problem ?? memory.report?.problem,
    vip: vipShape(memory),
    pools: (spec?.pools ?? []).map((pool) => poolShape(memory, pool)),
  };
}

/** What an operator should know of it now. */
export function conditionsOf(memory: FrontendMemory): readonly JsonObject[] {
  const { name, state, panic, sinceMs, spec, choice } = memory;
  const object = { object: `frontend/${name}`, since: new Date(sinceMs).toISOString() };
  const pool = spec?.pools[choice.active]?.name ?? '';
  const down = {
    ...{ type: 'frontend-down', ...object, severity: 'critical', cause: 'FE-2' },
    message: `no member of ${name} serves; the last ones keep their weight`,
    next: `'switchyard show frontend/${name}' shows its members, 'why' what was decided`,
  };
  const doubted = {
    ...{ type: 'frontend-panic', ...object, severity: 'warning', cause: 'FE-45' },
    message: `so few of pool ${pool} serve that its silent members keep their weight`,
    next: 'are the members silent, or the probes wrong?',
  };
  return [...(state === 'down' ? [down] : []), ...(panic ? [doubted] : [])];
}

function vipShape(memory: FrontendMemory): JsonObject {
  const desired = desiredOf(memory);
  if (desired === null || memory.decided === null) return {};
  const { encap, tableLength, srcIpSticky } = desired.attributes;
  const scale = scaleOf(memory.decided).divisor;
  return { encap, tableLength, scale, stickyBySource: srcIpSticky };
}

/** Equal on two nodes that hash alike; `undefined` before there is a VIP. */
export function digestOf(memory: FrontendMemory): string | undefined {
  const desired = desiredOf(memory);
  if (desired === null) return undefined;
  return tableDigest(desired.servers, desired.attributes.tableLength);
}

function poolShape(memory: FrontendMemory, pool: PoolSpec): JsonObject {
  const members = pool.members.flatMap(({ ref, weight }) => {
    const isOurs = ([name, { group, successor }]: readonly [string, MemberMemory]) =>
      ref.kind === 'group'
        ? group === ref.group
        : name === ref.backend || successor === ref.backend;
    return Object.entries(memory.members)
      .filter(isOurs)
      .map(([name, member]) => memberShape(memory, { name, member, weight }));
  });
  return { name: pool.name, members };
}

interface Shown {
  readonly name: string;
  readonly member: MemberMemory;
  readonly weight: number;
}

function memberShape(memory: FrontendMemory, { name, member, weight }: Shown): JsonObject {
  const { address, health, phase, given, reason } = member;
  const sent = memory.sent?.servers.find((server) => server.address === address);
  const actual = memory.report?.servers.find((server) => server.address === address);
  return {
    name,
    address,
    state: health.state,
    phase,
    reason,
    weight,
    effectiveWeight: given ?? 0,
    sentWeight: sent?.weight ?? 0,
    buckets: actual?.buckets ?? 0,
  };
}
