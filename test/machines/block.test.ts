/** The books of an address block: idempotent, durable before they are spoken of, nothing given twice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BlockAnswer, type BlockMemory, blockMachine } from '../../machines/block.js';
import type { RecordParams } from '../../machines/model/effects.js';
import { addressOf, type FrontendName } from '../../machines/model/ids.js';
import type { BlockMessage } from '../../machines/model/messages.js';
import { type Driven, drive } from '../support/drive.js';

type Block = Driven<BlockMemory>;

const RANGE = '192.0.2.0/30';

const allocate = (name: string, cidr = RANGE): BlockMessage => ({
  type: 'block.allocate',
  frontend: name as FrontendName,
  cidr,
});
const release = (name: string): BlockMessage => ({
  type: 'block.release',
  frontend: name as FrontendName,
});

function open(first = '192.0.2.0'): Block {
  const input = { address: addressOf('block', `public/${first}`) };
  return drive<BlockMemory>(blockMachine, input).send({ type: 'activated' });
}

/** What is told to others than the pool. */
function answered(block: Block): string {
  return [...block.said<BlockAnswer>('answer'), ...block.said<BlockAnswer>('answerDecided')]
    .flatMap(({ letters }) => letters)
    .filter(({ to }) => to !== 'pool/public')
    .map(({ to, message }) => {
      return `${to} ${message.type}${'address' in message ? ` ${message.address}` : ''}`;
    })
    .join('; ');
}

test('[FE-20] block: an allocation is recorded in the step that answers it', () => {
  const given = open().send(allocate('web'));
  assert.equal(given.said<BlockAnswer>('answer').length, 0);
  assert.equal(answered(given), 'frontend/web pool.allocated 192.0.2.1');
  const [record] = given.said<RecordParams>('record');
  assert.equal(record?.event, 'allocation.made');
  assert.deepEqual(record?.publish?.data['allocations'], { web: '192.0.2.1' });
});

test('[FE-22] block: who asks again gets the same address, and the answer still waits for the disk', () => {
  const again = open().send(allocate('web')).send(allocate('web'));
  assert.equal(answered(again), 'frontend/web pool.allocated 192.0.2.1');
  assert.equal(again.said<BlockAnswer>('answerDecided').length, 1);
  assert.deepEqual(again.context.allocations, { web: '192.0.2.1' });
});

test('[FE-25] block: a full one says so, and a released address is given again', () => {
  const full = open().send(allocate('a')).send(allocate('b')).send(allocate('c'));
  assert.equal(answered(full), 'frontend/c pool.exhausted');
  assert.equal(full.said('record').length, 0);
  const room = full.send(release('a'));
  assert.equal(answered(room), 'frontend/a pool.released');
  assert.equal(room.said<RecordParams>('record')[0]?.event, 'allocation.released');
  assert.equal(answered(room.send(allocate('c'))), 'frontend/c pool.allocated 192.0.2.1');
});

test('[FE-24] block: releasing what one does not have is answered as done', () => {
  const block = open().send(release('web'));
  assert.equal(answered(block), 'frontend/web pool.released');
  assert.equal(block.said('record').length, 0);
});

test('[FE-23] block: a range that leaves it takes nothing away and is given nothing', () => {
  const moved = open().send(allocate('web')).send(allocate('api', '198.51.100.0/24'));
  assert.equal(answered(moved), 'frontend/api pool.exhausted');
  assert.deepEqual(moved.context.allocations, { web: '192.0.2.1' });
});

test('[FE-52] block: what it takes over is on disk before its pool lets go, and its own stands', () => {
  const own = open().send(allocate('web'));
  const adopt = { type: 'block.adopt', allocations: { web: '192.0.2.9', api: '192.0.2.2' } };
  const taken = own.send(adopt as BlockMessage);
  assert.deepEqual(taken.context.allocations, { web: '192.0.2.1', api: '192.0.2.2' });
  assert.equal(taken.said<BlockAnswer>('answer').length, 0);
  const [told] = taken.said<BlockAnswer>('answerDecided');
  assert.deepEqual(told?.letters[0]?.message, { type: 'block.adopted', frontends: ['web', 'api'] });
  const again = taken.send(adopt as BlockMessage);
  assert.equal(again.said('record').length, 0);
  assert.equal(again.said<BlockAnswer>('answer').length, 1);
});
