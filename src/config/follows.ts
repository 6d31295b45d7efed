/**
 * Defaults that follow another key: how they are worked out, and which differences are nothing but that.
 *
 * Input: the key they follow; two configurations and a path at which they differ. Output: the default; the
 * key that the difference follows, if each side is what that key's value there makes it.
 */
import { join } from 'node:path';
import { configLimits } from './limits.js';
import type { Path } from './problem.js';

export function defaultMaxSize(size: number): number {
  return Math.min(configLimits.groupSizeMax, Math.max(1, 2 * size));
}

export function defaultFailBackAt(activeWhile: number): number {
  return Math.max(0.5, activeWhile);
}

interface Rule {
  /** The end of the path of the one that follows. */
  readonly key: readonly string[];
  /** From there up this many keys, and down these. */
  readonly up: number;
  readonly leader: readonly string[];
  readonly value: (leader: unknown) => unknown;
}

const same = (leader: unknown): unknown => leader;
const below =
  (name: string) =>
  (dataDir: unknown): unknown =>
    typeof dataDir === 'string' ? join(dataDir, name) : undefined;
const DATA_DIR = ['node', 'dataDir'] as const;

const RULES: readonly Rule[] = [
  { key: ['maxSize'], up: 1, leader: ['size'], value: (size) => defaultMaxSize(Number(size)) },
  { key: ['fastInterval'], up: 1, leader: ['interval'], value: same },
  { key: ['downInterval'], up: 1, leader: ['interval'], value: same },
  {
    ...{ key: ['failBack', 'at'], up: 2, leader: ['activeWhile'] },
    value: (share) => defaultFailBackAt(Number(share)),
  },
  { key: ['api', 'agentCa', 'dir'], up: 3, leader: DATA_DIR, value: below('ca') },
  { key: ['outbox', 'sink', 'dir'], up: 3, leader: DATA_DIR, value: below('feed') },
  { key: ['dataplane', 'apiSocket'], up: 2, leader: DATA_DIR, value: below('vpp.sock') },
];

/** The path of the key that the difference at `path` follows. */
export function followedBy(path: Path, from: unknown, to: unknown): Path | undefined {
  const rule = RULES.find(({ key }) =>
    key.every((part, index) => part === path.at(index - key.length)),
  );
  if (rule === undefined) return undefined;
  const leader = [...path.slice(0, path.length - rule.up), ...rule.leader];
  const [before, after] = [from, to].map((config) => ({
    led: valueAt(config, path),
    leads: valueAt(config, leader),
  }));
  if (before === undefined || after === undefined || before.leads === after.leads) return undefined;
  const follows = [before, after].every(({ led, leads }) => led === rule.value(leads));
  return follows ? leader : undefined;
}

function valueAt(config: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === 'object' && value !== null
        ? (value as Readonly<Record<string | number, unknown>>)[part]
        : undefined,
    config,
  );
}
