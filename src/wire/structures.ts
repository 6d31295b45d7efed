/**
 * Shapes both sides know before the first byte: a record of one of them costs one byte instead of
 * its field names. msgpackr matches fields in order, and an object with other fields simply carries
 * its own names along.
 *
 * The table is frozen: threads that learn shapes on their own give one number to different shapes,
 * and then data is silently wrong. Any change here changes STRUCTURES_HASH, and the hello refuses
 * the peer.
 */
import { createHash } from 'node:crypto';
import { assert } from '../../machines/model/assert.js';
import { STRUCTURES_MAX } from './limits.js';

export const STRUCTURES: readonly (readonly string[])[] = [
  // Frames.
  ['type', 'received', 'known', 'names', 'shapes', 'letters'],
  ['type', 'received'],
  ['type', 'id', 'method', 'args'],
  ['type', 'id', 'result', 'more'],
  ['type', 'to', 'body'],
  // What is in frequent messages, in the order their senders build it.
  ['backend', 'address', 'state', 'positive', 'episode', 'sinceMs', 'code'],
  ['member', 'group', 'address', 'phase', 'dead', 'lastMayGo'],
  ['frontend', 'member', 'phase', 'weight'],
  ['passed', 'code', 'detail', 'durationMs', 'positive', 'late'],
  // What a commit is made of.
  ['ok', 'value'],
  ['id', 'outboxSeq', 'journalSeq'],
  ['event', 'rule', 'numbers'],
  ['event', 'rule', 'numbers', 'publish'],
  ['id', 'dueAtMs'],
];

export const STRUCTURES_HASH = createHash('sha256')
  .update(JSON.stringify(STRUCTURES))
  .digest('hex')
  .slice(0, 16);

assert(STRUCTURES.length <= STRUCTURES_MAX, 'known shapes have one byte each');

/**
 * A copy for one packer or unpacker, which keep notes on it. `isShared` makes msgpackr put a shape
 * back when a frame defines another one under its number.
 */
export function copyOfStructures(): string[][] {
  return STRUCTURES.map((keys) => Object.assign([...keys], { isShared: true }));
}
