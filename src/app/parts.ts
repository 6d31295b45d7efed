/**
 * What every part of the node is made of, whatever thread it runs in: clock, chance, log, crash tests,
 * and the counters a thread keeps for the metrics page.
 */

import { createMetrics, type MetricsRegistry } from '../adapters/metrics/registry.js';
import { systemClock } from '../adapters/system/clock.js';
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
}

export function createParts(
  settings: Pick<BootSettings, 'log' | 'failpoint'>,
  thread: string,
): Parts {
  const rootLog = systemLog(settings.log);
  return {
    clock: systemClock(),
    ids: systemIds(),
    random: systemRandom(),
    failpoints: failpointsFrom(settings.failpoint),
    rootLog,
    log: rootLog.child({ thread }),
    metrics: createMetrics(),
  };
}
