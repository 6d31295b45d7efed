/**
 * State values: from the value a store kept to the innermost states that are active, and how many
 * there can be.
 */
import type { AnyStateNode } from 'xstate';
import { Defect } from '../../../machines/model/assert.js';
import type { Json } from '../../../machines/model/json.js';

/**
 * The innermost active states, in document order.
 *
 * @throws {Defect} unless the value is whole: what a machine never told is not filled in
 */
export function leavesOf(node: AnyStateNode, value: Json): readonly AnyStateNode[] {
  if (node.type === 'compound' && typeof value === 'string') {
    const leaf = node.states[value];
    if (leaf === undefined || !isLeaf(leaf)) throw unknown(node, value);
    return [leaf];
  }
  if (typeof value !== 'object' || value === null) throw unknown(node, value);
  if (isLeaf(node) && Object.keys(value).length === 0) return [node];
  return partsOf(node, value).flatMap(([child, part]) => leavesOf(child, part));
}

function partsOf(node: AnyStateNode, value: object): readonly (readonly [AnyStateNode, Json])[] {
  const children = Object.values(node.states) as readonly AnyStateNode[];
  const active = children.filter(
    ({ key, type }) => type !== 'history' && Object.hasOwn(value, key),
  );
  const regions = children.filter(({ type }) => type !== 'history').length;
  const wanted = node.type === 'parallel' ? regions : 1;
  if (active.length !== wanted || Object.keys(value).length !== wanted) throw unknown(node, value);
  if (node.type === 'compound' && active.some(isLeaf)) throw unknown(node, value);
  return active.map((child) => [child, (value as Record<string, Json>)[child.key] ?? null]);
}

function unknown({ id }: AnyStateNode, value: unknown): Defect {
  return new Defect(`${id} has no state ${JSON.stringify(value)}`);
}

export function isLeaf({ type }: { readonly type: string }): boolean {
  return type === 'atomic' || type === 'final';
}

/** At most this many state values exist. */
export function configurationsOf(node: AnyStateNode): number {
  const parts = childrenOf(node).map(configurationsOf);
  if (parts.length === 0) return 1;
  if (node.type === 'parallel') return parts.reduce((product, part) => product * part, 1);
  return parts.reduce((sum, part) => sum + part, 0);
}

/** At most this many innermost states are active at once. */
export function leavesMaxOf(node: AnyStateNode): number {
  const parts = childrenOf(node).map(leavesMaxOf);
  if (parts.length === 0) return 1;
  if (node.type === 'parallel') return parts.reduce((sum, part) => sum + part, 0);
  return Math.max(...parts);
}

export function permutationsOf(count: number): number {
  return count <= 1 ? 1 : count * permutationsOf(count - 1);
}

function childrenOf({ states }: AnyStateNode): readonly AnyStateNode[] {
  return (Object.values(states) as readonly AnyStateNode[]).filter(
    ({ type }) => type !== 'history',
  );
}
