/**
 * Who lives where: the actor types of each role, and the adapters they are given. A thread takes one
 * role; the single-thread node takes them all.
 */
import type { AnyStateMachine } from 'xstate';
import { agentActor } from '../../actors/agent-actor.js';
import { announcementActor } from '../../actors/announcement-actor.js';
import { backendActor } from '../../actors/backend-actor.js';
import { blockActor } from '../../actors/block-actor.js';
import { frontendActor } from '../../actors/frontend-actor.js';
import { groupActor } from '../../actors/group-actor.js';
import { guardActor } from '../../actors/guard-actor.js';
import { identityActor } from '../../actors/identity-actor.js';
import { instanceActor } from '../../actors/instance-actor.js';
import { lbsyncActor } from '../../actors/lbsync-actor.js';
import { leaseActor } from '../../actors/lease-actor.js';
import { outboxActor } from '../../actors/outbox-actor.js';
import { overrideActor } from '../../actors/override-actor.js';
import { poolActor } from '../../actors/pool-actor.js';
import { providerService } from '../../actors/provider-service.js';
import { reloadActor } from '../../actors/reload-actor.js';
import { reporterService } from '../../actors/reporter-service.js';
import { resourceActor } from '../../actors/resource-actor.js';
import { suspicionActor } from '../../actors/suspicion-actor.js';
import { sweepActor } from '../../actors/sweep-actor.js';
import { tenancyActor } from '../../actors/tenancy-actor.js';
import { tenantActor } from '../../actors/tenant-actor.js';
import { ok, type Result } from '../../machines/model/result.js';
import type { ActorType, ServiceType } from '../runtime/actor-type.js';
import { dataplanePorts, outboxPorts, shardPorts, type ThreadPortsInput } from './ports.js';

export type Role = 'main' | 'shard' | 'dataplane' | 'outbox';

export interface Cast {
  readonly types: readonly ActorType[];
  readonly services: readonly ServiceType[];
}

/** An actor type is handed over without its ports' type: `portsFor` gives each role what it asks for. */
const CASTS: Readonly<Record<Role, Cast>> = {
  main: {
    types: [
      ...[leaseActor, reloadActor, tenancyActor, resourceActor, poolActor, blockActor],
      ...[announcementActor, sweepActor, guardActor],
    ] as never,
    services: [providerService, reporterService] as never,
  },
  shard: {
    types: [
      tenantActor,
      groupActor,
      instanceActor,
      identityActor,
      agentActor,
      backendActor,
      overrideActor,
    ] as never,
    services: [],
  },
  dataplane: {
    types: [frontendActor, lbsyncActor, suspicionActor, overrideActor] as never,
    services: [],
  },
  outbox: { types: [outboxActor] as never, services: [] },
};

export function castOf(roles: readonly Role[]): Cast {
  return {
    types: [...new Set(roles.flatMap((role) => CASTS[role].types))],
    services: roles.flatMap((role) => CASTS[role].services),
  };
}

/** Every machine of the node, by its id. */
export function allMachines(): ReadonlyMap<string, AnyStateMachine> {
  const types = Object.values(CASTS).flatMap((cast) => cast.types);
  return new Map(types.map(({ machine }) => [machine.id, machine]));
}

/** What the actors of a thread use of the outside, to be closed after them. */
export interface OpenPorts {
  readonly ports: object;
  close(): Promise<void>;
}

/** Ports of the roles a thread takes; `main`'s are made by the node itself, which alone has them. */
export async function portsFor(
  roles: readonly Role[],
  input: ThreadPortsInput,
): Promise<Result<OpenPorts, string>> {
  const outbox = roles.includes('outbox') ? await outboxPorts(input) : undefined;
  if (outbox?.ok === false) return outbox;
  const shard = roles.includes('shard') ? shardPorts(input) : undefined;
  const dataplane = roles.includes('dataplane') ? dataplanePorts(input) : undefined;
  const close = async (): Promise<void> => {
    shard?.prober.close();
    await dataplane?.dataplane?.close();
    await outbox?.value.close();
  };
  return ok({ ports: { ...shard, ...dataplane, ...outbox?.value.ports }, close });
}
