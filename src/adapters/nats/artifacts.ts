/**
 * Artifacts beside the stream, in a bucket of their own: the bytes in parts, then a row that says how many
 * there are. Named by their digest, so that the same again is no work and a part is never another's.
 *
 * Rule: [AR-1] an artifact that can be found is whole.
 */
import { jetstream } from '@nats-io/jetstream';
import { type KV, Kvm } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import { ARTIFACT_PART_BYTES, REQUEST_TIMEOUT_MS } from './limits.js';
import { sayError } from './link.js';
import type { StreamSpec } from './stream.js';

export interface Artifact {
  readonly ref: string;
  readonly bytes: Uint8Array;
}

const NAME = /^sha256\/[0-9a-f]{64}$/;

export async function putArtifact(
  connection: NatsConnection,
  spec: StreamSpec,
  { ref, bytes }: Artifact,
): Promise<Result<void, string>> {
  if (!NAME.test(ref)) return fail(`${ref} is no name of an artifact`);
  try {
    const bucket = await bucketOf(connection, spec);
    if ((await bucket.get(ref)) !== null) return ok(undefined);
    const parts = Math.ceil(bytes.length / ARTIFACT_PART_BYTES);
    for (let part = 0; part < parts; part += 1) {
      const from = part * ARTIFACT_PART_BYTES;
      await bucket.put(`${ref}/${part}`, bytes.subarray(from, from + ARTIFACT_PART_BYTES));
    }
    await bucket.put(ref, String(parts));
    return ok(undefined);
  } catch (error) {
    return fail(sayError(error));
  }
}

/** `undefined`: there is none of that name. */
export async function getArtifact(
  connection: NatsConnection,
  spec: StreamSpec,
  ref: string,
): Promise<Result<Uint8Array | undefined, string>> {
  if (!NAME.test(ref)) return ok(undefined);
  try {
    const bucket = await bucketOf(connection, spec);
    const whole = await bucket.get(ref);
    if (whole === null) return ok(undefined);
    const parts: Uint8Array[] = [];
    for (let part = 0; part < Number(whole.string()); part += 1) {
      const found = await bucket.get(`${ref}/${part}`);
      if (found === null) return ok(undefined);
      parts.push(found.value);
    }
    return ok(Buffer.concat(parts));
  } catch (error) {
    return fail(sayError(error));
  }
}

/** Made when it is not there. */
function bucketOf(connection: NatsConnection, { stream, replicas }: StreamSpec): Promise<KV> {
  const client = jetstream(connection, { timeout: REQUEST_TIMEOUT_MS });
  return new Kvm(client).create(`${stream}_artifacts`, { history: 1, replicas });
}
