/**
 * Time and order as plain numbers and text.
 *
 * Rule: [FE-26] a number taken with `nextRevision` is larger than every one taken before it, also
 * when the newest of them were lost with the process: the wall clock has moved on since.
 */

/** RFC 3339, UTC, milliseconds. */
export function timestamp(atMs: number): string {
  return new Date(atMs).toISOString();
}

/** The number after `last`, at least the time: what a crash forgot is older than that. */
export function nextRevision(last: number, atMs: number): number {
  return Math.max(last + 1, atMs);
}
