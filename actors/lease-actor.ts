/**
 * The lease actor, `lease/main` in the main thread of a node that shares a fleet: wants the lease, keeps it,
 * and brings the duties to life or to an end. Nothing of it is stored: what it needs is in the log.
 */

import {
  type LeaseAnswer,
  type LeaseMemory,
  leaseMachine,
  type PassOnParams,
  type StepDownParams,
  type TakeUpParams,
} from '../machines/lease.js';
import type { Json, JsonObject } from '../machines/model/json.js';
import type { LostEnd, UnknownType } from '../machines/model/lease.js';
import type { HoldControl, Lease, LeaseClaim, SuspensionClock } from '../src/ports/lease.js';
import {
  type ActorType,
  observed,
  oncePerFleet,
  protective,
  type World,
} from '../src/runtime/actor-type.js';
import type { FleetLog } from './fleet-log.js';
import { createKeeper, type Keeper } from './lease-keeper.js';

export interface LeasePorts {
  /** Absent where the node is its own fleet. */
  readonly fleet?: FleetPorts;
}

export interface FleetPorts {
  readonly lease: Lease;
  readonly claim: LeaseClaim;
  readonly hold: HoldControl;
  readonly suspension: SuspensionClock;
  readonly log: FleetLog;
  /** Every thread's duties come to life, or end. Resolves when they have. */
  setDuty(onDuty: boolean): Promise<void>;
  /** Every thread's effects that wait for these rows leave. */
  acknowledge(upTo: number, lost: readonly number[]): void;
  /** What the configuration wants is told to all again. */
  reconverge(): void;
}

type LeaseWorld = World<LeasePorts, Keeper | undefined>;

export const leaseActor: ActorType<LeasePorts, Keeper | undefined> = {
  kind: 'lease',
  machine: leaseMachine,
  version: 1,
  stored: false,
  implicit: true,
  seed: 'lease.begin',
  effects: {
    ask: observed(ask),
    prepare: observed(prepare),
    takeUp: oncePerFleet<TakeUpParams, LeasePorts, Keeper | undefined>(takeUp),
    takeUpAgain: observed<TakeUpParams, LeasePorts, Keeper | undefined>(takeUp),
    stepDown: protective<StepDownParams, LeasePorts, Keeper | undefined>(stepDown),
    resign: protective<StepDownParams, LeasePorts, Keeper | undefined>((params, world) => {
      stepDown(params, world);
      world.scope.run(async () => {
        await world.companion?.release();
        return undefined;
      });
    }),
    passOn: observed<PassOnParams, LeasePorts, Keeper | undefined>(({ upTo, lost }, { ports }) =>
      ports.fleet?.acknowledge(upTo, lost),
    ),
  },
  companion: ({ clock }, { fleet }) => {
    if (fleet === undefined) return undefined;
    // After a crash of ours the duties are still there, and nobody keeps their lease.
    void fleet.setDuty(false);
    fleet.log.begin();
    return createKeeper({ ...fleet, clock });
  },
  dispose: async (keeper) => {
    await keeper?.release();
  },
  view: ({ value, context }) => viewOf(value, context as unknown as LeaseMemory),
  coalesce: ({ type }) => (LEVELS.has(type) ? type : undefined),
};

const LEVELS: ReadonlySet<string> = new Set([
  'lease.begin',
  'fleet.lost',
  'fleet.authority',
  'fleet.unknownType',
]);

function ask(_: unknown, { scope, ports, companion: keeper }: LeaseWorld): void {
  const { fleet } = ports;
  scope.run(async (): Promise<LeaseAnswer> => {
    if (fleet === undefined || keeper === undefined) return NO_FLEET;
    const refusal = await keeper.ask((message) => {
      // From this very moment nothing leaves, whatever is still in a mailbox.
      fleet.hold.end();
      const lost: LeaseAnswer = { type: 'lease.lost', message };
      scope.tell(scope.self, lost);
    });
    if (refusal !== undefined) return { type: 'lease.refused', message: refusal };
    return { type: 'lease.granted' };
  });
}

const NO_FLEET: LeaseAnswer = { type: 'lease.refused', message: 'this node shares no fleet' };

