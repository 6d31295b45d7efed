/**
 * The `simulated` provider: instances that exist in memory only, with latencies, failures, notices and
 * deaths on request. For tests, for benches, and for trying a configuration without starting anything.
 *
 * Input: a `World`, which outlives the provider as a cloud outlives the daemon, and which a test steers:
 * what dies, what fails next, how long calls take; and a script, which does the same by itself. Keeps the
 * contract of every provider.
 */

import type { TerminationNotice } from '../../../machines/model/agent.js';
import type { ProviderFailure } from '../../../machines/model/failures.js';
import {
  NO_SCRIPT,
  type ProviderScript,
  type SimulatedCall,
} from '../../../machines/model/provider-script.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { Clock } from '../../ports/clock.js';
import type {
  CreateRequest,
  NoticeListener,
  ProvidedInstance,
  Provider,
} from '../../ports/provider.js';
import { type Played, play } from './script.js';
import { createInnerWorld, type InnerWorld, type SimulatedWorld } from './world.js';

export type { SimulatedWorld } from './world.js';

export interface SimulatedProviderOptions {
  readonly world: SimulatedWorld;
  readonly clock: Clock;
  readonly maxInstances?: number;
  readonly script?: ProviderScript;
  /** Instances of one answer of `list`. */
  readonly pageSize?: number;
}

const PAGE_INSTANCES = 1_000;

type Answer<T> = Promise<Result<T, ProviderFailure>>;
type Page = { readonly instances: readonly ProvidedInstance[]; readonly next?: string };

export function createSimulatedWorld(): SimulatedWorld {
  return createInnerWorld();
}

export function openSimulatedProvider(options: SimulatedProviderOptions): Provider {
  return new SimulatedProvider(options);
}

class SimulatedProvider implements Provider {
  readonly #world: InnerWorld;
  readonly #clock: Clock;
  readonly #maxInstances: number;
  readonly #pageSize: number;
  readonly #script: ProviderScript;
  readonly #played: Played;
  readonly #listeners: ((providerId: string, detail: string) => void)[] = [];
  readonly #noticed: NoticeListener[] = [];
  #closed = false;

  constructor(options: SimulatedProviderOptions) {
    this.#world = options.world as InnerWorld;
    this.#clock = options.clock;
    this.#maxInstances = options.maxInstances ?? Number.POSITIVE_INFINITY;
    this.#pageSize = options.pageSize ?? PAGE_INSTANCES;
    this.#script = options.script ?? NO_SCRIPT;
    this.#played = play(this.#script);
    this.#world.listeners.add(this.#tellNotice);
  }

  create(request: CreateRequest): Answer<ProvidedInstance> {
    return this.#call('create', request.token, () => {
      const existing = this.#world.byToken(request.token);
      if (existing !== undefined) return ok(existing);
      if (this.#world.instances.size >= this.#maxInstances) return fail(quota(this.#maxInstances));
      const made = this.#world.make(request);
      this.#follow(made.providerId);
      this.#scheduleFate(made.providerId);
      return ok(made);
    });
  }

  delete(providerId: string): Answer<void> {
    return this.#call('delete', providerId, () => {
      this.#world.watchers.delete(providerId);
      this.#world.remove(providerId);
      return ok(undefined);
    });
  }

  status(providerId: string): Answer<ProvidedInstance> {
    return this.#call('status', providerId, () => {
      const instance = this.#world.instances.get(providerId);
      return instance === undefined ? fail(notFound(providerId)) : ok(instance);
    });
  }

  list(installation: string, page = ''): Answer<Page> {
    return this.#call('list', page, () => {
      const ids = this.#world.idsAfter(page);
      const ours: ProvidedInstance[] = [];
      let next: string | undefined;
      for (const id of ids) {
        const instance = this.#world.instances.get(id);
        if (instance?.tags.installation !== installation) continue;
        if (ours.length === this.#pageSize) {
          next = ours.at(-1)?.providerId;
          break;
        }
        ours.push(instance);
      }
      return ok({ instances: ours, ...(next === undefined ? {} : { next }) });
    });
  }

  findByToken(token: string): Answer<ProvidedInstance | undefined> {
    return this.#call('find', token, () => ok(this.#world.byToken(token)));
  }

  onExit(listener: (providerId: string, detail: string) => void): void {
    this.#listeners.push(listener);
  }

  onNotice(listener: NoticeListener): void {
    this.#noticed.push(listener);
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
    this.#closed = true;
    this.#world.watchers.clear();
    this.#world.listeners.delete(this.#tellNotice);
  }

  readonly #tellNotice = (providerId: string, notice: TerminationNotice): void => {
    if (this.#closed) return;
    for (const listener of this.#noticed) listener(providerId, notice);
  };

  /** What the script has in store for a new instance. The world goes on without the daemon. */
  #scheduleFate(providerId: string): void {
    const { spot, diesAfterMs } = this.#script;
    const world = this.#world;
    if (diesAfterMs !== undefined) {
      this.#clock.after(diesAfterMs, () => world.kill(providerId, 'scripted death'));
    }
    if (spot === undefined) return;
    this.#clock.after(spot.afterMs, () => {
      const deadlineMs = this.#clock.now() + spot.warningMs;
      world.notify(providerId, { id: `spot-${providerId}`, deadlineMs });
      this.#clock.after(spot.warningMs, () => world.kill(providerId, 'its time was up'));
    });
  }

  #follow(providerId: string): void {
    this.#world.watchers.set(providerId, (detail) => this.#died(providerId, detail));
  }

  #died(providerId: string, detail: string): void {
    if (!this.#world.watchers.delete(providerId)) return;
    for (const listener of this.#listeners) listener(providerId, detail);
  }

  async #call<T>(
    call: SimulatedCall,
    subject: string,
    work: () => Result<T, ProviderFailure>,
  ): Answer<T> {
    const { calls, failures, latencyMs } = this.#world;
    calls.push({ call, subject });
    if (calls.length > CALLS_KEPT_MAX) calls.splice(0, calls.length - CALLS_KEPT_MAX / 2);
    const planned = failures.findIndex((entry) => entry.call === call);
    const [ordered] = planned < 0 ? [] : failures.splice(planned, 1);
    const failing = ordered ?? this.#played.next(call);
    await this.#pass(latencyMs[call] ?? this.#script.latencyMs[call] ?? 0);
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

/** Calls that are remembered, for tests: a bench makes far more. */
const CALLS_KEPT_MAX = 100_000;

function notFound(providerId: string): ProviderFailure {
  return { code: 'not-found', message: `there is no simulated instance ${providerId}` };
}

function quota(max: number): ProviderFailure {
  return { code: 'quota', message: `the simulated provider is at its ${max} instances` };
}
