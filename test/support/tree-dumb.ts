/**
 * A supervision tree that does everything at once and recursively, written from the words of the OTP
 * manual: the judge of the reducer, slow and without any notion of waiting.
 */
import { type Exit, wantsRestart } from '../../src/supervision/restart.js';
import type { ChildSpec, SupervisorSpec } from '../../src/supervision/spec.js';

export interface DumbTree {
  begin(): void;
  ends(path: string, exit: Exit): void;
  resume(path: string): void;
  advance(ms: number): void;
  /** Paths of workers, sorted. */
  running(): string[];
  quarantined(): string[];
  words(): string;
}

interface Node {
  readonly path: string;
  readonly spec: ChildSpec<string> | undefined;
  readonly supervisor: SupervisorSpec<string> | undefined;
  readonly above: Node | undefined;
  readonly below: Node[];
  state: 'down' | 'up' | 'quarantined';
  restarts: number[];
  own: number[];
}

export function dumbTree(of: SupervisorSpec<string>): DumbTree {
  const said: string[] = [];
  const all: Node[] = [];
  let now = 0;
  const root = grow('', undefined, of, undefined);

  function grow(
    path: string,
    own: ChildSpec<string> | undefined,
    supervisor: SupervisorSpec<string> | undefined,
    above: Node | undefined,
  ): Node {
    const place = { path, spec: own, supervisor, above, below: [] };
    const node: Node = { ...place, state: 'down', restarts: [], own: [] };
    all.push(node);
    for (const child of supervisor?.children ?? []) {
      const inner = 'supervisor' in child ? child.supervisor : undefined;
      node.below.push(grow(path === '' ? child.id : `${path}/${child.id}`, child, inner, node));
    }
    return node;
  }

  function up(node: Node): void {
    if (node.state !== 'down') return;
    node.state = 'up';
    if (node.supervisor === undefined) said.push(`start ${node.path}`);
    node.restarts = [];
    for (const child of node.below) up(child);
  }

  function down(node: Node): void {
    if (node.state !== 'up') return;
    for (const child of [...node.below].reverse()) down(child);
    node.state = 'down';
    if (node.supervisor === undefined) said.push(`stop ${node.path}`);
  }

  function ended(node: Node, exit: Exit): void {
    const { above, spec } = node;
    node.state = 'down';
    if (above?.supervisor === undefined || spec === undefined) {
      said.push('done failed');
      return;
    }
    if (!wantsRestart(spec.restart, exit)) return;
    const { intensity, periodMs, strategy } = above.supervisor;
    // As many as matter are remembered: what a resume forgives makes no room for older ones.
    above.restarts = [...above.restarts, now]
      .filter((time) => now - time <= periodMs)
      .slice(-intensity - 1);
    node.own.push(now);
    if (above.restarts.length > intensity) return tooOften(node, above, spec.essential);
    const place = above.below.indexOf(node);
    const from = { 'one-for-one': place, 'rest-for-one': place, 'one-for-all': 0 }[strategy];
    const to = strategy === 'one-for-one' ? place + 1 : above.below.length;
    const together = above.below.slice(from, to);
    for (const sibling of [...together].reverse()) down(sibling);
    for (const sibling of together) if (sibling.spec?.restart !== 'temporary') up(sibling);
  }

  function tooOften(node: Node, above: Node, essential: boolean): void {
    if (!essential) {
      node.state = 'quarantined';
      said.push(`quarantine ${node.path}`);
      return;
    }
    for (const sibling of [...above.below].reverse()) down(sibling);
    ended(above, 'abnormal');
  }

  const find = (path: string): Node => all.find((node) => node.path === path) ?? root;
  const pathsOf = (state: Node['state'], workers: boolean): string[] =>
    all
      .filter((node) => node.state === state && (!workers || node.supervisor === undefined))
      .map(({ path }) => path)
      .sort();
  return {
    begin: () => up(root),
    ends: (path, exit) => ended(find(path), exit),
    resume: (path) => {
      const node = find(path);
      node.state = 'down';
      const { above, own } = node;
      if (above === undefined) return;
      above.restarts = above.restarts.filter((time) => !own.includes(time));
      node.own = [];
      if (above.state === 'up') up(node);
    },
    advance: (ms) => {
      now += ms;
    },
    running: () => pathsOf('up', true),
    quarantined: () => pathsOf('quarantined', false),
    words: () => said.splice(0).join('; '),
  };
}
