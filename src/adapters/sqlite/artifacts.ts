/**
 * Content-addressed artifacts: what is too large for a row, in parts of bounded size. An artifact is
 * there once all of its parts are; putting a part again changes nothing.
 */
import type Database from 'better-sqlite3';
import type { ArtifactPart } from '../../ports/store.js';

export interface Artifacts {
  put(part: ArtifactPart): void;
  /** `undefined` while a part of the artifact is missing. */
  get(kind: string, hash: string, part: number): string | undefined;
  /** Drops every artifact of the kind that is not named. */
  keep(kind: string, hashes: readonly string[]): void;
}

const GET = `
  SELECT bytes FROM artifacts WHERE kind = @kind AND hash = @hash AND part = @part
  AND parts = (SELECT count(*) FROM artifacts WHERE kind = @kind AND hash = @hash)`;

export function createArtifacts(db: Database.Database): Artifacts {
  const put = db.prepare<[string, string, number, number, Buffer]>(
    'INSERT OR IGNORE INTO artifacts (kind, hash, part, parts, bytes) VALUES (?, ?, ?, ?, ?)',
  );
  const get = db.prepare<{ kind: string; hash: string; part: number }, { bytes: Buffer }>(GET);
  const keep = db.prepare<[string, string]>(
    'DELETE FROM artifacts WHERE kind = ? AND hash NOT IN (SELECT value FROM json_each(?))',
  );
  return {
    put: ({ kind, hash, part, parts, bytes }) =>
      void put.run(kind, hash, part, parts, Buffer.from(bytes, 'base64')),
    get: (kind, hash, part) => get.get({ kind, hash, part })?.bytes.toString('base64'),
    keep: (kind, hashes) => void keep.run(kind, JSON.stringify(hashes)),
  };
}
