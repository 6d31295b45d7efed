/** Bounds of the exec provider and how they relate. */
import { assert } from '../../../machines/model/assert.js';

/** What a program may print; a page of a list is far smaller. */
export const STDOUT_BYTES_MAX = 8 * 1024 * 1024;
/** The end of what it says on stderr, of which one line is told. */
export const STDERR_BYTES_MAX = 4 * 1024;
/** Characters of a program's own words in one of our sentences. */
export const WORDS_MAX = 300;

/** From SIGTERM to SIGKILL of a program that takes too long. */
export const END_GRACE_MS = 2_000;

/** How long the output of a program that ended is waited for: what it started may still hold it. */
export const LAST_OUTPUT_MS = 1_000;

/** Pages of one list: a program that never comes to an end is not followed for ever. */
export const LIST_PAGES_MAX = 10_000;

export const INSTANCES_DEFAULT_MAX = 1_000;

/** An instance is gone when it was positively not found so many polls in a row. */
export const STRIKES = 2;

/** What was seen less than so many polls ago need not be looked at to be watched. */
export const FRESH_POLLS = 2;

assert(STDERR_BYTES_MAX > WORDS_MAX, 'the words that are told fit what is kept');
