/** Bounds of the inspector, and how they relate. */
import { assert } from '../../../machines/model/assert.js';

export interface InspectorLimits {
  /** Actors one view shows; a chart of more helps nobody. */
  readonly actorsMax: number;
  /** An actor silent for so long gives its place to one that does something. */
  readonly silentMs: number;
  readonly viewersMax: number;
  /** Bytes a slow viewer may leave unread before it is cut off; it reconnects to the retained frames. */
  readonly viewerBytesMax: number;
  readonly readEveryMs: number;
  /** Viewers only listen: larger messages from them end the connection. */
  readonly incomingBytesMax: number;
}

export const INSPECTOR_LIMITS: InspectorLimits = {
  actorsMax: 50,
  silentMs: 30_000,
  viewersMax: 8,
  viewerBytesMax: 4 * 1024 * 1024,
  readEveryMs: 100,
  incomingBytesMax: 1024,
};

assert(INSPECTOR_LIMITS.readEveryMs < INSPECTOR_LIMITS.silentMs, 'silence is seen over many reads');
