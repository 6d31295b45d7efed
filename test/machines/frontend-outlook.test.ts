/** What a frontend would want: asked, it answers and stays as it is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outlook } from '../../machines/frontend-outlook.js';
import type { OutlookParams } from '../../machines/frontend-setup.js';
import type { FrontendSpec } from '../../machines/model/desired.js';
import type { DesiredVip } from '../../machines/model/lb.js';
import type { FrontendMessage, HealthState } from '../../machines/model/messages.js';
import {
  after,
  allUp,
  B1,
  B2,
  B3,
  backend,
  desired,
  type Frontend,
  fresh,
  said,
  sends,
  verdict,
} from '../support/frontend-lab.js';

const SPEC = (desired() as { readonly spec: FrontendSpec }).spec;

function asked(
  frontend: Frontend,
  spec: FrontendSpec | null,
  expected: Readonly<Record<string, HealthState>> = {},
): Outlook {
  const question = { type: 'frontend.outlook', spec, expected } as FrontendMessage;
  const next = after(frontend, question);
  assert.deepEqual(next.context, frontend.context);
  assert.deepEqual(next.value, frontend.value);
  const bodies = next.said<OutlookParams>('answerOutlook').map(({ body }) => body);
  assert.equal(bodies.length, 1);
  return bodies[0] as Outlook;
}

const wanted = (outlook: Outlook): string => said(outlook.wanted as DesiredVip | null);

test('[FE-40] outlook: under the same spec it wants what it has asked for', () => {
  const frontend = allUp();
  const { wanted: vip, sent } = asked(frontend, SPEC);
  assert.equal(said(vip as DesiredVip), said(sent));
  assert.equal(vip?.mayRecreate, true, 'a plan shows what consent would bring');
});

const rows = [
  {
    name: 'who is down stays down',
    frontend: () => after(allUp(), verdict('b1', 'down')),
    pools: [{ name: 'primary', members: [backend('b1', B1), backend('b2', B2)] }],
    reads: '.11=0! .12=1',
  },
  {
    name: 'who was never seen is expected to come up',
    frontend: allUp,
    pools: [{ name: 'primary', members: [backend('b1', B1), backend('new', '10.0.0.99')] }],
    reads: '.11=1 .99=1',
  },
  {
    name: 'who is known to be down elsewhere is not',
    frontend: allUp,
    pools: [{ name: 'primary', members: [backend('b1', B1), backend('ill', B3)] }],
    expected: { ill: 'down' },
    reads: '.11=1',
  },
] as const;

for (const { name, frontend, pools, reads, ...row } of rows) {
  test(`[FE-40] outlook: ${name}`, () => {
    const expected = 'expected' in row ? row.expected : {};
    assert.equal(wanted(asked(frontend(), { ...SPEC, pools }, expected)), reads);
  });
}

test('[FE-40] outlook: removed it wants nothing; never wanted it has nothing', () => {
  assert.equal(asked(allUp(), null).wanted, null);
  const { sent, found } = asked(fresh(), SPEC);
  assert.deepEqual([sent, found], [null, null]);
  assert.deepEqual(sends(after(allUp(), verdict('b1', 'up'))), []);
});
