/** Waits of lbsync. They are its own, not configuration: none of them changes what is written. */
import { assert } from './model/assert.js';

/** A lost connection is tried again after the first, then ever later up to the second. */
export const RECONNECT_MIN_MS = 1000;
export const RECONNECT_MAX_MS = 5000;

/** A VPP that hangs is noticed this soon, even when nothing is to be written. */
export const PING_INTERVAL_MS = 5000;

/** Reads hold VPP's worker barrier: they may take one part in this many of the time. */
export const AUDIT_STRETCH = 1000;

/** A freshly built VIP is read back this soon after its last op. */
export const VERIFY_DELAY_MS = 1000;

/** A VIP that was never ours is left as it is this long after its frontend was shown it. */
export const ADOPTION_MS = 1000;

/** A VIP whose ops fail is tried again after the first, doubling up to the second. */
export const RETRY_MIN_MS = 1000;
export const RETRY_MAX_MS = 30_000;

assert(RECONNECT_MIN_MS <= RECONNECT_MAX_MS, 'the first wait must not exceed the last');
assert(RETRY_MIN_MS <= RETRY_MAX_MS, 'the first wait must not exceed the last');
