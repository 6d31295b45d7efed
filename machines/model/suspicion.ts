/** Words between backends and the node's suspicion of itself. */
import type { BackendName } from './ids.js';

/** `gone`: nobody probes it any more. */
export interface SuspicionMessage {
  readonly type: 'hearing.level';
  readonly backend: BackendName;
  readonly hearing: 'answers' | 'silent' | 'gone';
  /** It just fell silent, and is not taken down before it is told whether that is to be believed. */
  readonly doubts: boolean;
  /** The latest round that this answers; 0: none. */
  readonly round: number;
}

/** To one backend or to every one: until then a failure without proof changes nothing; 0: no longer. */
export interface SuspicionLevel {
  readonly type: 'suspicion.level';
  readonly untilMs: number;
  /** The failure that was held is to be believed; else the next one is waited for. */
  readonly believed: boolean;
}

/** To a backend: it is to probe now, and to say what came of it. */
export interface HearingAsked {
  readonly type: 'hearing.asked';
  readonly round: number;
}
