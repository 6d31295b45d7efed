/** What a group costs in which nothing changed: CPU of one resync, in the machine itself. */
import { groupMachine } from '../../machines/group.js';
import type { GroupMemory } from '../../machines/group-memory.js';
import type { GroupSpec } from '../../machines/model/desired.js';
import type { SpawnParams } from '../../machines/model/effects.js';
import {
  addressOf,
  groupKeyOf,
  type InstanceId,
  keyOf,
  type TenantId,
} from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import type { CollectedEffect } from '../../src/runtime/step.js';
import { createStepper } from '../../src/runtime/stepper.js';
import { type Outcome, type Params, param } from '../runtime/probe.js';

export const resyncProbes = { 'groups-resync': resync };

const RESYNC = 'xstate.after.resync.group.active.resync.waiting';
const WARM_UP = 2_000;

async function resync(params: Params): Promise<Outcome> {
  const group = settled(param(params, 'size'));
  const repeat = (times: number): void => {
    for (let time = 0; time < times; time += 1) group.send({ type: RESYNC });
  };
  repeat(WARM_UP);
  const times = param(params, 'resyncs');
  const before = process.cpuUsage();
  repeat(times);
  const { user, system } = process.cpuUsage(before);
  return { resyncUs: (user + system) / times };
}

/** A group whose members all serve. */
function settled(size: number) {
  const stepper = createStepper(groupMachine);
  const self = addressOf('group', groupKeyOf('acme', 'web'));
  let { configuration, context } = stepper.initial({ address: self });
  let serial = 0;
  const send = (message: JsonObject): readonly CollectedEffect[] => {
    serial += 1;
    const id = `0192-${serial.toString(16).padStart(28, '0')}`;
    const meta = { at: 1_000, random: 0.5, id, cause: id, from: self, replyTo: undefined };
    const step = stepper.step(configuration, context, { ...message, meta } as never);
    ({ configuration, context } = step);
    return step.effects;
  };
  const made: InstanceId[] = [];
  const note = (effects: readonly CollectedEffect[]): void => {
    for (const { type, params } of effects) {
      if (type !== 'spawn') continue;
      for (const { address } of params as readonly SpawnParams[])
        made.push(keyOf(address) as InstanceId);
    }
  };
  note(send({ type: 'group.desired', spec: specOf(size) as unknown as JsonObject }));
  while (made.length < size) note(send({ type: 'publish.request' }));
  for (const id of made) {
    const known = (context as unknown as GroupMemory).members[id];
    const served = { ...known, state: 'serving', inService: true, address: '10.0.0.1' };
    send({ type: 'instance.changed', summary: served as unknown as JsonObject });
  }
  return { send };
}

const MINUTE_MS = 60_000;

function specOf(size: number): GroupSpec {
  return {
    key: groupKeyOf('acme', 'web'),
    tenant: 'acme' as TenantId,
    name: 'web',
    size,
    maxSize: 2 * size,
    template: { name: 'web', provider: 'cloud', spec: {}, vars: {}, infraHash: 'abc' },
    health: {
      ...{ source: 'probe', graceMs: MINUTE_MS, agentIntervalMs: MINUTE_MS },
      ...{ missedReports: 3, replaceAfterMs: 5 * MINUTE_MS },
    },
    drain: { timeoutMs: 5 * MINUTE_MS, holdMaxMs: 15 * MINUTE_MS },
    replace: 'create-first',
    bootTimeoutMs: 10 * MINUTE_MS,
    resyncIntervalMs: MINUTE_MS,
    deletedRetentionMs: 30 * MINUTE_MS,
    retry: { baseMs: 5_000, maxMs: 2 * MINUTE_MS, attempts: 8, jitter: 0.25 },
    frontends: [],
    generation: 1,
  };
}
