/** The threads of a node as its tree has them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NODE_TREE } from '../../actors/node-tree.js';
import { kindsOfMain, threadsOf, threadTree } from '../../src/app/tree-walk.js';
import { workersOf } from '../../src/supervision/spec.js';
import { validateSpec } from '../../src/supervision/validate.js';

test('[SU-29] threads: one child per shard, in the order of the tree, and nothing of main', () => {
  const tree = threadTree(['shard-0', 'shard-1']);
  assert.ok(validateSpec(tree).ok);
  const workers = workersOf(tree).map(({ path, worker }) => `${path} ${worker.start.role}`);
  assert.deepEqual(workers, [
    'store store',
    'outbox outbox',
    'dataplane/lbsync dataplane',
    'dataplane/shard-0 shard',
    'dataplane/shard-1 shard',
  ]);
  const names = threadsOf(['shard-0', 'shard-1']).map(({ name }) => name);
  assert.deepEqual(names, ['store', 'outbox', 'lbsync', 'shard-0', 'shard-1']);
  assert.deepEqual(kindsOfMain(), [
    'pool',
    'block',
    'guard',
    'announcement',
    'provider',
    'sweep',
    'reload',
    'lease',
    'tenancy',
    'resource',
    'reporter',
  ]);
});

test('[SU-29] threads: terms and limits are those written in the node tree', () => {
  const tree = threadTree(['shard-0']);
  const written = new Map(workersOf(NODE_TREE).map(({ path, worker }) => [path, worker]));
  for (const { path, worker } of workersOf(tree)) {
    const origin = written.get(path.replace(/shard-\d+/, 'shards'));
    assert.ok(origin !== undefined, path);
    const { restart, essential, shutdownMs } = origin;
    assert.deepEqual(
      { ...worker, start: 0, id: '' },
      { start: 0, id: '', restart, essential, shutdownMs },
    );
  }
  const { strategy, intensity, periodMs } = NODE_TREE;
  assert.deepEqual({ ...tree, children: [] }, { strategy, intensity, periodMs, children: [] });
});
