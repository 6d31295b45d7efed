/** Bounds of supervision. */

/** Supervisors above the deepest worker. */
export const TREE_DEPTH_MAX = 8;

/** Children one supervisor names. */
export const TREE_CHILDREN_MAX = 256;

/** Doublings of a back-off; past it only its largest wait matters. */
export const BACKOFF_DOUBLINGS_MAX = 30;

/** Share of a wait that chance may take away, when the back-off names none. */
export const BACKOFF_JITTER = 0.2;

/** First and largest wait of a supervisor that names none: a thread needs some 50 ms to come up. */
export const BACKOFF_DEFAULT = { baseMs: 100, maxMs: 5_000 } as const;
/** Intervals after which a check of heartbeats is late, and so proves nothing. */
export const HEARTBEAT_LATE_INTERVALS = 2;

/** Actors remembered, for each thread, as what was in turn when it died; the oldest is forgotten. */
export const CULPRITS_MAX = 64;
