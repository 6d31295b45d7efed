/** The frontend machine under slow start and panic. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conditionsOf } from '../../machines/frontend-shape.js';
import type { RecordParams } from '../../machines/model/effects.js';
import {
  after,
  B1,
  B2,
  backend,
  created,
  type Frontend,
  report,
  sent,
  verdict,
} from '../support/frontend-lab.js';

const pools = [{ name: 'primary', members: [backend('b1', B1, 100), backend('b2', B2, 100)] }];
const slowStart = { steps: [10, 50], everyMs: 10_000 };

const climbing = (): Frontend => after(created({ pools, slowStart }), verdict('b1', 'up'));

/** The clock stands where the machine's steps are not: each event is told its time. */
const at = (frontend: Frontend, message: { readonly type: string }, seconds: number) =>
  frontend.send(message, { at: seconds * 1_000 });

test('[FE-50] frontend: a new member climbs step by step, and rests', () => {
  const begun = climbing();
  assert.equal(sent(begun), '.11=1');
  const sinceMs = begun.context.members['b1']?.climbsSinceMs ?? 0;
  const half = begun.fire('climbDue', { at: sinceMs + 10_000 });
  assert.equal(sent(half), '.11=5');
  const whole = half.fire('climbDue', { at: sinceMs + 20_000 });
  assert.equal(sent(whole), '.11=10');
  assert.equal(whole.timers['climbDue'], undefined);
});

test('[FE-51] frontend: down and up again climbs anew; a restart does not climb', () => {
  const both = after(created({ pools, slowStart }), verdict('b1', 'up'), verdict('b2', 'up'));
  const whole = at(at(both, verdict('b1', 'up'), 100), verdict('b2', 'up'), 100);
  assert.equal(sent(whole), '.11=10 .12=10');
  const down = at(whole, verdict('b2', 'down'), 101);
  assert.equal(sent(at(down, verdict('b2', 'up'), 102)), '.11=10 .12=1');
  const restarted = whole.send({ type: 'activated' }, { at: 200_000 });
  const found = at(restarted, report({ [B1]: 10, [B2]: 10 }), 201);
  const back = at(at(found, verdict('b1', 'up'), 202), verdict('b2', 'up'), 202);
  assert.equal(sent(back), '.11=10 .12=10');
});

test('[FE-50] frontend: a VIP that VPP lost is built with whole weights', () => {
  const lost = after(climbing(), report({ [B1]: 1 }), report({}, { exists: false, synced: false }));
  assert.equal(sent(lost), '.11=10');
});

test('[FE-45] frontend: panic keeps the silent ones, is recorded, and ends with the first back', () => {
  const calm = { pools, panicBelow: 0.6 };
  const both = after(created(calm), verdict('b1', 'up'), verdict('b2', 'up'));
  const half = both.send(verdict('b1', 'down'));
  assert.deepEqual([sent(half), half.context.panic], ['.11=1 .12=1', true]);
  const types = (one: Frontend) => conditionsOf(one.context).map(({ type }) => type);
  assert.deepEqual(types(half), ['frontend-panic']);
  assert.deepEqual(types(both), []);
  assert.deepEqual(types(half.send(verdict('b2', 'down'))), ['frontend-down', 'frontend-panic']);
  const [record] = half.said<RecordParams>('record');
  assert.deepEqual([record?.rule, record?.numbers['panic']], ['FE-45', true]);
  const proven = half.send(verdict('b1', 'down', true));
  assert.equal(sent(proven), '.11=0! .12=1');
  const over = half.send(verdict('b1', 'up'));
  assert.deepEqual([sent(over), over.context.panic], ['.11=1 .12=1', false]);
});

test('[FE-51] frontend: who kept its weight in panic keeps it when it answers again', () => {
  const both = after(
    created({ pools, slowStart, panicBelow: 0.6 }),
    verdict('b1', 'up'),
    verdict('b2', 'up'),
  );
  const whole = at(at(both, verdict('b1', 'up'), 100), verdict('b2', 'up'), 100);
  const panic = at(whole, verdict('b1', 'down'), 101);
  assert.equal(sent(panic), '.11=10 .12=10');
  assert.equal(sent(at(panic, verdict('b1', 'up'), 102)), '.11=10 .12=10');
});
