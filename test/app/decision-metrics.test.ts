/** Numbers that are made of what is committed, and of what probes find. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meteredProber } from '../../src/adapters/probe/metered.js';
import { openSqliteStore } from '../../src/adapters/sqlite/open.js';
import { noFailpoints } from '../../src/adapters/system/failpoints.js';
import { metered } from '../../src/app/upkeep.js';
import type { Metrics } from '../../src/ports/metrics.js';
import { packDecision } from '../../src/ports/packed.js';
import type { Prober } from '../../src/ports/prober.js';
import { tellLateness } from '../../src/runtime/lateness.js';
import { createVirtualClock } from '../../src/runtime/virtual-clock.js';
import { expectOk } from '../contract/provider.js';
import { decisionOf, recordOf } from '../contract/store-values.js';
import { CHECK, result } from '../support/backend-lab.js';

function counting(): Metrics & { readonly said: string[] } {
  const said: string[] = [];
  const say = (name: string, labels: object = {}, value?: number): void =>
    void said.push(`${name} ${Object.values(labels).join(' ')}${value ?? ''}`.trim());
  return {
    said,
    count: say,
    gauge: (name, value, labels) => say(name, labels, value),
    observe: (name, value, labels) => say(name, labels, value),
  };
}

test('[CL-30] metrics: turns of backends and rests of groups are counted when they are stored, once', async () => {
  const metrics = counting();
  const clock = createVirtualClock();
  const opened = openSqliteStore({
    ...{ file: ':memory:', durability: 'normal', node: 'edge-1', failpoints: noFailpoints, clock },
  });
  const store = metered(expectOk(opened), { clock, metrics });
  const decided = decisionOf('d-1', {
    records: [
      recordOf('backend.state_changed', { numbers: { from: 'up', to: 'down' } }),
      recordOf('group.converged', { numbers: { tookMs: 2_500 } }),
      recordOf('group.stalled', { numbers: {} }),
      recordOf('group.desired_changed', { numbers: {} }),
    ],
  });
  const foreign = decisionOf('d-2', { at: Number.NaN, records: decided.records });
  const packed = [expectOk(packDecision(decided)), expectOk(packDecision(foreign))];
  await store.commitPacked(packed);
  assert.deepEqual(
    metrics.said.filter((line) => !line.startsWith('store_')),
    [
      'backend_transitions_total up down',
      'reconcile_total converged',
      'reconcile_duration_seconds 2.5',
      'reconcile_total stalled',
    ],
  );
});

test('[CL-30] metrics: every probe is counted by its type, its result and its code', async () => {
  const metrics = counting();
  const found = [result(true), result(false)];
  const prober: Prober = meteredProber(
    { probe: async () => found.shift() ?? result(true) },
    metrics,
  );
  const target = { address: '10.0.0.1', port: 80 };
  const [up, down] = [await prober.probe(target, CHECK), await prober.probe(target, CHECK)];
  const seconds = (one: typeof up) =>
    `probe_duration_seconds ${CHECK.type}${one.durationMs / 1_000}`;
  assert.deepEqual(metrics.said, [
    ...[`probe_total ${CHECK.type} pass ${up.code}`, seconds(up)],
    ...[`probe_total ${CHECK.type} fail ${down.code}`, seconds(down)],
  ]);
});

test('[CL-30] metrics: how late the timers fire that an actor wants told, and no other', () => {
  const metrics = counting();
  const clock = createVirtualClock();
  const kernel = { options: { clock, metrics } } as never;
  const timed = { timer: 'probeDue', metric: 'probe_start_lag_seconds' };
  const due = clock.monotonic() - 250;
  tellLateness(kernel, { type: { timed } } as never, 'loop.probeDue', due);
  tellLateness(kernel, { type: { timed } } as never, 'loop.other', due);
  tellLateness(kernel, { type: {} } as never, 'loop.probeDue', due);
  assert.deepEqual(metrics.said, ['probe_start_lag_seconds 0.25']);
});
