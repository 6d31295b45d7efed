/**
 * Brings an artifact of the store to the sink, part by part, before an event names it there. One that is
 * lost or damaged is its event's trouble, not the sink's: `content`.
 */
import { hash } from 'node:crypto';
import type { SinkFailure } from '../machines/model/failures.js';
import { fail, type Result } from '../machines/model/result.js';
import type { Sink } from '../src/ports/sink.js';
import { EVENT_ARTIFACTS, type Store } from '../src/ports/store.js';

export async function bringArtifact(
  store: Pick<Store, 'artifactGet'>,
  sink: Pick<Sink, 'putArtifact'>,
  ref: string,
): Promise<Result<void, SinkFailure>> {
  const digest = ref.slice(ref.indexOf('/') + 1);
  const parts: Buffer[] = [];
  for (;;) {
    const part = await store.artifactGet(EVENT_ARTIFACTS, digest, parts.length);
    if (!part.ok) return fail({ code: 'unavailable', message: part.failure.message });
    if (part.value === undefined) break;
    parts.push(Buffer.from(part.value, 'base64'));
  }
  const bytes = Buffer.concat(parts);
  if (hash('sha256', bytes, 'hex') !== digest) {
    const what = parts.length === 0 ? 'lost' : 'damaged';
    return fail({ code: 'content', message: `the artifact ${ref} is ${what} in the store` });
  }
  return sink.putArtifact(ref, bytes);
}
