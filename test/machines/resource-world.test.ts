/** Every short history of a lane: nothing told unrecorded, nothing lost, nothing reported twice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatusOrder } from '../../machines/model/messages.js';
import { owedReport, sameReport } from '../../src/policy/tenancy-resource.js';
import {
  acknowledged,
  created,
  intents,
  type Lane,
  MISSING,
  news,
  says,
  settings,
  told,
} from '../support/driven-resource.js';
import { brokenPlan, NOTHING } from '../support/tenancy-settings.js';

const next = ({ context }: Lane): number => context.eventId + 1;

const WORLD: readonly (readonly [string, (lane: Lane) => Lane])[] = [
  ['created', (now) => now.send(told(news(next(now), 'created', now.context.era)))],
  ['deleted', (now) => now.send(told(news(next(now), 'deleted', now.context.era)))],
  ['late', (now) => now.send(told(news(1, 'created', now.context.era)))],
  ['replay +', (now) => now.send(told(news(0, 'created', now.context.era + 1)))],
  ['replay -', (now) => now.send(told(news(0, 'deleted', now.context.era + 1)))],
  ['missing', (now) => now.send(MISSING)],
  ['accepted', (now) => now.send(says('accepted'))],
  ['converged', (now) => now.send(says('converged'))],
  ['stuck', (now) => now.send(says('deleting', 'busy'))],
  ['removed', (now) => now.send(says('removed'))],
  ['broken', (now) => now.send(settings({ onProject: brokenPlan(), generation: 2 }))],
  ['empty', (now) => now.send(settings({ onProject: NOTHING, generation: 3 }))],
  ['restart', (now) => now.send({ type: 'activated' })],
];

test('[TE-1] [TE-7] [TE-8] resource: every history of four moves keeps the laws', () => {
  const seen = new Map<string, number>();
  const visit = (now: Lane, depth: number, path: string): void => {
    const { era: _era, eventId: _id, ...rest } = now.context;
    const state = JSON.stringify([now.value, rest]);
    if ((seen.get(state) ?? -1) >= depth || now.value === 'gone') return;
    seen.set(state, depth);
    if (depth === 0) return;
    for (const [name, move] of WORLD) {
      visit(settled(move(now), `${path} > ${name}`), depth - 1, `${path} > ${name}`);
    }
  };
  visit(created(), 4, 'created');
  assert.ok(seen.size > 50, `${seen.size} states`);
});

/** Checks one step, and acknowledges whatever it reports until nothing is owed. */
function settled(after: Lane, path: string): Lane {
  const isTold = after.said('tellTenant').length > 0 && intents(after) !== '';
  assert.ok(!isTold || after.said('record').length > 0, `${path}: told without a record`);
  let now = after;
  for (let round = 0; now.said('owe').length > 0; round += 1) {
    assert.ok(round < 4, `${path}: reports never end`);
    for (const { report } of now.said<StatusOrder>('owe')) {
      const known = now.context.known?.reported ?? null;
      assert.ok(!sameReport(report, known), `${path}: reported twice`);
      const isEnd = report.status === 'completed' || report.status === 'deleted';
      assert.ok(!(isEnd && known === null), `${path}: an end before its beginning`);
    }
    now = acknowledged(now);
  }
  const { known } = now.context;
  assert.ok(known === null || owedReport(known) === undefined, `${path}: still owed`);
  return now;
}
