/** Ports of the runtime's own tests: seeded chance, numbered ids, a log and metrics that remember. */
import type { Ids, Random } from '../../src/ports/clock.js';
import type { Log } from '../../src/ports/log.js';
import type { Metrics } from '../../src/ports/metrics.js';

export function numberedIds(prefix = 'd'): Ids {
  let next = 0;
  return { next: () => `${prefix}${(next++).toString(16).padStart(12, '0')}` };
}

/** Mulberry32: small, seeded, the same everywhere. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    next: () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    },
  };
}

export interface RememberingLog extends Log {
  readonly lines: readonly {
    readonly level: string;
    readonly message: string;
    readonly fields: object;
  }[];
}

export function rememberingLog(): RememberingLog {
  const lines: { level: string; message: string; fields: object }[] = [];
  const at = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, message, fields });
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

export interface RememberingMetrics extends Metrics {
  readonly counts: Readonly<Record<string, number>>;
  readonly observed: Readonly<Record<string, readonly number[]>>;
}

export function rememberingMetrics(): RememberingMetrics {
  const counts: Record<string, number> = {};
  const observed: Record<string, number[]> = {};
  return {
    counts,
    observed,
    count: (name, _labels, by = 1) => {
      counts[name] = (counts[name] ?? 0) + by;
    },
    gauge: () => undefined,
    observe: (name, value) => {
      observed[name] = [...(observed[name] ?? []), value];
    },
  };
}
