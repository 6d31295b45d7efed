/** The pool machine: whom it sends where. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf, type FrontendName } from '../../machines/model/ids.js';
import type { PoolMessage } from '../../machines/model/messages.js';
import { type PoolMemory, poolMachine, type RouteParams } from '../../machines/pool.js';
import { drive } from '../support/drive.js';

const input = { address: addressOf('pool', 'public') };
const asks: PoolMessage = { type: 'pool.allocate', frontend: 'web' as FrontendName };
const range: PoolMessage = {
  type: 'pool.desired',
  spec: { name: 'public', cidr: '192.0.2.0/30', generation: 1 },
};

test('[FE-52] pool: passes on who asks, with the range it has by then', () => {
  const fresh = drive<PoolMemory>(poolMachine, input).send({
    type: 'activated',
    children: [],
  } as never);
  assert.equal(fresh.send(asks).said<RouteParams>('route')[0]?.cidr, null);
  const open = fresh.send(range);
  assert.equal(open.send(asks).said<RouteParams>('route')[0]?.cidr, '192.0.2.0/30');
  assert.equal(open.send(asks).said('record').length, 0);
});
