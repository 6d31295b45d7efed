/** The lbsync actor and numbers: which wish a report answers, and whom it asks to speak. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LbFailure } from '../../machines/model/failures.js';
import { type Vip, vipKey } from '../../machines/model/lb.js';
import type { Message } from '../../machines/model/messages.js';
import { fail } from '../../machines/model/result.js';
import { frontendNamed, type LbsyncLab, SETTINGS, startLbsync } from './lbsync-lab.js';
import {
  duringNextPass,
  last,
  leftBehind,
  vipAt,
  WEB,
  weights,
  wish,
  withdrawal,
} from './lbsync-wishes.js';

const ELSEWHERE = vipAt(443, '192.0.2.2');
const REFUSED: LbFailure = { code: 'LB_NO_SUCH_ENTRY', message: 'not today' };

/** The next ops on this VIP are refused, as often as it takes to end up waiting. */
function refuseAt(lab: LbsyncLab, vip: Vip): void {
  const { apply } = lab.dataplane;
  let left = 2;
  lab.dataplane.apply = async (op) => {
    const refused = left > 0 && 'vip' in op && vipKey(op.vip) === vipKey(vip);
    if (refused) left -= 1;
    return refused ? fail(REFUSED) : apply(op);
  };
}

test('[LB-59] lbsync: an overtaken wish counts for nothing, and learns which one does', async () => {
  const lab = startLbsync();
  lab.want(wish('web', WEB, { '10.0.0.1': 2 }, { revision: 5 }));
  await lab.settle();
  lab.want(wish('web', WEB, { '10.0.0.1': 1 }, { revision: 3 }));
  lab.tell(withdrawal('web', 4));
  await lab.settle();
  assert.deepEqual(weights(lab.lb, WEB), { '10.0.0.1': 2 });
  assert.deepEqual(
    lab.reports('web').map(({ revision, synced }) => [revision, synced]),
    [
      [5, true],
      [5, true],
    ],
  );
  assert.equal(lab.gone('web'), 0);
});

test('[LB-59] lbsync: a frontend that came back learns which of its wishes counts', async () => {
  const lab = startLbsync();
  lab.want(wish('web', WEB, { '10.0.0.1': 2 }, { revision: 5 }));
  await lab.settle();
  lab.tell({ type: 'vip.awaited', frontend: frontendNamed('web') } as Message);
  await lab.settle();
  assert.equal(lab.reports('web').length, 2);
  assert.equal(last(lab, 'web')?.revision, 5);
});

test('[LB-60] lbsync: a wish that comes during a pass is named with what VPP has then', async () => {
  const lab = startLbsync();
  lab.want(wish('web', WEB, { '10.0.0.1': 1 }, { revision: 1 }));
  duringNextPass(lab, () => lab.want(wish('web', WEB, { '10.0.0.2': 1 }, { revision: 2 })));
  await lab.settle();
  const told = lab.reports('web').map(({ revision, synced, servers }) => {
    return [revision, synced, ...servers.map(({ address }) => address)];
  });
  assert.deepEqual(told.at(-1), [2, true, '10.0.0.2']);
  const early = told.filter(([, ...servers]) => servers.includes('10.0.0.1'));
  assert.ok(early.every(([, synced]) => synced === false));
});

test('[LB-60] lbsync: a wish is followed once nothing is left where its frontend was', async () => {
  const lab = startLbsync();
  lab.want(wish('web', WEB, { '10.0.0.1': 1 }, { revision: 1 }));
  await lab.settle();
  refuseAt(lab, WEB);
  lab.want(wish('web', ELSEWHERE, { '10.0.0.2': 1 }, { revision: 2 }));
  await lab.settle();
  assert.deepEqual(weights(lab.lb, ELSEWHERE), { '10.0.0.2': 1 });
  assert.deepEqual(weights(lab.lb, WEB), { '10.0.0.1': 1 });
  assert.deepEqual([last(lab, 'web')?.synced, last(lab, 'web')?.revision], [true, 0]);
  await lab.pass(5_000);
  assert.equal(weights(lab.lb, WEB), undefined);
  assert.equal(last(lab, 'web')?.revision, 2);
});

test('[LB-60] lbsync: what another frontend took over is gone when VPP follows that one', async () => {
  const lab = startLbsync();
  lab.want(wish('one', WEB, { '10.0.0.1': 1 }, { revision: 1 }));
  await lab.settle();
  refuseAt(lab, WEB);
  lab.want(wish('two', WEB, { '10.0.0.2': 1 }, { revision: 1 }));
  lab.tell(withdrawal('one', 2));
  await lab.settle();
  assert.deepEqual(weights(lab.lb, WEB), { '10.0.0.1': 1 });
  assert.equal(lab.gone('one'), 0);
  await lab.pass(5_000);
  assert.deepEqual(weights(lab.lb, WEB), { '10.0.0.2': 1 });
  assert.equal(lab.gone('one'), 1);
});

test('[LB-61] lbsync: starting over, it greets whom its ledger names and who is silent', async () => {
  const { lb, ledger } = await leftBehind(
    wish('web', WEB, { '10.0.0.1': 1 }),
    wish('mail', ELSEWHERE, { '10.0.0.2': 1 }),
  );
  const lab = startLbsync(SETTINGS, { lb, ledger });
  lab.want(wish('web', WEB, { '10.0.0.1': 1 }));
  await lab.pass(120_000);
  const greeted = lab.told.filter(({ message }) => message.type === 'lbsync.hello');
  assert.deepEqual(
    greeted.map(({ to }) => to),
    ['frontend/mail'],
  );
});

test('[LB-60] lbsync: while the ledger cannot be read, no report names a wish', async () => {
  const { lb, ledger } = await leftBehind(wish('web', WEB, { '10.0.0.1': 1 }));
  ledger.available = false;
  const lab = startLbsync(SETTINGS, { lb, ledger });
  lab.want(wish('web', WEB, { '10.0.0.1': 1 }, { revision: 7 }));
  await lab.pass(2_000);
  assert.equal(last(lab, 'web')?.revision, 0);
  ledger.available = true;
  await lab.pass(5_000);
  assert.equal(last(lab, 'web')?.revision, 7);
});
