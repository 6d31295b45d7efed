/**
 * The `exec` provider: an operator's program makes and deletes instances, one process for each call. This
 * is how any cloud is reached. What the program has to keep is docs/EXEC-PROVIDER.md.
 *
 * Deaths and notices are found by reading the list every `pollIntervalMs` while anything is watched.
 *
 * Rules: [PR-1] creates and deletes of one thing are one call at a time; [PR-6] what another installation
 * tagged is refused; [PR-7] nothing beyond `maxInstances`; [PR-30] [PR-31] protocol.ts; [PR-32]
 * sightings.ts; [PR-33] the program sees the documented variables, and of the daemon's own a short list
 * and those passed on by name; [PR-36] a notice is told once for each thing it says.
 */
import type { ProviderFailure } from '../../../machines/model/failures.js';
import type { Json, JsonObject } from '../../../machines/model/json.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { Cancel, Clock } from '../../ports/clock.js';
import type { Failpoints } from '../../ports/failpoints.js';
import type { Log } from '../../ports/log.js';
import type {
  CreateRequest,
  NoticeListener,
  ProvidedInstance,
  Provider,
} from '../../ports/provider.js';
import { type Environment, inherited } from '../proc/environment.js';
import { FRESH_POLLS, INSTANCES_DEFAULT_MAX, LIST_PAGES_MAX } from './limits.js';
import { createPrograms, type Programs } from './program.js';
import {
  type AnsweredInstance,
  type AnswerOf,
  answerOf,
  PROTOCOL_VERSION,
  type Verb,
} from './protocol.js';
import { createSightings, type Sightings } from './sightings.js';

export interface ExecProviderOptions {
  readonly name: string;
  readonly command: readonly string[];
  /** Where it runs, and where a relative path of the command starts. */
  readonly cwd: string;
  readonly installation: string;
  readonly timeoutMs: number;
  readonly pollIntervalMs: number;
  /** Names of the daemon's variables that the program sees too. */
  readonly passEnvironment: readonly string[];
  readonly environment: Environment;
  readonly maxInstances?: number;
  readonly failpoints: Failpoints;
  readonly clock: Clock;
  readonly log: Log;
}

type Answer<T> = Promise<Result<T, ProviderFailure>>;
type Page = { readonly instances: readonly ProvidedInstance[]; readonly next?: string };

export function openExecProvider(options: ExecProviderOptions): Result<Provider, ProviderFailure> {
  const missing = options.passEnvironment.filter((name) => options.environment[name] === undefined);
  if (missing.length === 0) return ok(new ExecProvider(options));
  const message = `exec provider "${options.name}" is to pass on ${missing.join(', ')}, which the daemon's environment does not have`;
  return fail({ code: 'permanent', message });
}

class ExecProvider implements Provider {
  readonly #options: ExecProviderOptions;
  readonly #programs: Programs;
  readonly #seen: Sightings = createSightings();
  readonly #listeners: ((providerId: string, detail: string) => void)[] = [];
  readonly #noticed: NoticeListener[] = [];
  /** Creates and deletes under way: the second asker gets the first one's answer. */
  readonly #creating = new Map<string, Answer<ProvidedInstance>>();
  readonly #deleting = new Map<string, Answer<void>>();
  /** Creates that hold a place under `maxInstances` and are not seen yet. */
  #starting = 0;
  /** The provider's whole list was read once: the count is of all. */
  #counted = false;
  #nextPoll: Cancel | undefined;
  #closed = false;

  constructor(options: ExecProviderOptions) {
    this.#options = options;
    this.#programs = createPrograms(options.clock);
  }

