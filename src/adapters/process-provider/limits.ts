/** Bounds of the process provider and how they relate. */
import { assert } from '../../../machines/model/assert.js';

/** An address rests this long before another instance may have it: longer than flows linger. */
export const ADDRESS_REST_MS = 130_000;

/** More than one machine can fork in a second, by far. */
export const CREATES_PER_SECOND_MAX = 10_000;

/** 127.64.0.0/10 without its first and last address. */
export const ADDRESS_COUNT = 2 ** 22 - 2;

assert(
  ADDRESS_COUNT / CREATES_PER_SECOND_MAX > ADDRESS_REST_MS / 1000,
  'going round the range takes longer than an address must rest',
);

/** From SIGTERM to SIGKILL, unless `spec.stopGraceMs` says otherwise. */
export const STOP_GRACE_MS = 5_000;
export const STOP_GRACE_MAX_MS = 600_000;

/** How long a group may outlive SIGKILL (uninterruptible I/O) before `delete` gives up. */
export const KILL_WAIT_MS = 10_000;

/** Between two looks at a group that was told to stop. */
export const GONE_POLL_MS = 10;

/** Safety net of every watch: a lifeline can be closed early by the program that holds it. */
export const WATCH_POLL_MS = 5_000;

/** After a lifeline's end the process has this many short looks to be gone. */
export const EXIT_LOOKS_MAX = 10;
export const EXIT_LOOK_MS = 10;

/** An instance's output is looked at so often, and emptied but for its end when it is over its bound. */
export const OUTPUT_LOOK_MS = 10_000;
export const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
export const OUTPUT_BYTES_KEPT = 1024 * 1024;

assert(OUTPUT_BYTES_KEPT < OUTPUT_BYTES_MAX, 'emptying an output makes room');

export const LIST_PAGE_INSTANCES = 256;
export const INSTANCES_DEFAULT_MAX = 1_000;

/** Between the two looks for processes of unfinished records: far longer than an exec takes. */
export const SECOND_LOOK_MS = 50;
