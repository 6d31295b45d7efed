/** Bounds of what crosses threads, and how they relate. */
import { assert } from '../../machines/model/assert.js';

/** Bytes of one frame, sent or taken. */
export const FRAME_BYTES_MAX = 4_194_304;

/** Envelopes of one batch frame. */
export const BATCH_ENVELOPES_MAX = 128;

/** Bytes at which a sender stops filling a batch. */
export const BATCH_BYTES_TARGET = 32_768;

/** Envelopes a peer may send ahead of what was received; the count travels back in batches. */
export const CREDIT_ENVELOPES = 4_096;

/** Nesting of one frame's data. */
export const DEPTH_MAX = 64;

/** Characters of an id, a cause, a thread's name, an answer's address. */
export const NAME_CHARACTERS_MAX = 512;

/**
 * Shapes that may be known in advance: msgpackr has one byte for 64, of which 32 are a frame's own.
 */
export const STRUCTURES_MAX = 32;

/** Decisions of one commit request: the store makes several transactions of so many. */
export const REQUEST_DECISIONS_MAX = 1_024;

/** Items of a list that is answered in parts. */
export const ANSWER_ITEMS_MAX = 256;

assert(BATCH_BYTES_TARGET < FRAME_BYTES_MAX, 'a full batch must fit one frame');
assert(BATCH_ENVELOPES_MAX < CREDIT_ENVELOPES, 'one batch must not use up the credit');
