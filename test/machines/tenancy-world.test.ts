/** Every short history of tenancy: nothing told unrecorded, nothing lost, nothing reported twice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { owedIn } from '../../machines/tenancy-memory.js';
import type { PushParams } from '../../machines/tenancy-messages.js';
import {
  acknowledged,
  event,
  FAILED,
  following,
  page,
  replay,
  settings,
  type Tenancy,
  tenantSays,
  told,
} from '../support/driven-tenancy.js';
import { brokenPlan } from '../support/tenancy-settings.js';

const WORLD: readonly (readonly [string, (tenancy: Tenancy) => Tenancy])[] = [
  ['page 1', (now) => now.send(page([event(next(now), 'created', 1)]))],
  ['page -1', (now) => now.send(page([event(next(now), 'deleted', 1)]))],
  ['page 2', (now) => now.send(page([event(next(now), 'created', 2)]))],
  ['replay 1', (now) => now.send(replay([event(0, 'created', 1)], now.context.cursor ?? 42))],
  ['replay -1', (now) => now.send(replay([event(0, 'deleted', 1)], now.context.cursor ?? 42))],
  ['failed', (now) => now.send(FAILED)],
  ['accepted', (now) => now.send(tenantSays(1, 'accepted'))],
  ['converged', (now) => now.send(tenantSays(1, 'converged'))],
  ['deleting', (now) => now.send(tenantSays(1, 'deleting'))],
  ['removed', (now) => now.send(tenantSays(1, 'removed'))],
  ['broken', (now) => now.send(settings({ onProject: brokenPlan(), generation: 2 }))],
  ['restart', (now) => now.send({ type: 'activated' })],
];

const next = (tenancy: Tenancy): number => (tenancy.context.cursor ?? 42) + 1;

test('[TE-1] [TE-7] [TE-8] tenancy: every history of four moves keeps the laws', () => {
  const seen = new Map<string, number>();
  const visit = (now: Tenancy, depth: number, path: string): void => {
    const { lastSuccessAtMs: _at, trouble: _why, ...rest } = now.context;
    const state = JSON.stringify([now.value, rest]);
    if ((seen.get(state) ?? -1) >= depth) return;
    seen.set(state, depth);
    if (depth === 0) return;
    for (const [name, move] of WORLD) {
      const after = settled(now, move(now), `${path} > ${name}`);
      visit(after, depth - 1, `${path} > ${name}`);
    }
  };
  visit(following([1]), 4, 'following');
  assert.ok(seen.size > 50, `${seen.size} states`);
});

/** Checks one step, and acknowledges whatever it reports until nothing is owed. */
function settled(before: Tenancy, after: Tenancy, path: string): Tenancy {
  const hasRecord = after.said('record').length > 0;
  assert.ok(told(after) === '' || hasRecord, `${path}: told without a record`);
  const kept = Object.keys(before.context.resources).filter(
    (tenant) => before.context.resources[tenant]?.reported?.status !== 'deleted',
  );
  for (const tenant of kept) {
    assert.ok(after.context.resources[tenant] !== undefined, `${path}: ${tenant} is lost`);
  }
  let now = after;
  for (let round = 0; now.said('pushStatuses').length > 0; round += 1) {
    assert.ok(round < 4, `${path}: reports never end`);
    for (const { orders } of now.said<PushParams>('pushStatuses')) {
      for (const { tenant, report } of orders) {
        const known = now.context.resources[tenant]?.reported ?? null;
        assert.notDeepEqual(report, known, `${path}: reported twice`);
        const isEnd = report.status === 'completed' || report.status === 'deleted';
        assert.ok(!(isEnd && known === null), `${path}: an end before its beginning`);
      }
    }
    now = acknowledged(now);
  }
  assert.equal(owedIn(now.context).length, 0, `${path}: still owed`);
  return now;
}
