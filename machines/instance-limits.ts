/** Bounds of an instance's waits, and how they relate. */
import { assert } from './model/assert.js';

/** A create of unknown outcome gets at least this long to show at the provider. */
export const SETTLE_MS = 3_000;

/** An ask the provider has not answered for so long is taken as lost. */
export const MAX_SILENCE_MS = 180_000;

/** A host that is about to vanish: frontends get at least this long to let go of its instance. */
export const LAST_CALL_MS = 5_000;

assert(SETTLE_MS < MAX_SILENCE_MS, 'an answer may take longer than a late create needs to show');
