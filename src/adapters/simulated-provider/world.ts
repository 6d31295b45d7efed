/**
 * The world behind a simulated provider: its instances, and the hand that steers them. It outlives the
 * provider, as a cloud outlives the daemon; whoever plays fate may write into `instances` directly.
 */
import type { TerminationNotice } from '../../../machines/model/agent.js';
import type { ProviderFailure } from '../../../machines/model/failures.js';
import type { SimulatedCall } from '../../../machines/model/provider-script.js';
import type { CreateRequest, NoticeListener, ProvidedInstance } from '../../ports/provider.js';

export interface SimulatedWorld {
  readonly instances: Map<string, ProvidedInstance>;
  /** How long a call takes; over the script's. */
  latencyMs: Partial<Record<SimulatedCall, number>>;
  /** The next calls of a kind fail with these, first one first; `lost` does its work and fails then. */
  readonly failures: { call: SimulatedCall; failure: ProviderFailure; lost?: boolean }[];
  /** The latest calls, in order. */
  readonly calls: { readonly call: SimulatedCall; readonly subject: string }[];
  /** Ends an instance from outside. */
  kill(providerId: string, detail: string): void;
  /** Gives notice that an instance is going to be ended. */
  notify(providerId: string, notice: TerminationNotice): void;
}

export interface InnerWorld extends SimulatedWorld {
  readonly watchers: Map<string, (detail: string) => void>;
  readonly listeners: Set<NoticeListener>;
  make(request: CreateRequest): ProvidedInstance;
  remove(providerId: string): void;
  byToken(token: string): ProvidedInstance | undefined;
  /** Ids behind this one, ascending. */
  idsAfter(id: string): readonly string[];
}

export function createInnerWorld(): InnerWorld {
  const instances = new Map<string, ProvidedInstance>();
  /** Of what was made here; something put in by hand is found by looking at all. */
  const idOfToken = new Map<string, string>();
  let created = 0;
  let sorted: readonly string[] = [];

  const world: InnerWorld = {
    instances,
    watchers: new Map(),
    listeners: new Set(),
    latencyMs: {},
    failures: [],
    calls: [],
    kill: (providerId, detail) => {
      const instance = instances.get(providerId);
      if (instance === undefined || instance.state === 'terminal') return;
      instances.set(providerId, { ...instance, state: 'terminal' });
      world.watchers.get(providerId)?.(detail);
    },
    notify: (providerId, notice) => {
      if (!instances.has(providerId)) return;
      for (const listener of [...world.listeners]) listener(providerId, notice);
    },
    make: (request) => {
      const made = instanceOf(request, created);
      created += 1;
      instances.set(made.providerId, made);
      idOfToken.set(made.token, made.providerId);
      return made;
    },
    remove: (providerId) => {
      const instance = instances.get(providerId);
      if (instance === undefined) return;
      instances.delete(providerId);
      idOfToken.delete(instance.token);
    },
    byToken: (token) => {
      const id = idOfToken.get(token);
      if (id !== undefined) return instances.get(id);
      if (instances.size <= idOfToken.size) return undefined;
      return [...instances.values()].find((instance) => instance.token === token);
    },
    idsAfter: (id) => {
      // A list is read page by page: it is put in order once, at its beginning.
      if (id === '' || sorted.length === 0) sorted = [...instances.keys()].sort();
      return sorted.slice(firstAfter(sorted, id));
    },
  };
  return world;
}

function firstAfter(sorted: readonly string[], id: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? '') <= id) low = middle + 1;
    else high = middle;
  }
  return low;
}

function instanceOf(request: CreateRequest, index: number): ProvidedInstance {
  return {
    providerId: `sim-${index.toString().padStart(8, '0')}`,
    token: request.token,
    address: `127.${64 + ((index >> 16) & 63)}.${(index >> 8) & 0xff}.${index & 0xff}`,
    state: 'running',
    tags: request.tags,
  };
}
