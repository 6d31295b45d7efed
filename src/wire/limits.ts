/** Bounds of what crosses threads, and how they relate. */
import { assert } from '../../machines/model/assert.js';

/** Bytes of one frame, sent or taken. */
export const FRAME_BYTES_MAX = 4_194_304;

/** Envelopes of one batch frame. */
export const BATCH_ENVELOPES_MAX = 128;

/** Bytes a sender fills a batch to, as far as the last batch lets it foresee them. */
export const BATCH_BYTES_TARGET = 32_768;

/** Bytes at which a batch of more than one envelope is halved after all. */
export const BATCH_BYTES_MAX = 65_536;

/** Envelopes a peer may send ahead of what was received; the count travels back in batches. */
export const CREDIT_ENVELOPES = 4_096;

/** Envelopes received and not told of, at which the count travels alone. */
export const CREDIT_GRANT = 1_024;

/**
 * Envelopes that may wait in a link for credit, or for the successor of a peer that is away: more than a
 * configuration has objects, all of which are told what they are to be in one go.
 */
export const LINK_QUEUE_MAX = 32_768;

/** Messages waiting in a thread at which its links grant no more credit: half of what may wait. */
export const ROOM_MESSAGES_MAX = 32_768;

/** Nesting of one frame's data. */
export const DEPTH_MAX = 64;

/** Characters of an id, a cause, a thread's name, an answer's address. */
export const NAME_CHARACTERS_MAX = 512;

/**
 * Shapes that may be known in advance: msgpackr has one byte for 64, of which 32 are a frame's own.
 */
export const STRUCTURES_MAX = 32;

/** Addresses that both ends of a link know by number; with one more they start anew. */
export const NAMES_MAX = 32_768;

/** Shapes of messages that both ends of a link know by number, all and of one type. */
export const SHAPES_MAX = 256;
export const SHAPES_PER_TYPE_MAX = 4;

/** Fields of a message that may have a shape. */
export const SHAPE_FIELDS_MAX = 64;

/**
 * Decisions of one commit request: neighbouring ones become one transaction. More would make texts and
 * lists of more than 128 KiB, each of which has pages of its own, fresh from the system and soon given
 * back.
 */
export const REQUEST_DECISIONS_MAX = 128;

/** Items of a list that is answered in parts. */
export const ANSWER_ITEMS_MAX = 256;

assert(BATCH_BYTES_TARGET < BATCH_BYTES_MAX, 'a batch that was foreseen well is not halved');
assert(BATCH_BYTES_MAX < FRAME_BYTES_MAX, 'a full batch must fit one frame');
assert(BATCH_ENVELOPES_MAX < CREDIT_ENVELOPES, 'one batch must not use up the credit');
assert(2 * CREDIT_GRANT <= CREDIT_ENVELOPES, 'credit must travel back before it is used up');
assert(BATCH_ENVELOPES_MAX <= LINK_QUEUE_MAX, 'a link must be able to gather one batch');
assert(CREDIT_ENVELOPES < ROOM_MESSAGES_MAX, 'one peer must not fill what a thread may hold');
