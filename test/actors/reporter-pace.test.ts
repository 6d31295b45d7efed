/** How fast statuses go: one at a time while tenancy catches up, several afterwards, and all of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { STATUSES_MAX } from '../../actors/reporter-service.js';
import { BELT_WIDTH } from '../../src/policy/tenancy-route.js';
import type { TenancyApi } from '../../src/ports/tenancy-api.js';
import { scriptedTenancy } from '../support/scripted-tenancy.js';
import { type TenancyNode, tenancyNode } from '../support/tenancy-node.js';

const PROJECTS = 2 * BELT_WIDTH;

test('[TE-59] [TE-58] reporter: news goes first, statuses still go, and in the end all of them', async () => {
  const manager = scriptedTenancy();
  for (let number = 0; number < PROJECTS; number += 1) manager.create('project', `p${number}`);
  let node: TenancyNode | undefined;
  let [running, early, most] = [0, 0, 0];
  const putStatus: TenancyApi['putStatus'] = async (...args) => {
    running += 1;
    most = Math.max(most, running);
    const unaccepted = Number(node?.views('tenancy')[0]?.['unaccepted'] ?? 0);
    // More than are on their way at once: some have not been told yet.
    if (unaccepted > BELT_WIDTH) {
      early += 1;
      assert.equal(running, 1);
    }
    await new Promise<void>((resolve) => void node?.clock.after(5, resolve));
    running -= 1;
    return manager.putStatus(...args);
  };
  node = await tenancyNode({ ...manager, putStatus });
  await node.configure();
  await node.clock.advance(60_000);
  assert.ok(early > 0, 'they still go');
  assert.equal(most, STATUSES_MAX);
  assert.equal(manager.reports.length, 2 * PROJECTS);
});
