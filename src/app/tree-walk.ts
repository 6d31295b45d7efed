/**
 * The supervision tree read for what this node needs of it: its threads, as a tree of their own. `many`
 * stands for one child per shard; whatever runs in the main thread is left out, with the supervisors
 * that have nothing else.
 */
import { NODE_TREE, type NodeStart } from '../../actors/node-tree.js';
import type { ActorKind } from '../../machines/model/ids.js';
import {
  type ChildSpec,
  type SupervisorSpec,
  type WorkerSpec,
  workersOf,
} from '../supervision/spec.js';
import type { ThreadSpec } from './threads.js';

/** Strategy, restart types, limits, deadlines and order are the node tree's own [SU-29]. */
export function threadTree(
  shards: readonly string[],
  tree: SupervisorSpec<NodeStart> = NODE_TREE,
): SupervisorSpec<ThreadSpec> {
  return { ...tree, children: tree.children.flatMap((child) => threadsBelow(shards, child)) };
}

function threadsBelow(
  shards: readonly string[],
  child: ChildSpec<NodeStart>,
): readonly ChildSpec<ThreadSpec>[] {
  if (!('supervisor' in child)) return threadsAt(shards, child);
  const supervisor = threadTree(shards, child.supervisor);
  return supervisor.children.length === 0 ? [] : [{ ...child, supervisor }];
}

function threadsAt(
  shards: readonly string[],
  worker: WorkerSpec<NodeStart>,
): readonly WorkerSpec<ThreadSpec>[] {
  const { start } = worker;
  if (start.kind !== 'thread') return [];
  const names = start.many ? shards : [worker.id];
  return names.map((name) => ({ ...worker, id: name, start: { name, role: start.role } }));
}

/** In start order. */
export function threadsOf(shards: readonly string[]): readonly ThreadSpec[] {
  return workersOf(threadTree(shards)).map(({ worker }) => worker.start);
}

/** Actor kinds the tree places in the main thread. */
export function kindsOfMain(): readonly ActorKind[] {
  return workersOf(NODE_TREE).flatMap(({ worker: { start } }) =>
    start.kind === 'actors' ? start.hosts : [],
  );
}
