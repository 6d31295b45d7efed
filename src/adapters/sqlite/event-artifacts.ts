/**
 * Artifacts of events: data too large to be inline is stored under its digest before the transaction that
 * names it. What is left over when that fails is named by nobody, and retention takes it away.
 */
import type Database from 'better-sqlite3';
import { artifactNameOf } from '../../feed/artifacts.js';
import type { PackedDecision, PackedPublish } from '../../ports/packed.js';
import { ARTIFACT_PART_CHARACTERS_MAX, EVENT_ARTIFACTS } from '../../ports/store.js';
import { createArtifacts } from './artifacts.js';
import { INLINE_DATA_BYTES } from './limits.js';

export interface EventArtifacts {
  /** Of all that these decisions publish. Durable when it returns. Throws what SQLite throws. */
  writeAll(decisions: readonly PackedDecision[]): void;
  write(publish: PackedPublish): void;
  /** The digest of data that is too large; `null`: it is inline. */
  artifactOf(publish: PackedPublish): string | null;
}

export function createEventArtifacts(db: Database.Database): EventArtifacts {
  const artifacts = createArtifacts(db);
  const put = db.transaction((digest: string, base64: string): void => {
    const parts = Math.ceil(base64.length / ARTIFACT_PART_CHARACTERS_MAX);
    for (let part = 0; part < parts; part += 1) {
      const from = part * ARTIFACT_PART_CHARACTERS_MAX;
      const bytes = base64.slice(from, from + ARTIFACT_PART_CHARACTERS_MAX);
      artifacts.put({ kind: EVENT_ARTIFACTS, hash: digest, part, parts, bytes });
    }
  });
  const write = (publish: PackedPublish): void => {
    if (isLarge(publish)) put(digestOf(publish[4]), Buffer.from(publish[4]).toString('base64'));
  };
  return {
    writeAll: (decisions) => {
      for (const decision of decisions) {
        for (const [, , , publish] of decision[10]) if (publish !== null) write(publish);
      }
    },
    write,
    artifactOf: (publish) => (isLarge(publish) ? digestOf(publish[4]) : null),
  };
}

/** A character takes at most three bytes: most data need not be measured. */
function isLarge([, , , , data]: PackedPublish): boolean {
  if (data.length > INLINE_DATA_BYTES) return true;
  return data.length * 3 > INLINE_DATA_BYTES && Buffer.byteLength(data) > INLINE_DATA_BYTES;
}

function digestOf(data: string): string {
  return artifactNameOf(data).ref.slice('sha256/'.length);
}
