/** How long a verdict takes to reach VPP, and which share of it is ours. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message } from '../../machines/model/messages.js';
import { rememberingMetrics } from '../support/quiet.js';
import { SETTINGS, startLbsync } from './lbsync-lab.js';
import { WEB, wish } from './lbsync-wishes.js';

const START = 1_700_000_000_000;
const SETTLED_MS = 2_000;

/** A site in step; the verdict is 3 ms old when lbsync hears of it, and VPP takes 20 ms. */
async function afterVerdict(change: { readonly verdictAtMs?: number }) {
  const metrics = rememberingMetrics();
  const lab = startLbsync(SETTINGS, { metrics, now: START });
  lab.want(wish('web', WEB, { '10.0.0.1': 1, '10.0.0.2': 1 }));
  await lab.pass(SETTLED_MS);
  const { apply } = lab.dataplane;
  const opened: (() => void)[] = [];
  lab.dataplane.apply = async (op) => {
    await new Promise<void>((resolve) => opened.push(resolve));
    return apply(op);
  };
  const desired = wish('web', WEB, { '10.0.0.1': [0, 'down-1'], '10.0.0.2': 1 });
  lab.tell({ type: 'vip.desired', desired, ...change } as Message);
  await lab.pass(20);
  assert.deepEqual(
    metrics.observed['verdict_to_dataplane_seconds'],
    undefined,
    'not before the answer',
  );
  for (const open of opened) open();
  await lab.settle();
  await lab.pass(60_000);
  return metrics.observed;
}

test('[LB-83] lbsync: from the verdict until VPP has acknowledged, once, and what of it was ours', async () => {
  const observed = await afterVerdict({ verdictAtMs: START + SETTLED_MS - 3 });
  assert.deepEqual(observed['verdict_to_dataplane_seconds'], [0.023]);
  assert.deepEqual(observed['verdict_to_dataplane_own_seconds'], [0.003]);
});

test('[LB-83] lbsync: a wish that follows from no verdict is not measured', async () => {
  const observed = await afterVerdict({});
  assert.deepEqual(observed['verdict_to_dataplane_seconds'], undefined);
});