  create(request: CreateRequest): Answer<ProvidedInstance> {
    return once(this.#creating, request.token, async () => {
      const room = await this.#room(request.token);
      if (!room.ok || room.value !== undefined) return room as Result<ProvidedInstance, never>;
      this.#starting += 1;
      try {
        return await this.#make(request);
      } finally {
        this.#starting -= 1;
      }
    });
  }

  delete(providerId: string): Answer<void> {
    return once(this.#deleting, providerId, async () => {
      // A death that was asked for is not news.
      const watched = this.#seen.isWatched(providerId);
      this.#seen.unwatch(providerId);
      this.#options.failpoints.hit('provider.delete.before');
      const deleted = await this.#call('delete', { providerId });
      this.#options.failpoints.hit('provider.delete.after');
      if (deleted.ok || deleted.failure.code === 'not-found') {
        this.#seen.gone(providerId);
        return ok(undefined);
      }
      if (watched) this.#follow(providerId);
      return deleted;
    });
  }

  async status(providerId: string): Answer<ProvidedInstance> {
    const answered = await this.#call('status', { providerId });
    return answered.ok ? this.#own(answered.value.instance) : answered;
  }

  async list(installation: string, page?: string): Answer<Page> {
    const asked: JsonObject = page === undefined ? { installation } : { installation, page };
    const answered = await this.#call('list', asked);
    if (!answered.ok) return answered;
    const { next } = answered.value;
    const ours = answered.value.instances
      .filter((one) => one.tags.installation === installation)
      .map((one) => this.#told(one));
    return ok({ instances: ours, ...(next == null ? {} : { next }) });
  }

  async findByToken(token: string): Answer<ProvidedInstance | undefined> {
    // What is being made would be absent one moment and there the next.
    await this.#creating.get(token);
    return this.#find(token);
  }

  onExit(listener: (providerId: string, detail: string) => void): void {
    this.#listeners.push(listener);
  }

  onNotice(listener: NoticeListener): void {
    this.#noticed.push(listener);
  }

  async watch(providerId: string): Answer<void> {
    const { pollIntervalMs, clock } = this.#options;
    const sighting = this.#seen.fresh(providerId, this.#now() - FRESH_POLLS * pollIntervalMs);
    let state = sighting?.state;
    if (state === undefined) {
      const found = await this.status(providerId);
      if (!found.ok) return found;
      state = found.value.state;
    }
    this.#follow(providerId);
    if (state === 'terminal')
      clock.soon(() => this.#died(providerId, 'the provider says terminal'));
    return ok(undefined);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#nextPoll?.();
    this.#programs.close();
    await Promise.allSettled([...this.#creating.values(), ...this.#deleting.values()]);
  }

  async #find(token: string): Answer<ProvidedInstance | undefined> {
    const answered = await this.#call('find', { token });
    if (!answered.ok) return answered;
    const { instance } = answered.value;
    return instance === null ? ok(undefined) : this.#own(instance);
  }

  async #make({ token, template, tags, port, agent }: CreateRequest): Answer<ProvidedInstance> {
    const { name, spec, vars } = template;
    const asked: JsonObject = {
      token,
      template: { name, spec, vars },
      tags: { ...tags },
      ...(port === undefined ? {} : { port }),
      ...(agent === undefined ? {} : { agent: { ...agent } }),
    };
    this.#options.failpoints.hit('provider.create.before');
    const answered = await this.#call('create', asked);
    this.#options.failpoints.hit('provider.create.after');
    if (!answered.ok) return answered;
    const { instance } = answered.value;
    if (instance.token !== token) return fail(anotherToken(this.#who(), instance.token));
    const made = this.#own(instance);
    if (made.ok) this.#follow(instance.providerId);
    return made;
  }

  /** Nothing: there is room. An instance: this token has one already. */
  async #room(token: string): Answer<ProvidedInstance | undefined> {
    const max = this.#options.maxInstances ?? INSTANCES_DEFAULT_MAX;
    if (!this.#counted) {
      const all = await this.#listAll();
      if (!all.ok) return all;
    }
    if (this.#seen.size + this.#starting < max) return ok(undefined);
    const found = await this.#find(token);
    if (!found.ok || found.value !== undefined) return found;
    const message = `${this.#who()} is at its ${max} instances: delete some or raise its maxInstances`;
    return fail({ code: 'quota', message });
  }

  async #listAll(): Answer<ReadonlySet<string>> {
    const listed = new Set<string>();
    let page: string | undefined;
    for (let pages = 0; pages < LIST_PAGES_MAX && !this.#closed; pages += 1) {
      const read = await this.list(this.#options.installation, page);
      if (!read.ok) return read;
      for (const { providerId, state } of read.value.instances) {
        listed.add(providerId);
        if (state === 'terminal') this.#died(providerId, 'the provider says terminal');
      }
      page = read.value.next;
      if (page === undefined) {
        this.#counted = true;
        this.#seen.sawAll(listed);
        return ok(listed);
      }
    }
    return fail({ code: 'unavailable', message: `${this.#who()}: its list does not end` });
  }

  #follow(providerId: string): void {
    this.#seen.watch(providerId);
    this.#plan();
  }

  #plan(): void {
    if (this.#nextPoll !== undefined || this.#closed) return;
    const { clock, pollIntervalMs } = this.#options;
    this.#nextPoll = clock.after(pollIntervalMs, () => void this.#poll());
  }

  async #poll(): Promise<void> {
    const before = this.#seen.watched;
    const listed = before.length === 0 ? ok(new Set<string>()) : await this.#listAll();
    if (listed.ok) await this.#lookFor(before.filter((id) => !listed.value.has(id)));
    else if (!this.#closed) {
      this.#options.log.warn(
        { provider: this.#options.name, failure: listed.failure },
        'poll failed',
      );
    }
    this.#nextPoll = undefined;
    if (this.#seen.watched.length > 0) this.#plan();
  }

  /** Missing in a list that should have them: they are asked for one by one. */
  async #lookFor(missing: readonly string[]): Promise<void> {
    for (const providerId of missing) {
      if (this.#closed) return;
      if (!this.#seen.isWatched(providerId)) continue;
      const found = await this.status(providerId);
      const gone = !found.ok && found.failure.code === 'not-found';
      if (gone && this.#seen.strike(providerId)) {
        this.#seen.gone(providerId);
        this.#died(providerId, 'the provider does not know it any more');
      } else if (found.ok && found.value.state === 'terminal') {
        this.#died(providerId, 'the provider says terminal');
      }
    }
  }

  #died(providerId: string, detail: string): void {
    if (this.#closed || !this.#seen.isWatched(providerId)) return;
    this.#seen.unwatch(providerId);
    for (const listener of this.#listeners) listener(providerId, detail);
  }

  #own(answered: AnsweredInstance): Result<ProvidedInstance, ProviderFailure> {
    const { installation } = answered.tags;
    if (installation !== this.#options.installation) {
      const message = `${this.#who()}: ${answered.providerId} belongs to installation "${installation}"`;
      return fail({ code: 'permanent', message });
    }
    return ok(this.#told(answered));
  }

  /** Notes it, and passes on what its cloud says of its host's end. */
  #told({ notice, ...instance }: AnsweredInstance): ProvidedInstance {
    this.#seen.saw(instance, this.#now());
    if (notice == null || this.#closed) return instance;
    const { id, deadline } = notice;
    const deadlineMs = deadline == null ? {} : { deadlineMs: Date.parse(deadline) };
    if (!this.#seen.isNews(instance.providerId, `${id} ${deadline ?? ''}`)) return instance;
    for (const listener of this.#noticed) listener(instance.providerId, { id, ...deadlineMs });
    return instance;
  }

  async #call<V extends Verb>(verb: V, asked: JsonObject): Answer<AnswerOf<V>> {
    const { name, command, cwd, installation, timeoutMs, environment, passEnvironment } =
      this.#options;
    const request: Record<string, Json> = {
      version: PROTOCOL_VERSION,
      verb,
      provider: name,
      installation,
      ...asked,
    };
    const env = inherited(environment, passEnvironment);
    const variables = { SWITCHYARD_PROVIDER: name, SWITCHYARD_TIMEOUT_MS: String(timeoutMs) };
    const stdin = JSON.stringify(request);
    const call = { command, verb, stdin, cwd, env: { ...env, ...variables }, timeoutMs };
    return answerOf(this.#who(), verb, await this.#programs.run(call));
  }

  #who(): string {
    return `exec provider "${this.#options.name}"`;
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }
}

/** Joins a call about `key` that is under way, or makes it. */
function once<T>(calls: Map<string, Answer<T>>, key: string, make: () => Answer<T>): Answer<T> {
  const underway = calls.get(key);
  if (underway !== undefined) return underway;
  const call = make().finally(() => calls.delete(key));
  calls.set(key, call);
  return call;
}

function anotherToken(who: string, token: string): ProviderFailure {
  const message = `${who}: create answered an instance of another token ("${token.slice(0, 60)}")`;
  return { code: 'unavailable', message };
}
