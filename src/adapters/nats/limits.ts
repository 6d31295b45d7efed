/** Bounds of what we ask of a NATS server, and how they relate. */
import { assert } from '../../../machines/model/assert.js';

/** One attempt to connect, one request. */
export const CONNECT_TIMEOUT_MS = 2_000;
export const REQUEST_TIMEOUT_MS = 5_000;

assert(CONNECT_TIMEOUT_MS < REQUEST_TIMEOUT_MS, 'who cannot connect is told before who waits');

/** Between attempts of a connection that was lost. */
export const RECONNECT_WAIT_MS = 250;

/** How long the server remembers an event's id: an outbox that was cut off sends again within that. */
export const DUPLICATE_WINDOW_MS = 2 * 60 * 60 * 1_000;

/** The least that a stream we did not create must remember. */
export const DUPLICATE_WINDOW_MIN_MS = 2 * 60 * 1_000;

/** What one append sends at once, messages and bytes of them; the rest follows when that is acknowledged. */
export const IN_FLIGHT_MAX = 1_024;
export const IN_FLIGHT_BYTES_MAX = 4 * 1024 * 1024;

/** Rounds without an acknowledgement before an append gives up for now. */
export const IDLE_ROUNDS_MAX = 8;

/** Bytes of a message's headers, beside its event. */
export const HEADER_BYTES = 512;

/** An artifact's part is one message. */
export const ARTIFACT_PART_BYTES = 512 * 1024;

/** How long a durable reader may keep what it was given before it is given it again. */
export const READER_ACK_WAIT_MS = 10 * 60 * 1_000;

/** Who waits for events looks by itself this often: the word that there are some may be lost. */
export const WAIT_LOOK_MS = 1_000;
