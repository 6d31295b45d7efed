/** One look at a provider that lists more than it was asked for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sweepProvider } from '../../actors/provider-sweep.js';
import { groupKeyOf, type InstanceId, type TenantId } from '../../machines/model/ids.js';
import { ok } from '../../machines/model/result.js';
import {
  createSimulatedWorld,
  openSimulatedProvider,
} from '../../src/adapters/simulated-provider/provider.js';
import type { ProvidedInstance } from '../../src/ports/provider.js';
import { createVirtualClock } from '../../src/runtime/virtual-clock.js';
import { memoryStore } from '../support/toy-node.js';

const of = (installation: string): ProvidedInstance => ({
  providerId: `p-${installation}`,
  token: `t-${installation}`,
  address: '127.64.0.9',
  state: 'running',
  tags: {
    ...{ installation, node: 'edge-1', epoch: 1, tenant: 'red' as TenantId },
    ...{ group: groupKeyOf('red', 'web'), instance: 'i-0000-1' as InstanceId },
  },
});

test('[OR-8] sweep: what another installation tagged is no orphan of ours, whatever the driver lists', async () => {
  const world = createSimulatedWorld();
  const all = [of('here'), of('elsewhere')];
  for (const one of all) world.instances.set(one.providerId, one);
  const provider = openSimulatedProvider({ world, clock: createVirtualClock() });
  provider.list = async () => ok({ instances: all });
  const swept = await sweepProvider({
    provider,
    ownership: { installation: 'here', node: 'edge-1', epoch: 1 },
    store: memoryStore(),
    isClaimed: () => false,
    introduce: () => assert.fail('nobody is adopted'),
  });
  assert.ok(swept.type === 'orphans.listed');
  assert.deepEqual(
    swept.strangers.map(({ providerId }) => providerId),
    ['p-here'],
  );
});
