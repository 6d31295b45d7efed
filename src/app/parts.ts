/**
 * What every part of the node is made of, whatever thread it runs in: clock, chance, log, crash tests,
 * and the counters a thread keeps for the metrics page.
 */

import type { Json } from '../../machines/model/json.js';
import { createMetrics, type MetricsRegistry } from '../adapters/metrics/registry.js';
import { systemClock } from '../adapters/system/clock.js';
import { watchEventLoop } from '../adapters/system/event-loop.js';
import { failpointsFrom } from '../adapters/system/failpoints.js';
import { systemIds, systemRandom } from '../adapters/system/identity.js';
import { type SystemLog, systemLog } from '../adapters/system/log.js';
import type { Clock, Ids, Random } from '../ports/clock.js';
import type { Failpoints } from '../ports/failpoints.js';
import type { Log } from '../ports/log.js';
import type { BootSettings } from './settings.js';

export interface Parts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
  readonly failpoints: Failpoints;
  readonly rootLog: SystemLog;
  readonly log: Log;
  readonly metrics: MetricsRegistry;
  /** All this thread measured, as plain data, for the metrics page. */
  snapshot(): Promise<Json>;
}

export function createParts(
  settings: Pick<BootSettings, 'log' | 'failpoint'>,
  thread: string,
): Parts {
  const rootLog = systemLog(settings.log);
  const metrics = createMetrics();
  const worstLagSeconds = watchEventLoop();
  const snapshot = (): Promise<Json> => {
    metrics.gauge('event_loop_lag_seconds', worstLagSeconds(), { thread });
    return metrics.snapshot();
  };
  return {
    clock: systemClock(),
    ids: systemIds(),
    random: systemRandom(),
    failpoints: failpointsFrom(settings.failpoint),
    rootLog,
    log: rootLog.child({ thread }),
    metrics,
    snapshot,
  };
}
