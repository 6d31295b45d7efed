/**
 * Question: how long does a reload of a very large configuration hold anybody up? In the whole daemon, as
 * the worst delay of any thread's event loop while a file of 100,000 entries that has not changed is read
 * and checked, beside the same daemon at rest; and what such a reload leaves behind, which must be
 * nothing.
 *
 * Input: the scale and which rows. Output: the rows, in order. See bench/README.md.
 */
import { type LargeReload, measureLargeReload } from './reload/run.js';
import { atMost, type BenchOptions, type BenchResult, rowOf } from './rows.js';

const SIZES = {
  tiny: { backends: 60, frontends: 6, rounds: 1 },
  full: { backends: 90_000, frontends: 10_000, rounds: 5 },
};

const IDS = ['stall', 'effects', 'check'] as const;

export async function bench({ scale, only = [], progress }: BenchOptions): Promise<BenchResult> {
  const wanted = IDS.filter((id) => only.length === 0 || only.includes(id));
  if (wanted.length === 0) return { bench: 'reload', rows: [] };
  const size = SIZES[scale];
  const found = await measureLargeReload(size, progress ?? (() => undefined));
  const rows = rowsOf(found, size).map((measured) => rowOf(measured, scale));
  return {
    bench: 'reload',
    rows: rows.filter(({ id }) => (wanted as readonly string[]).includes(id)),
  };
}

function rowsOf(found: LargeReload, { backends, frontends }: (typeof SIZES)['full']) {
  const what = `${backends} backends and ${frontends} frontends, unchanged`;
  return [
    {
      id: 'stall',
      question: `${what}: worst delay of any thread's event loop during the reload (median of the rounds), against the same time at rest`,
      unit: 'ms',
      value: found.stallMs,
      baseline: found.restMs,
      must: atMost(10, 'ms'),
    },
    {
      id: 'effects',
      question: `${what}: feed events, generations and requests to the load balancer that follow`,
      unit: '',
      value: found.effects,
      must: atMost(0, ''),
      always: true,
    },
    { id: 'check', question: `${what}: from asked to answered`, unit: 's', value: found.checkS },
  ];
}
