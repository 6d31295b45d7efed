/**
 * Counters of one thread, and the page that joins all threads. Metrics are made at first use; a name
 * keeps the labels it was first used with. prom-client keeps the sums and writes the text format.
 */
import {
  AggregatorRegistry,
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  type PrometheusContentType,
  Registry,
} from 'prom-client';
import type { Json } from '../../../machines/model/json.js';
import type { Labels, Metrics } from '../../ports/metrics.js';

export interface MetricsRegistry extends Metrics {
  /** This thread's metrics as plain data, for the page. */
  snapshot(): Promise<Json>;
}

export const METRICS_PREFIX = 'switchyard_';

/** From 100 µs (a commit) to 10 s (a provider call). */
const BUCKETS_S = [
  0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10,
];

/** Of what is counted, not timed: rows of a batch. */
const BUCKETS_ROWS = [1, 2, 4, 8, 16, 32, 64, 128, 256];

export function createMetrics(): MetricsRegistry {
  const registry = new Registry();
  const made = new Map<string, Counter | Gauge | Histogram>();

  const get = <T extends Counter | Gauge | Histogram>(name: string, make: () => T): T => {
    const known = (made.get(name) as T | undefined) ?? make();
    made.set(name, known);
    return known;
  };
  const options = (name: string, labels: Labels) => ({
    name: `${METRICS_PREFIX}${name}`,
    help: name.replaceAll('_', ' '),
    labelNames: Object.keys(labels),
    registers: [registry],
  });

  return {
    count: (name, labels = {}, by = 1) =>
      get(name, () => new Counter(options(name, labels))).inc(labels, by),
    gauge: (name, value, labels = {}) =>
      get(name, () => new Gauge(options(name, labels))).set(labels, value),
    observe: (name, seconds, labels = {}) => {
      const buckets = name.endsWith('_rows') ? BUCKETS_ROWS : BUCKETS_S;
      const make = () => new Histogram({ ...options(name, labels), buckets });
      get(name, make).observe(labels, seconds);
    },
    snapshot: async () => (await registry.getMetricsAsJSON()) as unknown as Json,
  };
}

/** Node's own numbers (memory, event loop, garbage collection) of the process. */
export function processMetrics(): () => Promise<Json> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: METRICS_PREFIX });
  return async () => (await registry.getMetricsAsJSON()) as unknown as Json;
}

/** The page: equal series of different threads are summed. */
export async function renderMetrics(
  snapshots: readonly Json[],
): Promise<{ readonly text: string; readonly contentType: string }> {
  const joined = AggregatorRegistry.aggregate<PrometheusContentType>(
    snapshots as unknown as object[],
  );
  return { text: await joined.metrics(), contentType: joined.contentType };
}
