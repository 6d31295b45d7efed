/** The address pool machine: idempotent, durable before it is spoken of, and nothing given twice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecordParams } from '../../machines/model/effects.js';
import { addressOf, type FrontendName } from '../../machines/model/ids.js';
import type { PoolMessage } from '../../machines/model/messages.js';
import { type PoolAnswer, type PoolMemory, poolMachine } from '../../machines/pool.js';
import { type Driven, drive } from '../support/drive.js';

type Pool = Driven<PoolMemory>;

const range = (cidr: string): PoolMessage => ({
  type: 'pool.desired',
  spec: { name: 'public', cidr, generation: 1 },
});
const allocate = (name: string): PoolMessage => ({
  type: 'pool.allocate',
  frontend: name as FrontendName,
});
const release = (name: string): PoolMessage => ({
  type: 'pool.release',
  frontend: name as FrontendName,
});

function fresh(): Pool {
  const input = { address: addressOf('pool', 'public') };
  return drive<PoolMemory>(poolMachine, input).send({ type: 'activated' });
}

const open = (cidr = '192.0.2.0/30'): Pool => fresh().send(range(cidr));

function answered(pool: Pool): string {
  const answers = [...pool.said<PoolAnswer>('answer'), ...pool.said<PoolAnswer>('answerDecided')];
  return answers
    .map(
      ({ to, message }) =>
        `${to} ${message.type}${'address' in message ? ` ${message.address}` : ''}`,
    )
    .join('; ');
}

test('[FE-20] pool: an allocation is recorded in the step that answers it', () => {
  const given = open().send(allocate('web'));
  assert.equal(given.said<PoolAnswer>('answer').length, 0);
  assert.equal(answered(given), 'frontend/web pool.allocated 192.0.2.1');
  const [record] = given.said<RecordParams>('record');
  assert.equal(record?.event, 'allocation.made');
  assert.deepEqual(record?.publish?.data['allocations'], { web: '192.0.2.1' });
});

test('[FE-22] pool: who asks again gets the same address, and the answer still waits for the disk', () => {
  const again = open().send(allocate('web')).send(allocate('web'));
  assert.equal(answered(again), 'frontend/web pool.allocated 192.0.2.1');
  assert.equal(again.said<PoolAnswer>('answerDecided').length, 1);
  assert.deepEqual(again.context.allocations, { web: '192.0.2.1' });
});

test('[FE-25] pool: a full range says so, and a released address is given again', () => {
  const full = open().send(allocate('a')).send(allocate('b')).send(allocate('c'));
  assert.equal(answered(full), 'frontend/c pool.exhausted');
  assert.equal(full.said('record').length, 0);
  const room = full.send(release('a'));
  assert.equal(answered(room), 'frontend/a pool.released');
  assert.equal(room.said<RecordParams>('record')[0]?.event, 'allocation.released');
  assert.equal(answered(room.send(allocate('c'))), 'frontend/c pool.allocated 192.0.2.1');
});

test('[FE-24] pool: releasing what one does not have is answered as done', () => {
  const pool = open().send(release('web'));
  assert.equal(answered(pool), 'frontend/web pool.released');
  assert.equal(pool.said('record').length, 0);
});

test('[FE-23] pool: a change of range keeps what was given', () => {
  const moved = open().send(allocate('web')).send(range('198.51.100.0/24'));
  assert.deepEqual(moved.context.allocations, { web: '192.0.2.1' });
  const both = moved.send(allocate('api'));
  assert.deepEqual(both.context.allocations, { web: '192.0.2.1', api: '198.51.100.1' });
});

test('[FE-25] pool: before it has a range it gives nothing and says why', () => {
  const early = fresh().send(allocate('web'));
  assert.equal(answered(early), 'frontend/web pool.exhausted');
  assert.equal(answered(fresh().send(release('web'))), 'frontend/web pool.released');
});

test('[FE-20] [FE-22] pool: holds in every history of up to six events', () => {
  const events = [
    ...['a', 'b', 'c'].flatMap((name) => [allocate(name), release(name)]),
    range('192.0.2.0/29'),
  ];
  const explore = (before: Pool, depth: number): void => {
    if (depth === 0) return;
    for (const event of events) {
      const after = before.send(event);
      const given = Object.values(after.context.allocations);
      assert.equal(new Set(given).size, given.length, 'FE-20');
      for (const [name, address] of Object.entries(before.context.allocations)) {
        const released = event.type === 'pool.release' && event.frontend === name;
        assert.equal(after.context.allocations[name], released ? undefined : address, 'FE-22');
      }
      const changed = after.context.allocations !== before.context.allocations;
      if (changed) assert.equal(after.said('record').length, 1, 'an allocation is a decision');
      explore(after, depth - 1);
    }
  };
  explore(open(), 5);
});
