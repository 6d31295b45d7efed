/**
 * What a node that shares a fleet has beside the others: the lease, the log of the fleet, and the orders to
 * all its threads. Absent where the lease is `solo`: then nothing of this exists [FL-2].
 */
import { createFleetLog, type FleetLog } from '../../actors/fleet-log.js';
import type { ShownLetter } from '../../actors/fleet-projection.js';
import type { FleetPorts } from '../../actors/lease-actor.js';
import { addressOf } from '../../machines/model/ids.js';
import type { LeaseMessage } from '../../machines/model/lease.js';
import type { Message, ReloadMessage } from '../../machines/model/messages.js';
import { openNatsLease } from '../adapters/nats/lease.js';
import { openNatsSource } from '../adapters/nats/source.js';
import { nextEpoch } from '../adapters/sqlite/epoch.js';
import { suspensionClock } from '../adapters/system/suspension-clock.js';
import { knowsType } from '../feed/event-schemas.js';
import type { FleetStore } from '../ports/fleet-store.js';
import { createHold, type Hold, type Lease } from '../ports/lease.js';
import type { Store } from '../ports/store.js';
import type { HookBoard } from './hook-board.js';
import type { Parts } from './parts.js';
import type { LeaseSettings, Settings } from './settings.js';

export interface FleetInput {
  readonly settings: Settings;
  readonly parts: Parts;
  readonly store: Store & FleetStore;
  readonly orders: FleetOrders;
  readonly hooks: Pick<HookBoard, 'register'>;
}

/** What main can make all threads do. */
export interface FleetOrders {
  setDuty(onDuty: boolean): Promise<void>;
  acknowledge(upTo: number, lost: readonly number[]): void;
  tell(to: ShownLetter['to'], message: Message, cause: string): void;
  /** Of main's own host. */
  readonly incarnation: number;
}

export interface Fleet {
  readonly ports: FleetPorts;
  readonly hold: Hold;
  /** Wants the lease from now on. */
  begin(): void;
  close(): Promise<void>;
}

const LEASE = addressOf('lease', 'main');
const RELOAD = addressOf('reload', 'main');

const RECONVERGE: ReloadMessage = { type: 'reload.reconverge', reason: 'the lease is ours' };

/** How often a node without the lease asks for it: a share of its time, and often enough. */
const POLL_SHARE = 1 / 20;
const POLL_MAX_MS = 1_000;

export function openFleet(input: FleetInput): Fleet | undefined {
  const { settings, parts, orders } = input;
  const { agentCa, installation, lease: shared, node } = settings;
  if (shared === undefined) return undefined;
  const suspension = suspensionClock();
  const hold = createHold(suspension, installation);
  const lease = leaseOf(settings, shared);
  const { log, source } = logOf(input, hold);
  const ports: FleetPorts = {
    ...{ lease, hold, suspension, log },
    claim: { writer: installation, node, ...(agentCa === undefined ? {} : { agentCa }) },
    setDuty: orders.setDuty,
    acknowledge: orders.acknowledge,
    reconverge: () => orders.tell(RELOAD, RECONVERGE, 'lease'),
  };
  const pollIntervalMs = Math.min(POLL_MAX_MS, Math.ceil(shared.ttlMs * POLL_SHARE));
  const wanting: LeaseMessage = { type: 'lease.begin', pollIntervalMs };
  return {
    ports,
    hold,
    begin: () => orders.tell(LEASE, wanting, 'boot'),
    close: async () => {
      await log.stop();
      await source.close();
      await lease.close();
      parts.log.debug({}, 'the fleet is left');
    },
  };
}

function leaseOf({ node }: Settings, { ttlMs, bucket, ...access }: LeaseSettings): Lease {
  return openNatsLease({ ...access, name: `switchyard lease ${node}`, bucket, ttlMs });
}

function logOf({ settings, parts, store, orders, hooks }: FleetInput, hold: Hold) {
  let { unknownTypes } = settings.feed;
  hooks.register('feed', (feed) => {
    unknownTypes = feed['unknownTypes'] as typeof unknownTypes;
  });
  const { agentCa, node, sink } = settings;
  const { clock, ids, log } = parts;
  const nats = sink.nats ?? { servers: [], stream: '', replicas: 1 };
  const reader = `fleet_${node.replaceAll(/[^A-Za-z0-9_-]/g, '_')}`;
  const source = openNatsSource({ ...nats, name: `switchyard fleet ${node}`, reader });
  const fleetLog: FleetLog = createFleetLog({
    ...{ source, store, clock, ids, log, node, writer: settings.installation },
    incarnation: orders.incarnation,
    raiseEpoch: (observed) => nextEpoch(store, observed),
    isOnDuty: () => hold.mayAct(),
    show: ({ to, message }) => orders.tell(to, message, 'fleet'),
    ...(agentCa === undefined ? {} : { agentCa }),
    knows: knowsType,
    unknownTypes: () => unknownTypes,
    tellUnknown: (unknown) => {
      const message: LeaseMessage = { type: 'fleet.unknownType', unknown };
      orders.tell(LEASE, message, 'fleet');
    },
    tellForeignCa: (foreignTo) => {
      const message: LeaseMessage = { type: 'fleet.authority', foreignTo };
      orders.tell(LEASE, message, 'fleet');
    },
    tellLost: (lost) => {
      const message: LeaseMessage = { type: 'fleet.lost', lost };
      orders.tell(LEASE, message, 'fleet');
    },
  });
  return { log: fleetLog, source };
}
