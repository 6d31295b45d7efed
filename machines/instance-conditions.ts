/**
 * What an operator should know of one instance. Most have nothing to tell.
 *
 * Input: its memory. Output: conditions, each as long as its reason.
 */
import { type InstanceMemory, isAgentMissed } from './instance-memory.js';
import type { JsonObject } from './model/json.js';
import { timestamp } from './model/time.js';

export function conditionsOf(memory: InstanceMemory): JsonObject[] {
  return [...silence(memory), ...quarantined(memory)];
}

function silence(memory: InstanceMemory): JsonObject[] {
  const { id, agent } = memory;
  if (agent === null || !isAgentMissed(memory)) return [];
  const condition = {
    type: 'agent-silent',
    object: `instance/${id}`,
    severity: 'warning',
    since: timestamp(agent.sinceMs),
    cause: 'IN-16',
    message: 'its agent has missed its reports, while its probe passes',
    next: 'it goes on serving; look at the agent, or replace the instance',
  };
  return [condition];
}

function quarantined({ id, quarantine, cause }: InstanceMemory): JsonObject[] {
  if (quarantine === null) return [];
  const { owner, reason, sinceMs, untilMs } = quarantine;
  const ends = untilMs === null ? 'its release' : timestamp(untilMs);
  const condition = {
    type: 'instance-quarantined',
    object: `instance/${id}`,
    severity: 'info',
    since: timestamp(sinceMs),
    cause,
    message: `${owner} keeps it out of rotation: ${reason}`,
    next: `kept until ${ends}; "quarantine ${id} --release" brings it back, "drain ${id}" ends it`,
  };
  return [condition];
}
