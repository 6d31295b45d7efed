/**
 * The `process` provider: every instance is a local process that outlives this daemon. Needs nothing
 * but Linux, runs as root and as anybody.
 *
 * Its directory is its memory: one folder per instance (records.ts) and the walk through the addresses
 * (addresses.ts). It has one owner at a time; opening it settles what a crash left half done.
 *
 * Rules: [PR-1] one token, one process, whatever crashed in between; [PR-5] absent means looked for and
 * not there; [PR-6] what another installation tagged is refused; [PR-7] nothing beyond `maxInstances`.
 */
import type { ProviderFailure } from '../../../machines/model/failures.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { Cancel, Clock } from '../../ports/clock.js';
import type { Failpoints } from '../../ports/failpoints.js';
import type { Log } from '../../ports/log.js';
import type { CreateRequest, ProvidedInstance, Provider } from '../../ports/provider.js';
import { isRunning, type ProcessIdentity } from '../proc/processes.js';
import { type Addresses, openAddresses } from './addresses.js';
import { launch } from './launch.js';
import { makeLifeline } from './lifeline.js';
import { INSTANCES_DEFAULT_MAX, LIST_PAGE_INSTANCES } from './limits.js';
import { keepOutputsShort } from './output.js';
import { type InstanceRecord, idOfToken, openRecords, type RecordStore } from './records.js';
import { type Settled, settle } from './settle.js';
import { type LaunchPlan, launchPlan } from './spec.js';
import { stopGroup } from './stop.js';
import { openWatches, type Watches } from './watches.js';

export interface ProcessProviderOptions {
  readonly dir: string;
  /** Where a relative `spec.cwd` starts: the directory of the config file. */
  readonly baseDir: string;
  readonly installation: string;
  readonly maxInstances?: number;
  readonly failpoints: Failpoints;
  readonly clock: Clock;
  readonly log: Log;
}

type Answer<T> = Promise<Result<T, ProviderFailure>>;

export async function openProcessProvider(options: ProcessProviderOptions): Answer<Provider> {
  return answering(async () => {
    const records = openRecords(options.dir);
    return ok(new ProcessProvider(options, records, await settle(records, options)));
  });
}

class ProcessProvider implements Provider {
  readonly #options: ProcessProviderOptions;
  readonly #store: RecordStore;
  readonly #records: Map<string, InstanceRecord>;
  readonly #unclear: readonly string[];
  readonly #addresses: Addresses;
  readonly #watches: Watches;
  readonly #stopKeeping: Cancel;
  readonly #listeners: ((providerId: string, detail: string) => void)[] = [];
  /** Creates and deletes under way, by instance: the second asker gets the first one's answer. */
  readonly #creating = new Map<string, Answer<ProvidedInstance>>();
  readonly #deleting = new Map<string, Answer<void>>();
  /** Creates that hold a place under `maxInstances` but no record yet. */
  #starting = 0;
  /** Addresses are taken one at a time. */
  #lastTaken: Promise<unknown> = Promise.resolve();

