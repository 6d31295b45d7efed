/**
 * What an instance waits for, in its state.
 *
 * Input: its memory. Output: one line for each thing that must happen before it goes on.
 */
import { type Gate, gate } from './gate.js';
import { heldBy, type InstanceMemory } from './instance-memory.js';
import { heardOf } from './instance-opinion.js';
import type { FrontendName } from './model/ids.js';
import type { JsonObject } from './model/json.js';
import { timestamp } from './model/time.js';

type Line = Gate & JsonObject;

export function instanceGates(memory: InstanceMemory): JsonObject {
  const { state, replaceOrdered, overdue, spec } = memory;
  const why = replaceOrdered ? 'an operator ordered it' : 'unhealthy for too long';
  return {
    state,
    group: spec.key,
    ...(replaceOrdered || overdue ? { replaceWanted: why } : {}),
    provider: spec.template.provider,
    gates: [...providerGate(memory), ...healthGate(memory), ...drainGates(memory)],
  };
}

function providerGate({ state, problem, retryAtMs }: InstanceMemory): Line[] {
  if (state !== 'creating' && state !== 'deleting') return [];
  const next = retryAtMs === null ? '' : `, asked again at ${timestamp(retryAtMs)}`;
  return [gate('provider', true, `${problem ?? 'no answer yet'}${next}`)];
}

function healthGate(memory: InstanceMemory): Line[] {
  const { state, createdAtMs, spec } = memory;
  if (!['booting', 'registered', 'suspect', 'serving'].includes(state)) return [];
  const { source, probe = 'unheard', agent = 'unheard' } = heardOf(memory);
  const says = `source ${source}: probe ${probe}, agent ${agent}`;
  const untilMs = (createdAtMs ?? 0) + spec.bootTimeoutMs;
  const boots = state === 'booting' || state === 'registered';
  const ends = boots ? `; given up at ${timestamp(untilMs)}` : '';
  return [gate('health', state !== 'serving', says + ends), ...frontendGates(memory)];
}

function frontendGates(memory: InstanceMemory): Line[] {
  return heldBy(memory).map((frontend) => gate('frontend', true, wordOf(memory, frontend)));
}

function wordOf({ acks }: InstanceMemory, frontend: FrontendName): string {
  const ack = acks[frontend];
  if (ack === undefined) return `${frontend} has not answered what it is asked now`;
  if (ack.frozen === true) return `${frontend} is frozen by an operator`;
  return `${frontend} has it at weight ${ack.weight} (${ack.phase})`;
}

function drainGates(memory: InstanceMemory): Line[] {
  const { state, drain, quarantine } = memory;
  if (quarantine !== null) {
    const { untilMs } = quarantine;
    const ends = untilMs === null ? 'it is released' : timestamp(untilMs);
    return [gate('quarantine', true, `kept until ${ends}: ${quarantine.reason}`)];
  }
  if (drain === null || !['draining', 'drained', 'lost'].includes(state)) return [];
  const deadline = gate('drain', state === 'draining', `ends at ${timestamp(drain.deadlineMs)}`);
  return [...frontendGates(memory), deadline];
}
