/** Agents of a group's test world: what a test lets them say. */
import type { InstanceMemory } from '../../machines/instance-memory.js';
import type { AgentReport } from '../../machines/model/agent.js';
import type { GroupSpec } from '../../machines/model/desired.js';
import { addressOf, type InstanceId } from '../../machines/model/ids.js';
import { living } from './group-ages.js';
import { groupSpec, MINUTE_MS } from './group-spec.js';
import type { GroupWorld } from './group-types.js';

export interface Agents {
  readonly world: GroupWorld;
  report(id: InstanceId, change?: Partial<AgentReport>): void;
  /** All but these report at every interval, for so long. */
  run(forMs: number, silent?: readonly InstanceId[]): void;
  close(id: InstanceId, boot?: number): void;
}

/** A group that trusts its agents, and has no frontends in its way. */
export function agentSpec(
  source: GroupSpec['health']['source'] = 'agent',
  change: Partial<GroupSpec> = {},
): GroupSpec {
  const { health } = groupSpec();
  return groupSpec({ health: { ...health, source, graceMs: 0 }, ...change });
}

const REPORT_EVERY_MS = 10_000;

export function agentsOf(spec: GroupSpec): Agents {
  const world = living(spec, 1_000);
  let seq = 0;
  const alive = (): readonly InstanceMemory[] =>
    world.instances().filter(({ providerId, state }) => providerId !== null && state !== 'deleted');
  const report: Agents['report'] = (id, change = {}) => {
    seq += 1;
    const said = { boot: 1, seq, healthy: true, detail: '', ...change };
    world.tell(addressOf('agent', id), { type: 'agent.reported', report: said });
  };
  return {
    world,
    report,
    run: (forMs, silent = []) => {
      for (let spent = 0; spent < forMs; spent += REPORT_EVERY_MS) {
        for (const { id } of alive()) if (!silent.includes(id)) report(id);
        world.run(Math.min(REPORT_EVERY_MS, forMs - spent));
      }
    },
    close: (id, boot = 1) => world.tell(addressOf('agent', id), { type: 'agent.closed', boot }),
  };
}

/** Three that serve, by their agents' word. */
export function attended(spec: GroupSpec = agentSpec()): Agents {
  const agents = agentsOf(spec);
  agents.run(MINUTE_MS);
  return agents;
}

/** Times, in seconds since `sinceMs`, at which the provider was asked. */
export function polledAt(world: GroupWorld): number {
  return world.neighbours.calls.filter(({ type }) => type === 'provider.poll').length;
}
