/** The supervision tree read for what the node needs of it: which threads, in which order. */
import { NODE_TREE, type NodeStart } from '../../actors/node-tree.js';
import type { ActorKind } from '../../machines/model/ids.js';
import type { ChildSpec, SupervisorSpec } from '../supervision/spec.js';
import type { ThreadSpec } from './threads.js';

/** In start order; a child with `many` stands for one thread per shard. */
export function threadsOf(shards: readonly string[]): readonly ThreadSpec[] {
  return leavesOf(NODE_TREE).flatMap(({ id, start }) => {
    if (start.kind !== 'thread') return [];
    const names = start.many ? shards : [id];
    return names.map((name) => ({ name, role: start.role }));
  });
}

/** Actor kinds the tree places in the main thread. */
export function kindsOfMain(): readonly ActorKind[] {
  return leavesOf(NODE_TREE).flatMap(({ start }) => (start.kind === 'actors' ? start.hosts : []));
}

interface Leaf {
  readonly id: string;
  readonly start: NodeStart;
}

function leavesOf(supervisor: SupervisorSpec<NodeStart>): readonly Leaf[] {
  return supervisor.children.flatMap(leavesOfChild);
}

function leavesOfChild(child: ChildSpec<NodeStart>): readonly Leaf[] {
  return 'supervisor' in child
    ? leavesOf(child.supervisor)
    : [{ id: child.id, start: child.start }];
}
