/**
 * What an instance makes of its verdicts: the rules of src/policy/instance-health.ts on its memory.
 */
import { type Heard, isHeardOf as heardAtAll, opinionOf } from '../src/policy/instance-health.js';
import { type InstanceMemory, isProbed } from './instance-memory.js';
import type { Meta } from './model/effects.js';

export function heardOf({ spec, verdict, agent }: InstanceMemory): Heard {
  const { source } = spec.health;
  return { source, probed: isProbed(spec), probe: verdict?.state, agent: agent?.state };
}

export function isWell(memory: InstanceMemory): boolean {
  return opinionOf(heardOf(memory)) === 'well';
}

export function isHeardOf(memory: InstanceMemory): boolean {
  return heardAtAll(heardOf(memory));
}

export function isUnwell(memory: InstanceMemory): boolean {
  const opinion = opinionOf(heardOf(memory));
  return opinion === 'unwell' || opinion === 'sick';
}

/** Not to be waited for; in its grace everybody is. */
export function isSick(memory: InstanceMemory, { at }: Meta): boolean {
  return opinionOf(heardOf(memory)) === 'sick' && at >= graceEndsMs(memory);
}

export function graceEndsMs({ createdAtMs, spec }: InstanceMemory): number {
  return (createdAtMs ?? 0) + spec.health.graceMs;
}
