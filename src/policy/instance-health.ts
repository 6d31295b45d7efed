/**
 * Whether an instance is well, from what its probe and its agent say, by the source its group trusts.
 *
 * Input:  the source, whether there is a probe at all, the verdicts. Output: one opinion.
 *
 *   well      may serve                 unwell   down: replaced when it stays so
 *   unclear   changes nothing           sick     replaced at once
 *
 * Rules: [IN-16] the probe alone counts with `probe`, the agent alone with `agent`; with `both` the probe decides who
 * serves, an agent's own "unhealthy" is believed, and its silence counts only while the probe is down too; [IN-17] what
 * was never heard, or not in this life of the daemon, is unclear.
 */
import type { AgentState } from '../../machines/model/agent.js';
import type { HealthState } from '../../machines/model/messages.js';

export type Opinion = 'well' | 'unwell' | 'sick' | 'unclear';

export interface Heard {
  readonly source: 'probe' | 'agent' | 'both';
  /** There is a check; without one `both` is what the agent says. */
  readonly probed: boolean;
  readonly probe: HealthState | undefined;
  readonly agent: AgentState | undefined;
}

export function opinionOf({ source, probed, probe, agent }: Heard): Opinion {
  if (source === 'probe') return byProbe(probed, probe);
  if (source === 'agent' || !probed) return byAgent(agent);
  if (agent === 'unhealthy') return 'sick';
  return probe === 'down' && agent === 'silent' ? 'sick' : byProbe(probed, probe);
}

function byProbe(probed: boolean, probe: HealthState | undefined): Opinion {
  if (!probed || probe === 'up') return 'well';
  return probe === 'down' ? 'unwell' : 'unclear';
}

function byAgent(agent: AgentState | undefined): Opinion {
  if (agent === 'healthy') return 'well';
  return agent === 'unhealthy' || agent === 'silent' ? 'sick' : 'unclear';
}

/** Somebody whose word counts has heard of it, well or not. */
export function isHeardOf({ source, probed, probe, agent }: Heard): boolean {
  const byItsProbe = source !== 'agent' && probed && probe === 'down';
  const spoke = agent === 'registered' || agent === 'healthy' || agent === 'unhealthy';
  return byItsProbe || (source !== 'probe' && spoke);
}
