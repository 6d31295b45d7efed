/**
 * Artifacts as files: bytes under a name made of their digest, `sha256/<hex>`, in a folder. Written once,
 * whole and durable before the name exists; the same bytes again are no work.
 *
 * Rule: [AR-1] a name that exists holds the bytes it is the digest of, whatever was killed when.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { artifactPath } from '../../feed/artifacts.js';

/** Returns when the bytes are durable; throws the system's error. */
export function writeArtifact(dir: string, ref: string, bytes: Uint8Array): void {
  const file = artifactPath(dir, ref);
  if (file === undefined) throw new RangeError(`${ref} is no name of an artifact`);
  if (existsSync(file)) return;
  mkdirSync(dirname(file), { recursive: true, mode: 0o750 });
  const unfinished = `${file}.new`;
  const descriptor = openSync(unfinished, 'w', 0o640);
  try {
    for (let written = 0; written < bytes.length; ) {
      written += writeSync(descriptor, bytes, written);
    }
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(unfinished, file);
  syncFolder(dirname(file));
}

function syncFolder(dir: string): void {
  const descriptor = openSync(dir, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
