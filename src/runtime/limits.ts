/** Bounds of the runtime, and how they relate. */
import { assert } from '../../machines/model/assert.js';

/** Messages one actor may have waiting; at the bound the sender is told. */
export const MAILBOX_MESSAGES_MAX = 1_024;

/** Messages all actors of a thread may have waiting together, those that wait to be loaded included. */
export const THREAD_MESSAGES_MAX = 65_536;

/** Messages that wait to leave a thread, or in it, at which a service makes no more of them. */
export const CROWD_MESSAGES = 4_096;

/** Watches one thread keeps, of its own actors and by them; at the bound one is refused. */
export const WATCHES_MAX = 65_536;

/** Messages one actor handles before others get their turn. */
export const TURN_MESSAGES_MAX = 64;

/** Actors that run before the event loop gets its turn. */
export const TURN_ACTORS_MAX = 256;

/** Or for so long: a hundred of them that all have much to do would keep the thread's heart from beating. */
export const TURN_MS = 20;

/** Decisions in one store transaction. */
export const COMMIT_DECISIONS_MAX = 256;

/** Decisions offered to the store at once: several transactions, so that it need not wait for more. */
export const OFFER_DECISIONS_MAX = 1_024;
/** Offers without an answer: the thread makes one while the store writes the other. */
export const OFFERS_MAX = 2;

/** Decisions of one actor waiting for the store; at the bound its mailbox waits too. */
export const ACTOR_DECISIONS_MAX = 64;

/**
 * Of these, the ones that nothing waits for. The rest is kept for those that must be stored: a change
 * ordered in a long outage must not stop the reflexes that come behind it.
 */
export const REFLEX_DECISIONS_MAX = 32;

/** Deliveries of one message before it is poison. */
export const DELIVERY_ATTEMPTS_MAX = 3;

/** Dead letters kept for operators; older ones are only counted. */
export const DEAD_LETTERS_MAX = 1_000;

/** Characters of a poison message that are kept for operators. */
export const DEAD_LETTER_PAYLOAD_MAX = 2_048;

/** Microsteps of one event: an `always` loop is a defect, not a hang. */
export const MICROSTEPS_MAX = 50;

/** Sets of active states (and orders of entering them) a compiled machine may have; they are kept. */
export const PLACES_MAX = 65_536;

/** Ways of taking transitions together that one place keeps; others are worked out again. */
export const JOINT_MOVES_MAX = 256;

/** Wildcard events of one compiled machine. */
export const WILDCARDS_MAX = 16;

/** Guards inside guards. */
export const GUARD_DEPTH_MAX = 16;

/** Restart limit of actors that name none, as OTP counts it. */
export const RESTART_DEFAULT = { intensity: 5, periodMs: 60_000 } as const;

/** First and largest wait before an actor that crashes again is restarted; the first time it is at once. */
export const RESTART_BACKOFF = { baseMs: 10, maxMs: 5_000 } as const;

/** First and largest wait before decisions are offered to an unavailable store again. */
export const STORE_RETRY = { baseMs: 100, maxMs: 5_000 } as const;

/** Deadline of an `ask` that names none. */
export const ASK_TIMEOUT_MS = 5_000;

/** How long a host that stops waits for the store to take what was decided. */
export const STOP_DRAIN_MS = 5_000;

/** A turn longer than this is reported with the actor's name. */
export const SLOW_TURN_MS = 50;

assert(MAILBOX_MESSAGES_MAX < THREAD_MESSAGES_MAX, 'one actor must not fill what all have');
assert(TURN_MESSAGES_MAX <= MAILBOX_MESSAGES_MAX, 'a turn must not outlast a full mailbox');
assert(REFLEX_DECISIONS_MAX < ACTOR_DECISIONS_MAX, 'records must leave room for what must commit');
assert(ACTOR_DECISIONS_MAX <= COMMIT_DECISIONS_MAX, 'one actor must fit one transaction');
assert(COMMIT_DECISIONS_MAX <= OFFER_DECISIONS_MAX, 'an offer must fill a transaction');
assert(RESTART_DEFAULT.intensity > DELIVERY_ATTEMPTS_MAX, 'one poison message must not quarantine');
assert(CROWD_MESSAGES < THREAD_MESSAGES_MAX / 2, 'a service stops before others are refused');
