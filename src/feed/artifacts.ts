/**
 * Names of artifacts: what is too large for an event lies beside the feed, under the digest of its bytes.
 * Only such names lead to a file, so that nothing outside the folder can be named.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';

const REF = /^sha256\/[0-9a-f]{64}$/;

export interface ArtifactName {
  /** `sha256/<hex>` */
  readonly ref: string;
  /** `sha256:<hex>` */
  readonly checksum: string;
}

export function artifactNameOf(bytes: Uint8Array | string): ArtifactName {
  const digest = createHash('sha256').update(bytes).digest('hex');
  return { ref: `sha256/${digest}`, checksum: `sha256:${digest}` };
}

/** The file of an artifact in its folder; `undefined`: it is no such name. */
export function artifactPath(dir: string, ref: string): string | undefined {
  return REF.test(ref) ? join(dir, ref) : undefined;
}
