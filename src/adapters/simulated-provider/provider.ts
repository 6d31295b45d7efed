/**
 * The `simulated` provider: instances that exist in memory only, with latencies and failures on
 * request. For tests, and for trying a configuration without starting anything.
 *
 * Input: a `World`, which outlives the provider as a cloud outlives the daemon, and which a script
 * steers: what dies, what fails next, how long calls take. Keeps the contract of every provider.
 */
import type { ProviderFailure } from '../../../machines/model/failures.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { Clock } from '../../ports/clock.js';
import type { CreateRequest, ProvidedInstance, Provider } from '../../ports/provider.js';

export type SimulatedCall = 'create' | 'delete' | 'status' | 'list' | 'findByToken' | 'watch';

export interface SimulatedWorld {
  readonly instances: Map<string, ProvidedInstance>;
  /** How long a call takes. */
  latencyMs: Partial<Record<SimulatedCall, number>>;
  /** The next calls of a kind fail with these, first one first; `lost` does its work and fails then. */
  readonly failures: { call: SimulatedCall; failure: ProviderFailure; lost?: boolean }[];
  /** Calls so far, in order. */
  readonly calls: { readonly call: SimulatedCall; readonly subject: string }[];
  /** Ends an instance from outside. */
  kill(providerId: string, detail: string): void;
}

interface InnerWorld extends SimulatedWorld {
  readonly watchers: Map<string, (detail: string) => void>;
  created: number;
}

export interface SimulatedProviderOptions {
  readonly world: SimulatedWorld;
  readonly clock: Clock;
  readonly maxInstances?: number;
}

/** Instances of one answer of `list`. */
const PAGE_INSTANCES = 4;

type Answer<T> = Promise<Result<T, ProviderFailure>>;

export function createSimulatedWorld(): SimulatedWorld {
  const world: InnerWorld = {
    instances: new Map(),
    watchers: new Map(),
    latencyMs: {},
    failures: [],
    calls: [],
    created: 0,
    kill(providerId, detail) {
      const instance = world.instances.get(providerId);
      if (instance === undefined || instance.state === 'terminal') return;
      world.instances.set(providerId, { ...instance, state: 'terminal' });
      world.watchers.get(providerId)?.(detail);
    },
  };
  return world;
}

export function openSimulatedProvider(options: SimulatedProviderOptions): Provider {
  return new SimulatedProvider(options);
}

class SimulatedProvider implements Provider {
  readonly #world: InnerWorld;
  readonly #clock: Clock;
  readonly #maxInstances: number;
  readonly #listeners: ((providerId: string, detail: string) => void)[] = [];

  constructor(options: SimulatedProviderOptions) {
    this.#world = options.world as InnerWorld;
    this.#clock = options.clock;
    this.#maxInstances = options.maxInstances ?? Number.POSITIVE_INFINITY;
  }

  create(request: CreateRequest): Answer<ProvidedInstance> {
    return this.#call('create', request.token, () => {
      const existing = this.#byToken(request.token);
      if (existing !== undefined) return ok(existing);
      if (this.#world.instances.size >= this.#maxInstances) return fail(quota(this.#maxInstances));
      const made = instanceOf(request, this.#world.created++);
      this.#world.instances.set(made.providerId, made);
      this.#follow(made.providerId);
      return ok(made);
    });
  }

  delete(providerId: string): Answer<void> {
    return this.#call('delete', providerId, () => {
      this.#world.watchers.delete(providerId);
      this.#world.instances.delete(providerId);
      return ok(undefined);
    });
  }

  status(providerId: string): Answer<ProvidedInstance> {
    return this.#call('status', providerId, () => {
      const instance = this.#world.instances.get(providerId);
      return instance === undefined ? fail(notFound(providerId)) : ok(instance);
    });
  }

  list(
    installation: string,
    page = '',
  ): Answer<{ readonly instances: readonly ProvidedInstance[]; readonly next?: string }> {
    return this.#call('list', page, () => {
      const later = [...this.#world.instances.values()]
        .filter(({ tags, providerId }) => tags.installation === installation && providerId > page)
        .sort((a, b) => (a.providerId < b.providerId ? -1 : 1));
      const instances = later.slice(0, PAGE_INSTANCES);
      const next = later.length > instances.length ? instances.at(-1)?.providerId : undefined;
      return ok({ instances, ...(next === undefined ? {} : { next }) });
    });
  }

  findByToken(token: string): Answer<ProvidedInstance | undefined> {
    return this.#call('findByToken', token, () => ok(this.#byToken(token)));
  }

  onExit(listener: (providerId: string, detail: string) => void): void {
    this.#listeners.push(listener);
  }

  watch(providerId: string): Answer<void> {
    return this.#call('watch', providerId, () => {
      const instance = this.#world.instances.get(providerId);
      if (instance === undefined) return fail(notFound(providerId));
      this.#follow(providerId);
      if (instance.state === 'terminal') this.#clock.soon(() => this.#died(providerId, 'is dead'));
      return ok(undefined);
    });
  }

  async close(): Promise<void> {
    this.#world.watchers.clear();
  }

  #follow(providerId: string): void {
    this.#world.watchers.set(providerId, (detail) => this.#died(providerId, detail));
  }

  #died(providerId: string, detail: string): void {
    if (!this.#world.watchers.delete(providerId)) return;
    for (const listener of this.#listeners) listener(providerId, detail);
  }

  #byToken(token: string): ProvidedInstance | undefined {
    return [...this.#world.instances.values()].find((instance) => instance.token === token);
  }

  async #call<T>(
    call: SimulatedCall,
    subject: string,
    work: () => Result<T, ProviderFailure>,
  ): Answer<T> {
    this.#world.calls.push({ call, subject });
    const planned = this.#world.failures.findIndex((entry) => entry.call === call);
    const [failing] = planned < 0 ? [] : this.#world.failures.splice(planned, 1);
    await this.#pass(this.#world.latencyMs[call] ?? 0);
    if (failing === undefined) return work();
    if (failing.lost === true) work();
    return fail(failing.failure);
  }

  #pass(durationMs: number): Promise<void> {
    if (durationMs === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#clock.after(durationMs, resolve);
    });
  }
}

function instanceOf(request: CreateRequest, index: number): ProvidedInstance {
  return {
    providerId: `sim-${index.toString().padStart(8, '0')}`,
    token: request.token,
    address: `127.64.${(index >> 8) & 0xff}.${index & 0xff}`,
    state: 'running',
    tags: request.tags,
  };
}

function notFound(providerId: string): ProviderFailure {
  return { code: 'not-found', message: `there is no simulated instance ${providerId}` };
}

function quota(max: number): ProviderFailure {
  return { code: 'quota', message: `the simulated provider is at its ${max} instances` };
}
