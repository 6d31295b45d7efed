/** Bounds of the feed on disk and how they relate. */
import { assert } from '../../machines/model/assert.js';

/** A segment that has reached this is closed; one batch may go beyond it. */
export const SEGMENT_BYTES = 16 * 1024 * 1024;

/** An event that takes more is refused by content: it would never fit. */
export const LINE_BYTES_MAX = 1024 * 1024;

assert(LINE_BYTES_MAX <= SEGMENT_BYTES, 'an event fits into a segment');

/** Within so many events a repeated id is the same event, and gets the same number. */
export const RECENT_IDS = 65_536;

/** What one read of a segment takes. */
export const CHUNK_BYTES = 64 * 1024;

/** Items asked for at once. */
export const READ_ITEMS = 1_000;

/** How often a follower that has read everything looks again. */
export const FOLLOW_POLL_MS = 200;

/** `verify` names this many problems, then counts on. */
export const PROBLEMS_MAX = 100;

/** Events and ordering keys `verify` remembers; repeats further apart than that pass unseen. */
export const VERIFY_MEMORY_MAX = 250_000;

assert(VERIFY_MEMORY_MAX >= RECENT_IDS, 'every repeat a sink can prevent can be checked');

/** Refusals of one event before its key is quarantined and the feed goes on. */
export const APPLY_ATTEMPTS_MAX = 8;

/** Control versions behind the cursor whose ids are remembered; older ones are told by their versions. */
export const APPLIED_IDS_KEPT = 100_000;

assert(APPLIED_IDS_KEPT >= RECENT_IDS, 'every repeat within the window of a sink is recognised');
