/**
 * A running tree as transcripts: the grid of Erlang/OTP's own supervisor suite, {restart type} × {exit} ×
 * {strategy}, then order, deadlines, limits, failed starts and nesting. What a performer does at once
 * is `tree-lab`'s.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Exit } from '../../src/supervision/restart.js';
import { RESTARTS, STRATEGIES } from '../../src/supervision/spec.js';
import { spec, subtree, treeLab, worker } from '../support/tree-lab.js';

const BACK = {
  'one-for-one': 'start x',
  'rest-for-one': 'stop c; start x; start c',
  'one-for-all': 'stop c; stop a; start a; start x; start c',
} as const;
const EXITS: readonly Exit[] = ['normal', 'shutdown', 'abnormal'];
const COMES_BACK = {
  permanent: EXITS,
  transient: ['abnormal'],
  temporary: [],
} as const satisfies Record<string, readonly Exit[]>;

for (const strategy of STRATEGIES) {
  for (const restart of RESTARTS) {
    for (const exit of EXITS) {
      const wanted: readonly Exit[] = COMES_BACK[restart];
      const words = wanted.includes(exit) ? BACK[strategy] : '';
      test(`[SU-17] ${strategy}: ${restart} child, ${exit} exit: "${words}"`, () => {
        const lab = treeLab(spec(strategy, [worker('a'), worker('x', restart), worker('c')]));
        lab.begin();
        assert.equal(lab.words(), 'start a; start x; start c; up');
        lab.ends('x', exit);
        assert.equal(lab.words(), words);
        assert.equal(lab.phaseOf('x'), words === '' ? 'down' : 'running');
        assert.ok(lab.alive.has('a') && lab.alive.has('c'));
      });
    }
  }

  test(`[SU-20] ${strategy}: an essential child that ends too often fails its supervisor`, () => {
    const essential = worker('x', 'permanent', { essential: true });
    const lab = treeLab(spec(strategy, [worker('a'), essential, worker('c')], { intensity: 1 }));
    lab.begin();
    lab.ends('x');
    lab.words();
    lab.ends('x');
    assert.equal(lab.words(), 'escalate :x; stop c; stop a; done failed');
    assert.equal(lab.alive.size, 0);
  });

  test(`[SU-20] ${strategy}: another child that ends too often is quarantined alone`, () => {
    const children = [worker('a'), worker('x'), worker('c')];
    const lab = treeLab(spec(strategy, children, { intensity: 1 }));
    lab.begin();
    lab.ends('x');
    lab.words();
    lab.ends('x');
    assert.equal(lab.words(), 'quarantine x');
    assert.ok(lab.alive.has('a') && lab.alive.has('c'));
    // Nobody's end brings it back, only an operator does.
    lab.advance(2_000);
    lab.ends('a');
    assert.ok(!lab.words().includes('start x'));
    lab.resume('x');
    assert.ok(lab.words().startsWith('start x'));
    assert.equal(lab.phaseOf('x'), 'running');
  });

  test(`[SU-21] ${strategy}: a stop overtakes a restart that waits`, () => {
    const lab = treeLab(spec(strategy, [worker('a'), worker('x'), worker('c')]));
    lab.begin();
    lab.ends('x');
    lab.ends('x');
    assert.ok(lab.words().includes('wait x 100'));
    lab.stop();
    lab.advance(10_000);
    const words = lab.words();
    assert.ok(words.endsWith('done shutdown') && !words.includes('start'), words);
  });
}

test('[SU-17] a transient sibling that had ended well starts again with the others, a temporary one never', () => {
  const children = [worker('a'), worker('t', 'transient'), worker('m', 'temporary'), worker('c')];
  const lab = treeLab(spec('one-for-all', children));
  lab.begin();
  lab.ends('t', 'normal');
  lab.words();
  lab.ends('a');
  assert.equal(lab.words(), 'stop c; stop m; start a; start t; start c');
});

test('[SU-17] children start one after the other, and stop one after the other in reverse', () => {
  const inner = spec('one-for-one', [worker('y'), worker('z')]);
  const lab = treeLab(spec('one-for-one', [worker('a'), subtree('s', inner), worker('d')]));
  for (const path of ['a', 's/y', 's/z', 'd']) lab.mute.add(path);
  lab.begin();
  const steps = ['a', 's/y', 's/z', 'd'].map((path) => {
    const words = lab.words();
    lab.tell({ type: 'started', path, life: lab.lifeOf(path) });
    return words;
  });
  assert.deepEqual(steps, ['start a', 'start s/y', 'start s/z', 'start d']);
  assert.equal(lab.words(), 'up');
  lab.stop();
  const stops = ['d', 's/z', 's/y', 'a'].map((path) => {
    const words = lab.words();
    lab.ends(path, 'shutdown');
    return words;
  });
  assert.deepEqual(stops, ['stop d', 'stop s/z', 'stop s/y', 'stop a']);
  assert.equal(lab.words(), 'done shutdown');
});

test('[SU-18] a child that overstays its deadline is cut off, and those before it wait for that', () => {
  const lab = treeLab(spec('one-for-one', [worker('a'), worker('b'), worker('c')]));
  lab.begin();
  lab.words();
  lab.mute.add('b');
  lab.stop();
  assert.equal(lab.words(), 'stop c; stop b');
  lab.advance(99);
  assert.equal(lab.words(), '');
  lab.advance(1);
  assert.equal(lab.words(), 'cut off b; stop a; done shutdown');
});

test('[SU-18] a brutal child is cut off at once; a supervisor has all the time its children need', () => {
  const slow = spec('one-for-one', [worker('y', 'permanent', { shutdownMs: 50_000 })]);
  const brutal = worker('b', 'permanent', { shutdownMs: 'brutal' });
  const lab = treeLab(spec('one-for-one', [worker('a'), subtree('s', slow), brutal]));
  lab.begin();
  lab.words();
  lab.mute.add('s/y');
  lab.stop();
  lab.advance(49_999);
  assert.equal(lab.words(), 'kill b; stop s/y');
  lab.ends('s/y', 'shutdown');
  assert.equal(lab.words(), 'stop a; done shutdown');
  lab.advance(10_000);
  assert.equal(lab.words(), '');
});

test('[SU-18] a deadline belongs to its own stop: a sibling that came back is not cut off by it', () => {
  const lab = treeLab(spec('one-for-all', [worker('a'), worker('b')]));
  lab.begin();
  lab.ends('a');
  lab.words();
  lab.advance(1_000);
  assert.equal(lab.words(), '');
  assert.equal(lab.phaseOf('b'), 'running');
});

test('[SU-19] a start that fails undoes what has started, in reverse, and is the end', () => {
  const inner = spec('one-for-one', [worker('y'), worker('z')]);
  const lab = treeLab(spec('one-for-one', [worker('a'), subtree('s', inner), worker('d')]));
  lab.broken.add('s/z');
  lab.begin();
  assert.equal(lab.words(), 'start a; start s/y; start s/z; stop s/y; stop a; done start-failed');
});

test('[SU-19] a restart that fails is tried again after a longer wait each time, and counts', () => {
  const lab = treeLab(spec('one-for-one', [worker('a'), worker('b')], { periodMs: 10_000 }));
  lab.begin();
  lab.words();
  lab.broken.add('b');
  lab.ends('b');
  lab.advance(5_000);
  assert.equal(
    lab.words(),
    'start b; wait b 100; start b; wait b 200; start b; quarantine b',
    'three restarts are borne',
  );
  lab.broken.clear();
  lab.resume('b');
  assert.equal(lab.words(), 'start b');
});

test('[SU-19] rest-for-one: what was built on a child whose restart fails waits for it', () => {
  const lab = treeLab(spec('rest-for-one', [worker('a'), worker('b'), worker('c')]));
  lab.begin();
  lab.words();
  lab.broken.add('b');
  lab.ends('b');
  assert.equal(lab.words(), 'stop c; start b; wait b 100');
  lab.broken.clear();
  lab.advance(100);
  assert.equal(lab.words(), 'start b; start c');
});

test('[SU-19] one-for-all: a restart that fails half-way stops again what it had started', () => {
  const lab = treeLab(spec('one-for-all', [worker('a'), worker('b'), worker('c')]));
  lab.begin();
  lab.words();
  lab.broken.add('b');
  lab.ends('c');
  const once = 'stop a; start a; start b';
  assert.equal(lab.words(), `stop b; ${once}; ${once}; wait b 100; stop a; start a`);
  lab.broken.clear();
  lab.advance(100);
  assert.equal(lab.words(), 'start b; start c');
});

test('[SU-20] the window: as many restarts as allowed within the period, the oldest counts to its edge', () => {
  const children = [worker('a'), worker('b')];
  const lab = treeLab(spec('one-for-one', children, { intensity: 2, periodMs: 1_000 }), true);
  lab.begin();
  lab.words();
  lab.ends('a');
  lab.advance(500);
  // Counted over all children, as in OTP.
  lab.ends('b');
  lab.advance(501);
  lab.ends('a');
  assert.equal(lab.words(), 'start a; start b; start a');
  lab.advance(499);
  lab.ends('b');
  assert.equal(lab.words(), 'quarantine b');
});

test('[SU-20] the back-off is of each child by itself, and the first restart is at once', () => {
  const lab = treeLab(spec('one-for-one', [worker('a'), worker('b')]));
  lab.begin();
  lab.words();
  lab.ends('a');
  lab.ends('a');
  lab.ends('b');
  assert.equal(lab.words(), 'start a; wait a 100; start b');
});

test('[SU-20] a supervisor that fails is restarted by the one above, until that fails too', () => {
  const essential = worker('x', 'permanent', { essential: true });
  const inner = spec('one-for-one', [essential, worker('y')], { intensity: 0 });
  const lab = treeLab(spec('one-for-one', [worker('a'), subtree('s', inner)], { intensity: 1 }));
  lab.begin();
  lab.words();
  lab.ends('s/x');
  assert.equal(lab.words(), 'escalate s:s/x; stop s/y; start s/x; start s/y');
  lab.ends('s/x');
  assert.equal(lab.words(), 'escalate s:s/x; stop s/y; escalate :s; stop a; done failed');
});

test('[SU-20] a supervisor that is not essential can be quarantined whole, and resumed whole', () => {
  const essential = worker('x', 'permanent', { essential: true });
  const inner = spec('one-for-one', [essential, worker('y')], { intensity: 0 });
  const outer = spec('one-for-one', [worker('a'), subtree('s', inner, false)], { intensity: 0 });
  const lab = treeLab(outer);
  lab.begin();
  lab.words();
  lab.ends('s/x');
  assert.equal(lab.words(), 'escalate s:s/x; stop s/y; quarantine s');
  lab.resume('s');
  assert.equal(lab.words(), 'start s/x; start s/y');
});

test('[SU-20] what is quarantined stays so when its supervisor is started again', () => {
  const inner = spec('one-for-one', [worker('x'), worker('y')], { intensity: 0 });
  const lab = treeLab(spec('one-for-all', [worker('a'), subtree('s', inner)]));
  lab.begin();
  lab.ends('s/x');
  lab.words();
  lab.ends('a');
  assert.equal(lab.words(), 'stop s/y; start a; start s/y');
  lab.resume('s/x');
  assert.equal(lab.words(), 'start s/x');
});

test('[SU-16] what is told twice, too late, or of a life that is over changes nothing', () => {
  const lab = treeLab(spec('one-for-one', [worker('a'), worker('b')]));
  lab.begin();
  const first = lab.lifeOf('a');
  lab.ends('a');
  lab.words();
  lab.tell({ type: 'ended', path: 'a', life: first, exit: 'abnormal' });
  lab.tell({ type: 'started', path: 'a', life: first });
  lab.tell({ type: 'startFailed', path: 'a', life: first });
  lab.tell({ type: 'due', path: 'a', life: first });
  lab.tell({ type: 'started', path: 'a', life: lab.lifeOf('a') });
  lab.tell({ type: 'resume', path: 'a' });
  lab.tell({ type: 'begin' });
  assert.equal(lab.words(), '');
  lab.stop();
  lab.words();
  lab.tell({ type: 'ended', path: 'a', life: lab.lifeOf('a'), exit: 'abnormal' });
  lab.stop();
  assert.equal(lab.words(), '');
});

test('[SU-21] a stop before the beginning, in the middle of the start, and twice', () => {
  const never = treeLab(spec('one-for-one', [worker('a')]));
  never.stop();
  never.begin();
  assert.equal(never.words(), 'done shutdown');

  const lab = treeLab(spec('one-for-one', [worker('a'), worker('b'), worker('c')]));
  lab.mute.add('b');
  lab.begin();
  lab.stop();
  lab.stop();
  assert.equal(lab.words(), 'start a; start b; stop b');
  lab.tell({ type: 'started', path: 'b', life: lab.lifeOf('b') });
  lab.advance(100);
  assert.equal(lab.words(), 'cut off b; stop a; done shutdown');
});

test('[SU-21] a stop while children are taken down for another: they stay down', () => {
  const lab = treeLab(spec('one-for-all', [worker('a'), worker('b'), worker('c')]));
  lab.begin();
  lab.words();
  lab.mute.add('c');
  lab.ends('a');
  lab.stop();
  assert.equal(lab.words(), 'stop c');
  lab.ends('c', 'shutdown');
  assert.equal(lab.words(), 'stop b; done shutdown');
});
