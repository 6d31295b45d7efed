/** The node's tree: sound, complete, and with a dataplane that needs neither store nor outbox. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NODE_TREE, type NodeStart } from '../../actors/node-tree.js';
import { ACTOR_KINDS } from '../../machines/model/ids.js';
import { type SupervisorSpec, workersOf } from '../../src/supervision/spec.js';
import { decide } from '../../src/supervision/supervise.js';
import { validateSpec } from '../../src/supervision/validate.js';
import { THREAD_ROLES } from '../../src/wire/to-thread.js';

const WORKERS = workersOf(NODE_TREE);

test('[SU-8] node tree: is valid', () => {
  assert.equal(validateSpec(NODE_TREE).ok, true);
});

test('[SU-9] node tree: every actor kind has exactly one home, every thread role one place', () => {
  const starts: readonly NodeStart[] = WORKERS.map(({ worker }) => worker.start);
  const kinds = starts.flatMap((start) => (start.kind === 'service' ? [] : start.hosts));
  // Overrides live beside what they override.
  const homes = kinds.filter((kind) => kind !== 'override');
  assert.deepEqual([...homes, 'override'].sort(), [...ACTOR_KINDS].sort());
  const roles = starts.flatMap((start) => (start.kind === 'thread' ? [start.role] : []));
  assert.deepEqual([...roles].sort(), [...THREAD_ROLES].sort());
});

test('[SU-9] node tree: started from the store up, stopped from the intents down', () => {
  assert.deepEqual(
    WORKERS.map(({ path }) => path),
    [
      'store',
      'outbox',
      'dataplane/lbsync',
      'dataplane/shards',
      'main/pools',
      'main/announcements',
      'main/providers',
      'main/reload',
      'main/lease',
      'main/tenancy',
      'main/api',
    ],
  );
});

function every(spec: SupervisorSpec<NodeStart>): readonly SupervisorSpec<NodeStart>[] {
  const below = spec.children.flatMap((child) =>
    'supervisor' in child ? every(child.supervisor) : [],
  );
  return [spec, ...below];
}

test('[SU-9] node tree: the end of any child restarts that child and no other', () => {
  for (const spec of every(NODE_TREE)) {
    for (const { id } of spec.children) {
      const { action } = decide(spec, { childId: id, exit: 'abnormal', at: 0, history: [] });
      assert.deepEqual(action, { type: 'restart', set: { stop: [], start: [id] } });
    }
  }
});
