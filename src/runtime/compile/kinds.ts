/**
 * Kinds of events: types a machine treats alike. Each type it names is a kind of its own; all others
 * differ only by the wildcards they match, so that types nobody knows take no room.
 */
import { Defect } from '../../../machines/model/assert.js';
import type { Chart } from './chart.js';

export interface Kinds {
  kindOf(type: string): number;
  /** Kinds below are of types the machine names. */
  readonly named: number;
  /** A type of this kind. */
  exampleOf(kind: number): string;
}

export function createKinds({ nodes }: Chart): Kinds {
  const descriptors = new Set(nodes.flatMap(({ transitions }) => [...transitions.keys()]));
  const wildcards = [...descriptors].filter((descriptor) => descriptor.endsWith('*'));
  const examples = [...descriptors];
  const named = new Map(examples.map((type, kind) => [type, kind]));
  /** Kinds of the unnamed by which wildcards they match, one bit each. */
  const unnamed = new Map<number, number>();

  function kindOfUnnamed(type: string): number {
    let matched = 0;
    for (const [bit, wildcard] of wildcards.entries()) {
      if (matches(wildcard, type)) matched |= 1 << bit;
    }
    const known = unnamed.get(matched);
    if (known !== undefined) return known;
    const kind = examples.push(type) - 1;
    unnamed.set(matched, kind);
    return kind;
  }

  return {
    named: named.size,
    kindOf: (type) => named.get(type) ?? kindOfUnnamed(type),
    exampleOf: (kind) => {
      const example = examples[kind];
      if (example === undefined) throw new Defect(`no events of kind ${kind}`);
      return example;
    },
  };
}

/** `*` matches all, `a.*` matches `a` and what starts with `a.`; a star elsewhere means nothing. */
export function matches(descriptor: string, type: string): boolean {
  if (descriptor === type || descriptor === '*') return true;
  if (!descriptor.endsWith('.*')) return false;
  const prefix = descriptor.slice(0, -2);
  if (prefix.split('.').includes('*')) return false;
  return type === prefix || type.startsWith(`${prefix}.`);
}
