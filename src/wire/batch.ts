/**
 * The envelopes of one frame as they travel: one flat list, by two tables that grow with the link.
 *
 *   names    addresses, by number, in the order of their first use
 *   shapes   `[type, ...fields]`, by number from 1, in the order of their first use
 *   letters  per envelope: to (number), from (number), cause, 2 × shape + 1 when it is an ask,
 *            replyTo if so, and the values of the shape's fields; of shape 0, the message as it is
 *
 * An address costs its text and its check once per link instead of once per message, a message of a
 * known type costs its values only, and a batch is one run of them: this is what makes crossing
 * threads cheaper than posting one number at a time.
 *
 * What each table holds is defined in the frames themselves. A frame says how much its sender
 * believes to be known; anything but what the reader knows, or nothing at all, is malformed. So
 * frames that were lost or came twice are found, and a sender may start anew at any time.
 */
import { assert } from '../../machines/model/assert.js';
import { BATCH_ENVELOPES_MAX, NAMES_MAX, SHAPES_MAX } from './limits.js';
import { isCount, isName, listOf, oneOf, record } from './shape.js';

export const isBatchFrame = record({
  type: oneOf('envelopes'),
  received: isCount,
  /** How many names, and how many shapes, were defined before this frame. */
  known: listOf(isCount, 2),
  names: listOf(isName, 2 * BATCH_ENVELOPES_MAX),
  shapes: listOf(listOf(isName), BATCH_ENVELOPES_MAX),
  letters: (value): value is readonly unknown[] => Array.isArray(value),
});

/** The field that a shape is known by; its value is the shape's, not the message's. */
export const TYPE = 'type';

/** Names that are safe to write objects with. Others travel, but in no shape. */
export function isField(name: string): boolean {
  return FIELD_PATTERN.test(name) && name !== '__proto__';
}

const FIELD_PATTERN = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

assert(2 * BATCH_ENVELOPES_MAX <= NAMES_MAX, 'the names of one batch must fit the table');
assert(BATCH_ENVELOPES_MAX <= SHAPES_MAX, 'the shapes of one batch must fit the table');
