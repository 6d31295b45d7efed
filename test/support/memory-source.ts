/** The feed of a memory sink, read back: what real sources do, and damage and failures at will. */
import { fail, ok } from '../../machines/model/result.js';
import type { FeedItem, FeedSource } from '../../src/ports/feed-source.js';
import type { MemorySink } from './memory-sink.js';

export interface MemorySource extends FeedSource {
  readonly acknowledged: readonly number[];
  /** Control versions that cannot be read. */
  readonly damaged: Set<number>;
  /** Calls that will still fail. */
  failures: number;
}

export function openMemorySource(sink: MemorySink): MemorySource {
  const acknowledged: number[] = [];
  const away = fail({ code: 'unavailable' as const, message: 'the feed is away' });
  const fails = (): boolean => {
    if (source.failures === 0) return false;
    source.failures -= 1;
    return true;
  };
  const source: MemorySource = {
    acknowledged,
    damaged: new Set(),
    failures: 0,
    read: async (after, max) => {
      if (fails()) return away;
      const items = sink.taken.filter(({ controlVersion }) => controlVersion > after).slice(0, max);
      return ok(
        items.map((event): FeedItem => {
          const { controlVersion } = event;
          return source.damaged.has(controlVersion)
            ? { controlVersion, damaged: 'not JSON' }
            : { controlVersion, event };
        }),
      );
    },
    at: async (controlVersion) => {
      const items = await source.read(controlVersion - 1, 1);
      if (!items.ok) return items;
      return ok(items.value.find((item) => item.controlVersion === controlVersion));
    },
    wait: async () => undefined,
    acknowledge: async (upTo) => {
      if (fails()) return away;
      acknowledged.push(upTo);
      return ok(undefined);
    },
    head: async () => (fails() ? away : ok(sink.taken.at(-1)?.controlVersion ?? 0)),
    artifact: async (ref) => {
      if (fails()) return away;
      const bytes = sink.artifacts.get(ref);
      return bytes === undefined ? fail({ code: 'missing', message: `no ${ref}` }) : ok(bytes);
    },
    close: async () => undefined,
  };
  return source;
}
