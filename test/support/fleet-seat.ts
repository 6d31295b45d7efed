/** A node's place in a virtual fleet, for its lives one after the other: its link, its lease, its log. */
import { createFleetLog } from '../../actors/fleet-log.js';
import { addressOf } from '../../machines/model/ids.js';
import type { Message } from '../../machines/model/messages.js';
import { nextEpoch } from '../../src/adapters/sqlite/epoch.js';
import { knowsType } from '../../src/feed/event-schemas.js';
import { isDuty } from '../../src/policy/duty.js';
import { createHold, type Hold } from '../../src/ports/lease.js';
import type { PackedStore } from '../../src/ports/packed.js';
import type { Host } from '../../src/runtime/host.js';
import type { HostOptions } from '../../src/runtime/kernel.js';
import type { VirtualClock } from '../../src/runtime/virtual-clock.js';
import type { FleetBroker, FleetLink } from './fleet-broker.js';
import { numberedIds, type rememberingLog } from './quiet.js';

/** A place in a fleet, for a node's lives one after the other. */
export interface FleetSeat {
  readonly link: FleetLink;
  readonly hold: () => Hold | undefined;
  unknownTypes: 'halt' | 'quarantine' | 'ignore';
  join(life: FleetLife): Joined;
}

interface FleetLife {
  readonly clock: VirtualClock;
  readonly log: ReturnType<typeof rememberingLog>;
  readonly life: number;
  host(): Host;
}

interface Joined {
  readonly options: Pick<HostOptions, 'duty'>;
  readonly ports: object;
  begin(): void;
  die(): void;
}

/** `agentCa`: the authority that its agents know. */
export function seatOf(
  node: string,
  broker: FleetBroker,
  store: PackedStore,
  agentCa = 'shared',
): FleetSeat {
  const link = broker.connect(node);
  let current: Hold | undefined;
  const join = ({ clock, log, life, host }: FleetLife): Joined => {
    const suspension = { elapsedMs: clock.monotonic };
    const hold = createHold(suspension, node);
    current = hold;
    const fleetLog = createFleetLog({
      ...{ source: link.source, store, clock, log, node, writer: node },
      ids: numberedIds(`f${life.toString(16)}`),
      incarnation: life,
      raiseEpoch: (observed) => nextEpoch(store, observed),
      isOnDuty: () => hold.mayAct(),
      show: ({ to, message }) => host().tell(to, message, 'fleet'),
      agentCa,
      knows: knowsType,
      unknownTypes: () => seat.unknownTypes,
      tellUnknown: (unknown) =>
        host().tell(
          addressOf('lease', 'main'),
          { type: 'fleet.unknownType', unknown } as Message,
          'fleet',
        ),
      tellForeignCa: (foreignTo) =>
        host().tell(
          addressOf('lease', 'main'),
          { type: 'fleet.authority', foreignTo } as Message,
          'fleet',
        ),
      tellLost: (lost) =>
        host().tell(addressOf('lease', 'main'), { type: 'fleet.lost', lost } as Message, 'fleet'),
    });
    const reconverge = { type: 'reload.reconverge', reason: 'the lease is ours' };
    const fleet = {
      ...{ lease: link.lease, hold, suspension, log: fleetLog },
      claim: { writer: node, node, agentCa },
      setDuty: async (onDuty: boolean) => {
        if (onDuty) await host().takeUp();
        else await host().layDown();
      },
      acknowledge: (upTo: number, lost: readonly number[]) => host().acknowledged(upTo, lost),
      reconverge: () => host().tell(addressOf('reload', 'main'), reconverge, 'lease'),
    };
    const ownership = {
      node,
      get installation() {
        return hold.fleet;
      },
      get epoch() {
        return hold.epoch;
      },
    };
    const begin = { type: 'lease.begin', pollIntervalMs: 300 };
    return {
      options: { duty: { covers: isDuty } },
      ports: { fleet, ownership, mayAct: () => hold.mayAct(), fleetStore: store },
      begin: () => host().tell(addressOf('lease', 'main'), begin, 'boot'),
      die: () => {
        hold.end();
        void fleetLog.stop();
      },
    };
  };
  const seat: FleetSeat = { link, hold: () => current, join, unknownTypes: 'quarantine' };
  return seat;
}
