/**
 * Follows the node's event stream on behalf of one reader, at the reader's speed.
 *
 * Input: where to start, and `write`, which answers false when the reader is full. Output: every item
 * after `since`, once, in order. Nothing is queued here: a full reader makes the following stop, and
 * `resume` starts it again after the last item that was written; the journal is the buffer.
 *
 * Rules: [CL-7] a slow reader costs no memory and misses nothing.
 */
import type { NodeApi, WatchItem } from '../../ports/node-api.js';

export interface FollowOptions {
  readonly api: Pick<NodeApi, 'watch'>;
  /** Sequence of the last item seen; -1 for new ones only. */
  readonly since: number;
  /** False: written, but no more until `resume`. */
  readonly write: (item: WatchItem) => boolean;
}

export interface Following {
  /** The reader has room again. */
  resume(): void;
  stop(): void;
}

export function followEvents({ api, since, write }: FollowOptions): Following {
  let cursor = since;
  let state: 'following' | 'paused' | 'stopped' = 'paused';
  let stopWatch: (() => void) | undefined;

  const halt = (next: 'paused' | 'stopped'): void => {
    state = next;
    stopWatch?.();
    stopWatch = undefined;
  };

  const start = (): void => {
    state = 'following';
    const stop = api.watch(cursor, (item) => {
      if (state !== 'following') return;
      cursor = item.seq;
      if (!write(item)) halt('paused');
    });
    // The first items may have come, and filled the reader, before `watch` returned.
    if (state === 'following') stopWatch = stop;
    else stop();
  };

  start();
  return {
    resume: () => {
      if (state === 'paused') start();
    },
    stop: () => halt('stopped'),
  };
}
