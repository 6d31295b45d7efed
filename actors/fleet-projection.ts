/**
 * What the holder's rows mean for this node's own dataplane while somebody else is the holder: the levels
 * that its actors would tell here, told from their rows. Who serves is the fleet's; whether it is up, this
 * node's own probes say.
 *
 * Input: rows of instances, tenants and blocks of address pools. Output: letters to frontends and backends. All are
 * levels: told again, they change nothing.
 *
 * Rule: [FL-6] a node that is not the holder programs its VPP from its configuration and the fleet's rows.
 */
import type { BlockMemory } from '../machines/block.js';
import type { InstanceMemory } from '../machines/instance-memory.js';
import { backendOf, levelOf } from '../machines/instance-messages.js';
import { type Address, addressOf, keyOf, kindOf } from '../machines/model/ids.js';
import type { BackendMessage, FrontendMessage, Message } from '../machines/model/messages.js';
import type { PoolMemory } from '../machines/pool.js';
import type { TenantMemory } from '../machines/tenant-memory.js';
import { orders } from '../machines/tenant-messages.js';
import type { FleetRow } from '../src/runtime/duty.js';

export interface ShownLetter {
  readonly to: Address;
  readonly message: Message;
}

/** Kinds whose rows say something to the dataplane. */
export const SHOWN_PREFIXES = ['tenant/', 'pool/', 'block/', 'instance/'] as const;

export function lettersOfRow({ address, context }: FleetRow): readonly ShownLetter[] {
  switch (kindOf(address)) {
    case 'instance':
      return ofInstance(address, context as unknown as InstanceMemory);
    case 'tenant':
      return orders(context as unknown as TenantMemory).letters.filter(
        ({ to }) => kindOf(to) === 'frontend',
      );
    case 'pool':
      return ofPool(context as unknown as PoolMemory);
    case 'block':
      return ofBlock(context as unknown as BlockMemory);
    default:
      return [];
  }
}

/** An address that nobody answers at: verdicts about it matter to the holder alone. */
function ofInstance(owner: Address, memory: InstanceMemory): readonly ShownLetter[] {
  const { frontends, former, level } = levelOf(memory);
  const desired = backendOf(memory);
  const name = desired?.spec.name ?? memory.id;
  const backend: BackendMessage =
    desired === undefined
      ? { type: 'backend.removed' }
      : { type: 'backend.desired', spec: desired.spec, owner };
  return [
    { to: addressOf('backend', name), message: backend },
    ...frontends.map((frontend) => told(frontend, level)),
    ...former.map((frontend) => told(frontend, { ...level, phase: 'out' })),
  ];
}

function told(frontend: string, level: ReturnType<typeof levelOf>['level']): ShownLetter {
  const message: FrontendMessage = { type: 'member.level', level };
  return { to: addressOf('frontend', frontend), message };
}

/** What a pool of an earlier release has not handed to its blocks yet. */
function ofPool({ name, allocations }: PoolMemory): readonly ShownLetter[] {
  return ofBlock({ pool: name, first: '', allocations });
}

function ofBlock({ pool, allocations }: BlockMemory): readonly ShownLetter[] {
  return Object.entries(allocations).map(([frontend, address]) => ({
    to: addressOf('frontend', frontend),
    message: { type: 'pool.allocated', pool, address },
  }));
}

/** The row of an address, from its text; one that is not of this shape says nothing. */
export function rowOf(text: string | null): FleetRow | undefined {
  if (text === null) return undefined;
  try {
    const row = JSON.parse(text) as FleetRow;
    return typeof row.context === 'object' && keyOf(row.address) !== '' ? row : undefined;
  } catch {
    return undefined;
  }
}
