/**
 * The lease as one key of a JetStream bucket whose entries live for the lease's time: created by whoever
 * finds none, renewed by writing over the very revision one has. Expiry is the server's; it tells nobody,
 * so who waits asks again.
 *
 * Rules: [LE-1] one holder at a time; [LE-2] a grant that is not renewed is over after its time; [LE-3]
 * whoever lost it is told at the next renewal; [LE-4] its own earlier life is nobody else.
 */
import { randomUUID } from 'node:crypto';
import { jetstream } from '@nats-io/jetstream';
import { type KV, type KvEntry, Kvm } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import type { LeaseFailure } from '../../../machines/model/failures.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { Lease, LeaseClaim, LeaseGrant } from '../../ports/lease.js';
import { REQUEST_TIMEOUT_MS } from './limits.js';
import { createNatsLink, type NatsAccess, sayError } from './link.js';

export interface NatsLeaseOptions extends NatsAccess {
  readonly bucket: string;
  readonly replicas: number;
  readonly ttlMs: number;
}

const KEY = 'holder';
const WRONG_LAST = 10_071;

type Answer<T> = Promise<Result<T, LeaseFailure>>;
type OwnClaim = LeaseClaim & { readonly life: string };

export function openNatsLease(options: NatsLeaseOptions): Lease {
  const { ttlMs } = options;
  const link = createNatsLink(options);
  /** An answer that comes later than this is worth nothing. */
  const timeout = Math.min(REQUEST_TIMEOUT_MS, Math.ceil(ttlMs / 3));
  /** Two lives of one writer differ in it. */
  const life = randomUUID();
  let open: { readonly connection: NatsConnection; readonly bucket: KV } | undefined;

  const bucketOf = async (connection: NatsConnection): Promise<KV> => {
    if (open?.connection === connection) return open.bucket;
    const bucket = await openBucket(connection, options, timeout);
    open = { connection, bucket };
    return bucket;
  };

  const attempt = async <T>(work: (bucket: KV) => Answer<T>): Answer<T> => {
    const connection = await link.use();
    if (!connection.ok) return away(connection.failure);
    try {
      return await work(await bucketOf(connection.value));
    } catch (error) {
      open = undefined;
      return away(`lease: ${sayError(error)}`);
    }
  };

  return {
    ttlMs,
    acquire: (claim) => attempt((bucket) => acquire(bucket, { ...claim, life })),
    renew: (claim, grant) =>
      attempt(async (bucket) => {
        const own = { ...claim, life };
        const renewed = await overwrite(bucket, own, grant.revision);
        if (renewed !== undefined) return ok(renewed);
        // A renewal of this very life whose answer was lost.
        const entry = await bucket.get(KEY);
        const again = holderOf(entry)?.life === life ? entry?.revision : undefined;
        const caught = again === undefined ? undefined : await overwrite(bucket, own, again);
        return caught === undefined ? fail(LOST) : ok(caught);
      }),
    release: (grant) =>
      attempt(async (bucket) => {
        try {
          await bucket.delete(KEY, { previousSeq: grant.revision });
        } catch (error) {
          if (!isOvertaken(error)) throw error;
        }
        return ok(undefined);
      }),
    close: link.close,
  };
}

async function acquire(bucket: KV, claim: OwnClaim): Answer<LeaseGrant> {
  try {
    return ok({ revision: await bucket.create(KEY, textOf(claim)) });
  } catch (error) {
    if (!isOvertaken(error)) throw error;
  }
  const entry = await bucket.get(KEY);
  const holder = holderOf(entry);
  if (entry === null || holder?.writer !== claim.writer) {
    return fail({ code: 'held', message: `${holder?.node ?? 'another node'} holds the lease` });
  }
  const taken = await overwrite(bucket, claim, entry.revision);
  if (taken !== undefined) return ok(taken);
  return fail({ code: 'held', message: 'another node was quicker' });
}

function holderOf(entry: KvEntry | null): Partial<OwnClaim> | undefined {
  return entry?.operation === 'PUT' ? entry.json<Partial<OwnClaim>>() : undefined;
}

/** `undefined`: that revision is no longer the last. */
async function overwrite(
  bucket: KV,
  claim: OwnClaim,
  revision: number,
): Promise<LeaseGrant | undefined> {
  try {
    return { revision: await bucket.update(KEY, textOf(claim), revision) };
  } catch (error) {
    if (!isOvertaken(error)) throw error;
    return undefined;
  }
}

const LOST: LeaseFailure = { code: 'lost', message: 'the lease ran out, or another node has it' };

/** Made when it is not there; one whose entries live for another time is no lease of ours. */
async function openBucket(
  connection: NatsConnection,
  { bucket: name, replicas, ttlMs }: NatsLeaseOptions,
  timeout: number,
): Promise<KV> {
  const kvm = new Kvm(jetstream(connection, { timeout }));
  const bucket = await kvm.create(name, { ttl: ttlMs, history: 1, replicas });
  const { ttl } = await bucket.status();
  if (ttl === ttlMs) return bucket;
  throw new Error(`entries of the bucket ${name} live for ${ttl} ms, lease.ttl says ${ttlMs} ms`);
}

function textOf({ writer, node, life }: OwnClaim): string {
  return JSON.stringify({ writer, node, life });
}

function isOvertaken(error: unknown): boolean {
  return (error as { readonly code?: unknown }).code === WRONG_LAST;
}

function away(message: string): Result<never, LeaseFailure> {
  return fail({ code: 'unavailable', message });
}
