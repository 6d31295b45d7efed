/**
 * What waits for a provider, in the order it should be served: deletes, then look-ups, then creates;
 * oldest first among equals. A request repeated while it waits replaces itself.
 *
 * Rules: [PR-13] creates never keep a delete or a look-up waiting; [PR-14] the queue is bounded, and a
 * request that does not fit is answered, not dropped.
 */
import type { Address } from '../machines/model/ids.js';
import type { ProviderMessage } from '../machines/model/messages.js';
import { Queue } from '../src/runtime/queue.js';

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

/** Requests waiting for one provider: every instance of a full node, twice. */
export const PROVIDER_QUEUE_MAX = 200_000;

export function workOf(request: ProviderRequest, { from, cause }: Asker): Work {
  return { key: `${request.type} ${subjectOf(request)}`, from, cause, request };
}

export function createWorkQueue(max = PROVIDER_QUEUE_MAX): WorkQueue {
  const urgent = createLane();
  const lookups = createLane();
  const creates = createLane();
  const size = (): number => urgent.size + lookups.size + creates.size;

  const laneOf = (request: ProviderRequest): Lane => {
    if (request.type === 'provider.delete') return urgent;
    return request.type === 'provider.create' ? creates : lookups;
  };

  return {
    put(work) {
      const lane = laneOf(work.request);
      if (!lane.has(work.key) && size() >= max) return false;
      lane.put(work);
      return true;
    },
    next(mayCreate) {
      return (
        urgent.shift() ??
        lookups.shift() ??
        (creates.size > 0 && mayCreate() ? creates.shift() : undefined)
      );
    },
    get size() {
      return size();
    },
  };
}

interface Lane {
  readonly size: number;
  has(key: string): boolean;
  /** In the place of what waits under its key. */
  put(work: Work): void;
  shift(): Work | undefined;
}

/** A map alone would look past all it ever gave away to find its first. */
function createLane(): Lane {
  const byKey = new Map<string, Work>();
  const order = new Queue<string>();
  return {
    get size() {
      return byKey.size;
    },
    has: (key) => byKey.has(key),
    put: (work) => {
      if (!byKey.has(work.key)) order.push(work.key);
      byKey.set(work.key, work);
    },
    shift: () => {
      const key = order.shift();
      const first = key === undefined ? undefined : byKey.get(key);
      if (key !== undefined) byKey.delete(key);
      return first;
    },
  };
}

function subjectOf(request: ProviderRequest): string {
  return 'token' in request ? request.token : request.providerId;
}
