/** Decisions, cells and records for tests of the store: small, valid, every field overridable. */
import type { RecordParams } from '../../machines/model/effects.js';
import { type Address, addressOf } from '../../machines/model/ids.js';
import type { Decision, LedgerEntry, StoredCell } from '../../src/ports/store.js';

export const NOON = Date.UTC(2026, 10, 21, 12);

export const WEB: Address = addressOf('group', 'acme/web');

export function cellOf(
  address: Address,
  version: number,
  more: Partial<Omit<StoredCell, 'incarnation' | 'parent'>> & { parent?: Address } = {},
) {
  return {
    address,
    machine: 'group',
    machineVersion: 1,
    machineHash: 'h1',
    version,
    value: { running: 'idle' },
    context: { size: version, note: 'ünï' },
    timers: [{ id: 'xstate.after.GRACE.group.idle', dueAtMs: NOON + version }],
    ...more,
  };
}

/** A child's first row as a parent spawns it. */
export function spawnOf(address: Address, parent: Address, more: Partial<StoredCell> = {}) {
  return { ...cellOf(address, 1), parent, ...more };
}

export function recordOf(event: string, more: Partial<RecordParams> = {}): RecordParams {
  return { event, rule: 'GR-1', numbers: { size: 3 }, ...more };
}

/** A record that publishes the aggregate of `address`. */
export function publishOf(address: Address, event = 'group.resized'): RecordParams {
  const slash = address.indexOf('/');
  const aggregate = {
    aggregateKind: address.slice(0, slash),
    aggregateId: address.slice(slash + 1),
  };
  return recordOf(event, { publish: { ...aggregate, data: { size: 3 } } });
}

export function decisionOf(id: string, more: Partial<Decision> = {}): Decision {
  return {
    id,
    at: NOON,
    actor: WEB,
    cause: 'event-1',
    thread: 'shard-1',
    incarnation: 1,
    spawns: [],
    forget: false,
    records: [recordOf('group.resized')],
    configGeneration: 7,
    ...more,
  };
}

export function ledgerOf(address: string, frontend = 'cache'): LedgerEntry {
  return {
    frontend,
    vip: { address, prefixLength: 32, protocol: 'tcp', port: 443 },
    attributes: { encap: 'gre4', dscp: 0, srcIpSticky: false, tableLength: 1024 },
  };
}
