/** Counters, gauges and histograms by name; the adapter owns the registry and the prefix. */

export type Labels = Readonly<Record<string, string>>;

export interface Metrics {
  count(name: string, labels?: Labels, by?: number): void;
  gauge(name: string, value: number, labels?: Labels): void;
  /** Seconds; rows when the name says so. */
  observe(name: string, value: number, labels?: Labels): void;
}