  constructor(options: ProcessProviderOptions, store: RecordStore, settled: Settled) {
    this.#options = options;
    this.#store = store;
    this.#records = new Map(settled.records);
    this.#unclear = settled.unclear;
    this.#addresses = openAddresses(options.dir, `${options.dir} ${options.clock.now()}`);
    this.#watches = openWatches({
      clock: options.clock,
      log: options.log,
      onDeath: (id, detail) => {
        for (const listener of this.#listeners) listener(id, detail);
      },
    });
    this.#stopKeeping = keepOutputsShort({
      clock: options.clock,
      log: options.log,
      paths: () => [...this.#records.keys()].map((id) => store.logPath(id)),
    });
  }

  create(request: CreateRequest): Answer<ProvidedInstance> {
    const id = idOfToken(request.token);
    return once(this.#creating, id, async (): Answer<ProvidedInstance> => {
      await this.#deleting.get(id);
      const existing = this.#records.get(id);
      if (existing !== undefined) return this.#owned(existing, provided);
      if (this.#unclear.includes(id)) return fail(this.#unclearFailure());
      return this.#make(id, request);
    });
  }

  delete(providerId: string): Answer<void> {
    return once(this.#deleting, providerId, async () => {
      await this.#creating.get(providerId);
      const record = this.#records.get(providerId);
      if (this.#unclear.includes(providerId)) return fail(this.#unclearFailure());
      if (record === undefined) return ok(undefined);
      const owned = this.#owned(record, () => undefined);
      return owned.ok ? this.#unmake(record) : owned;
    });
  }

  status(providerId: string): Answer<ProvidedInstance> {
    return answering(async () => {
      const record = this.#records.get(providerId);
      return record === undefined ? fail(notFound(providerId)) : this.#owned(record, provided);
    });
  }

  list(
    installation: string,
    page = '',
  ): Answer<{ readonly instances: readonly ProvidedInstance[]; readonly next?: string }> {
    return answering(async () => {
      if (this.#unclear.length > 0) return fail(this.#unclearFailure());
      const later = [...this.#records.values()]
        .filter((record) => record.tags.installation === installation && record.id > page)
        .sort((a, b) => (a.id < b.id ? -1 : 1));
      const instances = later.slice(0, LIST_PAGE_INSTANCES).map(provided);
      const next = later.length > instances.length ? instances.at(-1)?.providerId : undefined;
      return ok({ instances, ...(next === undefined ? {} : { next }) });
    });
  }

  findByToken(token: string): Answer<ProvidedInstance | undefined> {
    return answering(async (): Answer<ProvidedInstance | undefined> => {
      const id = idOfToken(token);
      await this.#creating.get(id);
      await this.#deleting.get(id);
      const record = this.#records.get(id);
      if (record !== undefined) return this.#owned(record, provided);
      return this.#unclear.includes(id) ? fail(this.#unclearFailure()) : ok(undefined);
    });
  }

  onExit(listener: (providerId: string, detail: string) => void): void {
    this.#listeners.push(listener);
  }

  watch(providerId: string): Answer<void> {
    return answering(async () => {
      const record = this.#records.get(providerId);
      if (record?.process === undefined) return fail(notFound(providerId));
      if (!this.#watches.isWatched(providerId)) this.#watchStranger(record, record.process);
      return ok(undefined);
    });
  }

  async close(): Promise<void> {
    this.#stopKeeping();
    this.#watches.stopAll();
    await Promise.allSettled([...this.#creating.values(), ...this.#deleting.values()]);
    this.#watches.stopAll();
  }

  async #make(id: string, request: CreateRequest): Answer<ProvidedInstance> {
    const max = this.#options.maxInstances ?? INSTANCES_DEFAULT_MAX;
    if (this.#records.size + this.#starting >= max) return fail(quota(max));
    this.#starting += 1;
    try {
      const address = await this.#takeAddress();
      const { baseDir } = this.#options;
      const plan = launchPlan(request, address, { baseDir, environment: process.env });
      return plan.ok
        ? await this.#start(recordOf(id, request, address, plan.value), plan.value)
        : plan;
    } finally {
      this.#starting -= 1;
      if (!this.#records.has(id)) await this.#store.remove(id);
    }
  }

  /** Record, process, record: a crash in between is settled by the next open. */
  async #start(record: InstanceRecord, plan: LaunchPlan): Answer<ProvidedInstance> {
    const { id } = record;
    const lifeline = this.#store.lifelinePath(id);
    await this.#store.remove(id);
    await this.#store.write(record);
    await makeLifeline(lifeline);
    this.#options.failpoints.hit('provider.create.before');
    const launched = await launch(plan, { log: this.#store.logPath(id), lifeline });
    if (!launched.ok) return launched;
    this.#options.failpoints.hit('provider.create.after');
    const complete = { ...record, process: launched.value.identity };
    // Known from here on, whether or not the disk takes the second half of the record.
    this.#records.set(id, complete);
    await this.#store.write(complete);
    this.#watches.watchChild(id, launched.value.child);
    return ok(provided(complete));
  }

  async #unmake(record: InstanceRecord): Answer<void> {
    const { id, process: identity } = record;
    this.#options.failpoints.hit('provider.delete.before');
    // A death that was asked for is not news.
    this.#watches.stop(id);
    if (identity !== undefined) {
      const stopped = await stopGroup(identity, record.stopGraceMs, this.#options.clock);
      if (!stopped) {
        this.#watchStranger(record, identity);
        return fail(undying(identity));
      }
    }
    await this.#store.remove(id);
    this.#records.delete(id);
    this.#options.failpoints.hit('provider.delete.after');
    return ok(undefined);
  }

  #takeAddress(): Promise<string> {
    const taken = this.#lastTaken.then(() => {
      const used = new Set([...this.#records.values()].map(({ address }) => address));
      return this.#addresses.take((address) => used.has(address));
    });
    this.#lastTaken = taken.catch(() => undefined);
    return taken;
  }

  #watchStranger(record: InstanceRecord, identity: ProcessIdentity): void {
    this.#watches.watchStranger(record.id, identity, this.#store.lifelinePath(record.id));
  }

  #owned<T>(
    record: InstanceRecord,
    use: (record: InstanceRecord) => T,
  ): Result<T, ProviderFailure> {
    const { installation } = record.tags;
    if (installation === this.#options.installation) return ok(use(record));
    const message = `instance ${record.id} belongs to installation "${installation}"; give this installation a data directory of its own`;
    return fail({ code: 'permanent', message });
  }

  #unclearFailure(): ProviderFailure {
    const message = `the records of ${this.#unclear.join(', ')} in ${this.#options.dir} are unreadable while their processes live: stop those processes and restart`;
    return { code: 'unavailable', message };
  }
}

/** Joins a call about `key` that is under way, or makes it. */
function once<T>(calls: Map<string, Answer<T>>, key: string, make: () => Answer<T>): Answer<T> {
  const underway = calls.get(key);
  if (underway !== undefined) return underway;
  const call = answering(make).finally(() => calls.delete(key));
  calls.set(key, call);
  return call;
}

/**
 * What the operating system refuses carries a code and is an answer (ignorance); anything else is a
 * bug and rejects.
 */
async function answering<T>(make: () => Answer<T>): Answer<T> {
  try {
    return await make();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return fail({ code: 'unavailable', message: (error as Error).message });
  }
}

function recordOf(
  id: string,
  request: CreateRequest,
  address: string,
  plan: LaunchPlan,
): InstanceRecord {
  const { token, tags } = request;
  return { version: 1, id, token, address, stopGraceMs: plan.stopGraceMs, tags };
}

function provided(record: InstanceRecord): ProvidedInstance {
  const running = record.process !== undefined && isRunning(record.process);
  return {
    providerId: record.id,
    token: record.token,
    address: record.address,
    state: running ? 'running' : 'terminal',
    tags: record.tags,
  };
}

function notFound(providerId: string): ProviderFailure {
  return { code: 'not-found', message: `there is no process instance ${providerId}` };
}

function quota(max: number): ProviderFailure {
  const message = `the provider is at its ${max} instances: delete some or raise its maxInstances`;
  return { code: 'quota', message };
}

function undying({ pid }: ProcessIdentity): ProviderFailure {
  const message = `process group ${pid} survived SIGKILL, so far: it waits for the kernel or a device`;
  return { code: 'unavailable', message };
}