function prepare(_: unknown, { scope, ports }: LeaseWorld): void {
  const { fleet } = ports;
  if (fleet === undefined) return;
  scope.run(async (): Promise<LeaseAnswer> => {
    const prepared = await fleet.log.prepare(fleet.claim);
    if (prepared.ok) return { type: 'fleet.prepared', standing: prepared.value };
    return { type: 'fleet.unprepared', message: prepared.failure };
  });
}

/** Behind our beginning nobody else's rows are in the log any more: what is read now is all there is. */
function takeUp({ standing }: TakeUpParams, { scope, ports, companion: keeper }: LeaseWorld): void {
  const { fleet } = ports;
  if (fleet === undefined) return;
  scope.run(async (): Promise<LeaseAnswer | undefined> => {
    const adopted = await fleet.log.adopt();
    if (!adopted.ok) return { type: 'fleet.notTakenUp', message: adopted.failure };
    // Lost meanwhile: its end was here before this.
    if (keeper?.isHeld !== true) return undefined;
    fleet.hold.begin(standing.epoch, standing.fleet);
    await fleet.setDuty(true);
    fleet.reconverge();
    return { type: 'fleet.takenUp' };
  });
}

function stepDown({ reason }: StepDownParams, { scope, ports }: LeaseWorld): void {
  const { fleet } = ports;
  if (fleet === undefined) return;
  scope.log.warn({ actor: scope.self, reason }, 'the lease is lost: duties end here');
  fleet.hold.end();
  scope.run(async () => {
    await fleet.setDuty(false);
    await fleet.log.showAll();
    return undefined;
  });
}

function viewOf(value: Json, memory: LeaseMemory): JsonObject {
  const { standing, problem, lost, foreignCa, unknown } = memory;
  const held = (value as JsonObject | null)?.['granted'] === 'holding';
  return {
    name: 'main',
    driver: 'nats',
    state: value,
    held,
    epoch: standing?.epoch ?? 0,
    conditions: [
      ...conditionsOf(value, problem),
      ...(lost === null ? [] : [lostCondition(lost)]),
      ...(unknown === null ? [] : [unknownCondition(unknown)]),
      ...(foreignCa === null ? [] : [foreignCaCondition(foreignCa)]),
    ],
    ...(problem === null || problem === '' ? {} : { problem }),
  };
}

/** Following another node is no trouble; not being able to ask is. */
function conditionsOf(value: Json, problem: string | null): readonly JsonObject[] {
  const isHeldElsewhere = problem === null || problem === '' || problem.endsWith('holds the lease');
  if (isHeldElsewhere || (value as JsonObject | null)?.['granted'] === 'holding') return [];
  return [
    {
      type: 'lease-unavailable',
      object: 'lease/main',
      severity: 'warning',
      cause: 'LE-7',
      message: `this node cannot get the lease: ${problem}`,
      next: 'traffic is served as before; decisions wait until the broker answers',
    },
  ];
}

function lostCondition({ from, to, atMs }: LostEnd): JsonObject {
  const since = new Date(atMs).toISOString();
  return {
    ...{ type: 'fleet-log-lost-end', object: 'lease/main', severity: 'critical', since },
    cause: 'FL-11',
    message: `the fleet's log had events up to ${from} and has them only up to ${to}: the broker lost its end, or its stream was made anew`,
    next: `on the node that held the lease: 'switchyard outbox republish --since T', T being some minutes before ${since}; what this node had read it keeps`,
  };
}

function foreignCaCondition(holder: string): JsonObject {
  return {
    ...{ type: 'agent-ca-differs', object: 'lease/main', severity: 'warning', cause: 'ID-40' },
    message: `the fleet's agents know the authority of ${holder}, not this node's: taking over, it could let none of them in`,
    next: `copy the directory api.agentCa.dir of ${holder} here, for this daemon's user alone, and restart`,
  };
}

function unknownCondition({ type, node, halted }: UnknownType): JsonObject {
  const severity = halted ? 'critical' : 'warning';
  return {
    ...{ type: 'fleet-log-unknown-type', object: 'lease/main', severity, cause: 'FL-12' },
    message: `${node} says ${type}, which this release does not know${halted ? ': the log is not read any further, and the lease not taken up' : ''}`,
    next: halted
      ? 'run the release of that node here too, or set feed.unknownTypes to quarantine'
      : 'run the release of that node here too; what else the log says is followed',
  };
}
