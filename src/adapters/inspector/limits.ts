/** Bounds of the inspector, and how they relate. */
import { assert } from '../../../machines/model/assert.js';

export interface InspectorLimits {
  /** Actors one view shows; a chart of more helps nobody. */
  readonly actorsMax: number;
  /** Steps a thread keeps between two reads; the oldest gives way. */
  readonly ringMax: number;
  /** Actors of which one read tells only how they stand. */
  readonly latestMax: number;
  /** An actor silent for so long gives its place to one that does something. */
  readonly silentMs: number;
  readonly viewersMax: number;
  /** Bytes a slow viewer may leave unread before it is cut off; it reconnects to the retained frames. */
  readonly viewerBytesMax: number;
  readonly readEveryMs: number;
  /** Items of one list or object of a context; a frame is for reading. */
  readonly itemsMax: number;
  readonly textMax: number;
  /** Viewers only listen: larger messages from them end the connection. */
  readonly incomingBytesMax: number;
}

export const INSPECTOR_LIMITS: InspectorLimits = {
  actorsMax: 50,
  ringMax: 1_000,
  latestMax: 50,
  silentMs: 30_000,
  viewersMax: 8,
  viewerBytesMax: 4 * 1024 * 1024,
  readEveryMs: 100,
  itemsMax: 200,
  textMax: 2_000,
  incomingBytesMax: 1024,
};

assert(INSPECTOR_LIMITS.readEveryMs < INSPECTOR_LIMITS.silentMs, 'silence is seen over many reads');
assert(
  INSPECTOR_LIMITS.latestMax >= INSPECTOR_LIMITS.actorsMax,
  'one read can tell of every shown actor how it stands',
);
assert(
  INSPECTOR_LIMITS.ringMax >= INSPECTOR_LIMITS.latestMax,
  'a thread can remember every actor that it owes a state',
);
