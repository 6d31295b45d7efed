/** Bounds of the runtime, and how they relate. */
import { assert } from '../../machines/model/assert.js';

/** Messages one actor may have waiting; at the bound the sender is told. */
export const MAILBOX_MESSAGES_MAX = 1_024;

/** Messages that may wait for a thread's actors to be loaded. */
export const EARLY_MESSAGES_MAX = 65_536;

/** Watches one thread keeps, of its own actors and by them; at the bound one is refused. */
export const WATCHES_MAX = 65_536;

/** Messages one actor handles before others get their turn. */
export const TURN_MESSAGES_MAX = 64;

/** Actors that run before the event loop gets its turn. */
export const TURN_ACTORS_MAX = 256;

/** Decisions in one store transaction. */
export const COMMIT_DECISIONS_MAX = 256;

/** Decisions of one actor waiting for the store; at the bound its mailbox waits too. */
export const ACTOR_DECISIONS_MAX = 64;

/** Deliveries of one message before it is poison. */
export const DELIVERY_ATTEMPTS_MAX = 3;

/** Dead letters kept for operators; older ones are only counted. */
export const DEAD_LETTERS_MAX = 1_000;

/** Microsteps of one event: an `always` loop is a defect, not a hang. */
export const MICROSTEPS_MAX = 50;

/** Restart limit of actors that name none, as OTP counts it. */
export const RESTART_DEFAULT = { intensity: 5, periodMs: 60_000 } as const;

/** First and largest wait before an actor is restarted. */
export const RESTART_BACKOFF = { baseMs: 10, maxMs: 5_000 } as const;

/** First and largest wait before decisions are offered to an unavailable store again. */
export const STORE_RETRY = { baseMs: 100, maxMs: 5_000 } as const;

/** Deadline of an `ask` that names none. */
export const ASK_TIMEOUT_MS = 5_000;

/** How long a host that stops waits for the store to take what was decided. */
export const STOP_DRAIN_MS = 5_000;

/** A turn longer than this is reported with the actor's name. */
export const SLOW_TURN_MS = 50;

assert(MAILBOX_MESSAGES_MAX < EARLY_MESSAGES_MAX, 'one actor must not fill what all have');
assert(TURN_MESSAGES_MAX <= MAILBOX_MESSAGES_MAX, 'a turn must not outlast a full mailbox');
assert(ACTOR_DECISIONS_MAX <= COMMIT_DECISIONS_MAX, 'one actor must fit one transaction');
assert(RESTART_DEFAULT.intensity > DELIVERY_ATTEMPTS_MAX, 'one poison message must not quarantine');
