/** Words between backends and the node's suspicion of itself. */
import type { BackendName } from './ids.js';

/** `gone`: nobody probes it any more. */
export interface SuspicionMessage {
  readonly type: 'hearing.level';
  readonly backend: BackendName;
  readonly hearing: 'answers' | 'silent' | 'gone';
}

/** To every backend: until then a failure without proof changes nothing; 0: no longer. */
export interface SuspicionLevel {
  readonly type: 'suspicion.level';
  readonly untilMs: number;
}
