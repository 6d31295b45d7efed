/** A prober that counts what it finds and how long that took, by type of check and by code. */
import type { Metrics } from '../../ports/metrics.js';
import type { Prober } from '../../ports/prober.js';

export function meteredProber<P extends Prober>(prober: P, metrics: Metrics): P {
  const probe: Prober['probe'] = async (target, check) => {
    const result = await prober.probe(target, check);
    const { code, durationMs, passed } = result;
    metrics.count('probe_total', { type: check.type, result: passed ? 'pass' : 'fail', code });
    metrics.observe('probe_duration_seconds', durationMs / 1_000, { type: check.type });
    return result;
  };
  return { ...prober, probe };
}
