/** The tenant manager and the lease: nothing is said while another node may be saying it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heldOnly } from '../../src/app/main-ports.js';
import { scriptedTenancy } from '../support/scripted-tenancy.js';

test('[FL-9] tenancy: whether we may is asked before every call', async () => {
  const hold = { may: false, mayAct: () => hold.may, epoch: 1, fleet: 'f' };
  const api = heldOnly(scriptedTenancy(), hold);
  assert.ok(api !== undefined);
  const project = { type: 'project', id: 'p' } as const;
  const calls = [
    () => api.replay(1),
    () => api.poll(0, 1, 1),
    () => api.putStatus(project, 'completed', '', 1),
    () => api.deleteStatus(project, 1),
  ];
  for (const call of calls) {
    hold.may = false;
    const refused = await call();
    assert.ok(!refused.ok && /not ours/.test(refused.failure.message));
    hold.may = true;
    const answered = await call();
    assert.ok(answered.ok || !/not ours/.test(answered.failure.message));
  }
});
