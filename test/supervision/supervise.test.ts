/** Who is taken along, and what becomes of a child that ends: every strategy, type and limit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Defect } from '../../machines/model/assert.js';
import type { Exit } from '../../src/supervision/restart.js';
import {
  type ChildSpec,
  type Restart,
  type Strategy,
  type SupervisorSpec,
  workersOf,
} from '../../src/supervision/spec.js';
import { decide, restartSet } from '../../src/supervision/supervise.js';

function worker(id: string, restart: Restart = 'permanent', essential = false): ChildSpec<string> {
  return { id, start: id, restart, essential, shutdownMs: 100 };
}

function tree(strategy: Strategy, children: readonly ChildSpec<string>[]): SupervisorSpec<string> {
  return { strategy, intensity: 1, periodMs: 1_000, children };
}

const FOUR = [worker('a'), worker('b'), worker('t', 'temporary'), worker('c', 'transient')];

const sets = [
  { strategy: 'one-for-one', child: 'b', stop: '', start: 'b' },
  { strategy: 'rest-for-one', child: 'a', stop: 'c t b', start: 'a b c' },
  { strategy: 'rest-for-one', child: 'b', stop: 'c t', start: 'b c' },
  { strategy: 'rest-for-one', child: 'c', stop: '', start: 'c' },
  { strategy: 'one-for-all', child: 'a', stop: 'c t b', start: 'a b c' },
  { strategy: 'one-for-all', child: 'b', stop: 'c t a', start: 'a b c' },
  { strategy: 'one-for-all', child: 'c', stop: 't b a', start: 'a b c' },
] as const;
for (const { strategy, child, stop, start } of sets) {
  test(`[SU-7] ${strategy}: ${child} ends, "${stop}" stop, "${start}" start`, () => {
    const set = restartSet(tree(strategy, FOUR), child);
    assert.deepEqual([set.stop.join(' '), set.start.join(' ')], [stop, start]);
  });
}

const ends: readonly {
  readonly restart: Restart;
  readonly exit: Exit;
  readonly essential?: boolean;
  readonly history: readonly number[];
  readonly action: string;
}[] = [
  { restart: 'permanent', exit: 'normal', history: [], action: 'restart' },
  { restart: 'permanent', exit: 'abnormal', history: [], action: 'restart' },
  { restart: 'transient', exit: 'normal', history: [], action: 'leave' },
  { restart: 'transient', exit: 'shutdown', history: [], action: 'leave' },
  { restart: 'transient', exit: 'abnormal', history: [], action: 'restart' },
  { restart: 'temporary', exit: 'abnormal', history: [], action: 'leave' },
  { restart: 'temporary', exit: 'abnormal', history: [1, 2, 3], action: 'leave' },
  { restart: 'permanent', exit: 'abnormal', history: [500], action: 'quarantine' },
  { restart: 'transient', exit: 'abnormal', history: [500], action: 'quarantine' },
  { restart: 'permanent', exit: 'abnormal', essential: true, history: [500], action: 'escalate' },
  { restart: 'permanent', exit: 'abnormal', essential: true, history: [-9_999], action: 'restart' },
];
for (const { restart, exit, essential = false, history, action } of ends) {
  const what = `${essential ? 'essential ' : ''}${restart}, ${exit}, after ${history.length}`;
  test(`[SU-7] decision: ${what}: ${action}`, () => {
    const spec = tree('one-for-one', [worker('a', restart, essential)]);
    const decision = decide(spec, { childId: 'a', exit, at: 1_000, history });
    assert.equal(decision.action.type, action);
    assert.deepEqual(decision.history.includes(1_000), action !== 'leave');
  });
}

test('[SU-7] a child nobody knows is a defect', () => {
  const spec = tree('one-for-one', FOUR);
  assert.throws(() => restartSet(spec, 'x'), Defect);
  assert.throws(() => decide(spec, { childId: 'x', exit: 'normal', at: 0, history: [] }), Defect);
});

test('[SU-7] order: workers start depth first, from left to right', () => {
  const inner: ChildSpec<string> = {
    id: 'inner',
    restart: 'permanent',
    essential: false,
    supervisor: tree('one-for-one', [worker('x'), worker('y')]),
  };
  const paths = workersOf(tree('one-for-one', [worker('a'), inner, worker('z')]));
  assert.deepEqual(
    paths.map(({ path }) => path),
    ['a', 'inner/x', 'inner/y', 'z'],
  );
});
