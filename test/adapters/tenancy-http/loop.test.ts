/** The whole conversation over real HTTP: the example server, the adapter, tenancy and its tenants. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type TenancyNode, tenancyNode } from '../../support/tenancy-node.js';
import { type ManagerLab, managerLab } from '../../support/tenant-manager-lab.js';

const STEP_MS = 1_000;
const WITHIN_STEPS = 2_000;

/** Virtual seconds pass while real answers are on their way. */
async function until(
  node: TenancyNode,
  what: string,
  holds: () => Promise<boolean>,
): Promise<void> {
  for (let step = 0; step < WITHIN_STEPS; step += 1) {
    if (await holds()) return;
    await node.clock.advance(STEP_MS);
    await pause(5);
  }
  assert.fail(`never: ${what}`);
}

const shown = async ({ orgs, projects }: ManagerLab): Promise<string> =>
  [...(await orgs()), ...(await projects())]
    .map(({ name, status }) => `${name} ${status.indicator}`)
    .join(', ');

test('[TE-6] tenancy-http: projects are replayed, followed, made, deleted and let go [T1] [T7]', async () => {
  const lab = await managerLab();
  const node = await tenancyNode(lab.api);
  const shows = (text: string) =>
    until(node, text, async () => {
      lab.manager.cleanUp();
      return (await shown(lab)) === text;
    });
  try {
    await lab.call('POST', '/v1/orgs', { name: 'edge' });
    await lab.call('POST', '/v1/orgs/edge/projects', { name: 'one' });
    await node.configure();
    await shows('edge IDLE, one IDLE');
    await lab.call('POST', '/v1/orgs/edge/projects', { name: 'two' });
    await shows('edge IDLE, one IDLE, two IDLE');
    assert.equal(node.views('tenant').length, 2);
    node.orders.length = 0;
    await lab.call('DELETE', '/v1/orgs/edge/projects/one');
    await shows('edge IDLE, two IDLE');
    assert.deepEqual(node.orders, ['group removed', 'frontend removed']);
    await lab.call('DELETE', '/v1/orgs/edge');
    await shows('');
    assert.equal(node.views('tenant').length, 0);
  } finally {
    await node.host.stop();
    await lab.dispose();
  }
});
