/** The performer of a supervision tree, over children that serve, fail, hang and stay too long. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Defect } from '../../machines/model/assert.js';
import { fail, ok, type Result } from '../../machines/model/result.js';
import { type Child, createSupervisor, type Supervisor } from '../../src/app/supervisor.js';
import { createVirtualClock } from '../../src/runtime/virtual-clock.js';
import type { SupervisorSpec } from '../../src/supervision/spec.js';
import { rememberingLog, seededRandom } from '../support/quiet.js';
import { spec, subtree, worker } from '../support/tree-lab.js';

interface Lab {
  readonly supervisor: Supervisor;
  readonly clock: ReturnType<typeof createVirtualClock>;
  readonly log: ReturnType<typeof rememberingLog>;
  readonly did: string[];
  /** How a start of this path ends; absent: it serves. */
  readonly starts: Map<string, () => Promise<Result<void, string>>>;
  /** Children that do not stop by themselves. */
  readonly deaf: Set<string>;
  die(path: string): void;
}

function lab(of: SupervisorSpec<string>): Lab {
  const clock = createVirtualClock();
  const log = rememberingLog();
  const did: string[] = [];
  const starts: Lab['starts'] = new Map();
  const deaf = new Set<string>();
  const last = new Map<string, Child<string>>();
  const supervisor: Supervisor = createSupervisor<string>({
    spec: of,
    clock,
    random: seededRandom(1),
    log,
    start: (child) => {
      did.push(`start ${child.path}`);
      last.set(child.path, child);
      return starts.get(child.path)?.() ?? Promise.resolve(ok(undefined));
    },
    stop: (child, deadlineMs) => {
      did.push(`stop ${child.path} ${deadlineMs}`);
      if (!deaf.has(child.path)) supervisor.ended(child, 'shutdown', 'told');
    },
    kill: (child) => {
      did.push(`kill ${child.path}`);
      supervisor.ended(child, 'abnormal', 'killed');
    },
    onQuarantine: (path) => did.push(`quarantine ${path}`),
  });
  const die = (path: string): void => {
    const child = last.get(path);
    assert.ok(child !== undefined);
    supervisor.ended(child, 'abnormal', 'died');
  };
  return { supervisor, clock, log, did, starts, deaf, die };
}

const wordsOf = ({ did }: Lab): string => did.splice(0).join('; ');

const TREE = spec('one-for-one', [
  worker('a', 'permanent', { essential: true }),
  subtree('s', spec('rest-for-one', [worker('x'), worker('y', 'permanent', { shutdownMs: 7 })])),
]);

test('[SU-22] performer: the tree is started, kept up and stopped as it is written', async () => {
  const node = lab(TREE);
  const started = await node.supervisor.start();
  assert.ok(started.ok);
  assert.equal(wordsOf(node), 'start a; start s/x; start s/y');
  node.die('s/x');
  await node.clock.settle();
  assert.equal(wordsOf(node), 'stop s/y 7; start s/x; start s/y');
  node.die('s/x');
  node.die('s/x');
  await node.clock.advance(99);
  assert.equal(wordsOf(node), 'stop s/y 7', 'a death told twice, and a back-off that is not over');
  await node.clock.advance(1);
  assert.equal(wordsOf(node), 'start s/x; start s/y');
  assert.deepEqual(await node.supervisor.stop(), {
    outcome: 'shutdown',
    reason: 'it was told to stop',
  });
  assert.equal(wordsOf(node), 'stop s/y 7; stop s/x 100; stop a 100');
  assert.deepEqual(
    node.supervisor.view().map(({ path, phase }) => `${path} ${phase}`),
    ['a down', 's down', 's/x down', 's/y down'],
  );
});

test('[SU-22] performer: a start that fails, by word or by rejection, is undone and told with its reason', async () => {
  const failing = [() => Promise.resolve(fail('no port')), () => Promise.reject('no port')];
  for (const start of failing) {
    const node = lab(TREE);
    node.starts.set('s/y', start);
    const started = await node.supervisor.start();
    assert.ok(!started.ok && started.failure === 's/y: no port');
    assert.equal(wordsOf(node), 'start a; start s/x; start s/y; stop s/x 100; stop a 100');
    assert.equal((await node.supervisor.done).outcome, 'start-failed');
  }
});

test('[SU-18] [SU-22] performer: who overstays the deadline is cut off and named', async () => {
  const node = lab(TREE);
  await node.supervisor.start();
  wordsOf(node);
  node.deaf.add('s/y');
  const stopped = node.supervisor.stop();
  void node.supervisor.stop();
  await node.clock.advance(6);
  assert.equal(wordsOf(node), 'stop s/y 7');
  await node.clock.advance(1);
  await stopped;
  assert.equal(wordsOf(node), 'kill s/y; stop s/x 100; stop a 100');
  const overdue = node.log.lines.filter(({ message }) => message.includes('overstayed'));
  assert.deepEqual(
    overdue.map(({ fields }) => fields),
    [{ child: 's/y' }],
  );
});

test('[SU-21] [SU-22] performer: a stop while a child starts does not wait for that start', async () => {
  const node = lab(TREE);
  node.starts.set('s/x', () => new Promise(() => undefined));
  const started = node.supervisor.start();
  await node.clock.settle();
  await node.supervisor.stop();
  assert.equal(wordsOf(node), 'start a; start s/x; stop s/x 100; stop a 100');
  const outcome = await started;
  assert.ok(!outcome.ok);
});

test('[SU-20] [SU-22] performer: the last end of an essential child is the end, with its reason', async () => {
  const node = lab({ ...TREE, intensity: 1 });
  await node.supervisor.start();
  node.die('a');
  await node.clock.settle();
  wordsOf(node);
  node.die('a');
  assert.deepEqual(await node.supervisor.done, { outcome: 'failed', reason: 'a: died' });
  assert.equal(wordsOf(node), 'stop s/y 7; stop s/x 100');
  const ends = node.log.lines.filter(({ message }) => message === 'child ended');
  assert.deepEqual(
    ends.map(({ fields }) => fields),
    [
      { supervisor: 'node', child: 'a', reason: 'died', restarts: 1, now: 'starting' },
      { supervisor: 'node', child: 'a', reason: 'died', restarts: 2, now: 'down' },
    ],
  );
});

test('[SU-20] [SU-22] performer: a quarantined child is told of, and comes back when resumed', async () => {
  const inner = spec('rest-for-one', [worker('x'), worker('y')], { intensity: 0 });
  const node = lab(spec('one-for-one', [subtree('s', inner)]));
  await node.supervisor.start();
  wordsOf(node);
  assert.equal(node.supervisor.resume('s/x'), false);
  node.die('s/x');
  assert.equal(wordsOf(node), 'quarantine s/x');
  assert.equal(node.supervisor.phaseOf('s/x'), 'quarantined');
  assert.ok(node.supervisor.resume('s/x'));
  await node.clock.settle();
  assert.equal(wordsOf(node), 'start s/x');
  assert.equal(node.supervisor.phaseOf('s/x'), 'running');
});

test('[SU-8] [SU-22] performer: a tree that is not sound is a defect before anything starts', () => {
  assert.throws(() => lab(spec('one-for-one', [])), Defect);
});
