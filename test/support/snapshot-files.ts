/**
 * Recordings of what releases stored, under test/fixtures/snapshots-<release>/. Each release records its
 * own (`npm run snapshots`) and loads those of all before it; nothing ever writes into the folder of
 * another release.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { SCHEMA_VERSION } from '../../src/adapters/sqlite/schema.js';
import type { StoredCell } from '../../src/ports/store.js';
import { repoPath } from './root.js';

export interface Recording {
  readonly release: string;
  /** Version of the database's tables when it was made. */
  readonly schema: number;
  readonly cells: readonly StoredCell[];
}

export const RECORDS = process.env['SNAPSHOTS'] === 'write';

export const RELEASE: string = JSON.parse(readFileSync(repoPath('package.json'), 'utf8')).version;

const PREFIX = 'snapshots-';

/** Of this release, or of another one. */
export function snapshotPath(name: string, release = RELEASE): string {
  return repoPath('test', 'fixtures', `${PREFIX}${release}`, name);
}

export function recordFile(name: string, text: string): void {
  mkdirSync(snapshotPath(''), { recursive: true });
  writeFileSync(snapshotPath(name), text);
}

export function recordedReleases(): readonly string[] {
  return readdirSync(repoPath('test', 'fixtures'))
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => name.slice(PREFIX.length))
    .sort();
}

/** One line of head, then a line for each cell. */
export function recordCells(cells: readonly StoredCell[]): void {
  const head = { release: RELEASE, schema: SCHEMA_VERSION };
  recordFile('cells.jsonl', [head, ...cells].map((line) => `${JSON.stringify(line)}\n`).join(''));
}

export function recordingOf(release: string): Recording {
  const file = snapshotPath('cells.jsonl', release);
  if (!existsSync(file)) throw new Error(`${file} is missing: npm run snapshots`);
  const [head, ...cells] = readFileSync(file, 'utf8').trimEnd().split('\n');
  return { ...JSON.parse(head ?? '{}'), cells: cells.map((line) => JSON.parse(line)) };
}
