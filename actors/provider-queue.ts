/**
 * What waits for a provider, in the order it should be served: deletes, then look-ups, then creates;
 * oldest first among equals. A request repeated while it waits replaces itself.
 *
 * Rules: [PR-13] creates never keep a delete or a look-up waiting; [PR-14] the queue is bounded, and a
 * request that does not fit is answered, not dropped.
 */
import type { Address } from '../machines/model/ids.js';
import type { ProviderMessage } from '../machines/model/messages.js';

export type ProviderRequest = Exclude<
  ProviderMessage,
  { readonly type: 'provider.settings' | 'provider.sweep' }
>;

export interface Work {
  /** What it is about: at most one of a key waits or runs. */
  readonly key: string;
  readonly from: Address;
  /** Of the request; everything said about it follows from that. */
  readonly cause: string;
  readonly request: ProviderRequest;
}

export interface WorkQueue {
  /** False: full. */
  put(work: Work): boolean;
  /** Takes the next one; creates only when `mayCreate`, asked when nothing else waits, says so. */
  next(mayCreate: () => boolean): Work | undefined;
  readonly size: number;
}

/** Who wants it, and why. */
export type Asker = Pick<Work, 'from' | 'cause'>;

/** Requests waiting for one provider: every instance of a full one, twice. */
export const PROVIDER_QUEUE_MAX = 4_096;

export function workOf(request: ProviderRequest, { from, cause }: Asker): Work {
  return { key: `${request.type} ${subjectOf(request)}`, from, cause, request };
}

export function createWorkQueue(max = PROVIDER_QUEUE_MAX): WorkQueue {
  const urgent = new Map<string, Work>();
  const lookups = new Map<string, Work>();
  const creates = new Map<string, Work>();
  const size = (): number => urgent.size + lookups.size + creates.size;

  const queueOf = (request: ProviderRequest): Map<string, Work> => {
    if (request.type === 'provider.delete') return urgent;
    return request.type === 'provider.create' ? creates : lookups;
  };

  return {
    put(work) {
      const queue = queueOf(work.request);
      if (!queue.has(work.key) && size() >= max) return false;
      queue.set(work.key, work);
      return true;
    },
    next(mayCreate) {
      return (
        shift(urgent) ??
        shift(lookups) ??
        (creates.size > 0 && mayCreate() ? shift(creates) : undefined)
      );
    },
    get size() {
      return size();
    },
  };
}

function shift(queue: Map<string, Work>): Work | undefined {
  const [first] = queue.values();
  if (first !== undefined) queue.delete(first.key);
  return first;
}

function subjectOf(request: ProviderRequest): string {
  return 'token' in request ? request.token : request.providerId;
}
