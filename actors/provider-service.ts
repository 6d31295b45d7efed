/**
 * A provider, as the actors know it: `provider/<name>`, one per provider of the config. Instances ask
 * for creates, deletes and look-ups and are told what came of them; every instance is watched and its
 * death told to `instance/<id>`, whoever started it.
 *
 * Not a machine: it decides nothing, it only paces. Requests wait in a bounded queue until the settings
 * have come and the driver is open; new settings reopen the driver when what it is doing has ended.
 *
 * Rules: [PR-13] deletes and look-ups never wait for creates; [PR-14] bounded; [PR-15] answered;
 * [PR-16] at most `concurrency` calls at once, creates at most `createRate` a second.
 */
import type { TerminationNotice } from '../machines/model/agent.js';
import type { ProviderFailure } from '../machines/model/failures.js';
import { type Address, addressOf, keyOf, kindOf } from '../machines/model/ids.js';
import type { JsonObject } from '../machines/model/json.js';
import type {
  InstanceMessage,
  ProviderMessage,
  ProviderSettings,
} from '../machines/model/messages.js';
import type { Result } from '../machines/model/result.js';
import { isSameJson } from '../machines/model/same.js';
import type { Cancel } from '../src/ports/clock.js';
import type { ProvidedInstance, Provider } from '../src/ports/provider.js';
import type { Store } from '../src/ports/store.js';
import type { Scope, Service, ServiceScope, ServiceType } from '../src/runtime/actor-type.js';
import {
  type Called,
  callProvider,
  failedAnswer,
  type Gifts,
  type ProviderAnswer,
} from './provider-calls.js';
import { createPace, type Pace } from './provider-pace.js';
import {
  type Asker,
  createWorkQueue,
  type Work,
  type WorkQueue,
  workOf,
} from './provider-queue.js';
import { listAll, type SweepResult, sweepProvider } from './provider-sweep.js';

export interface ProviderPorts extends Gifts {
  /** Whether this node may act for its fleet at this moment; absent: it is its own. */
  mayAct?(): boolean;
  /** Whose rows say what is known. */
  readonly store: Pick<Store, 'loadFamily'>;
  openProvider(settings: ProviderSettings): Promise<Result<Provider, ProviderFailure>>;
}

/** A driver that would not open, or an instance that could not be watched, is tried again this often. */
const RETRY_MS = 5_000;

/** How soon it is looked again whether answers have left. */
const ROOM_POLL_MS = 2;

/** What outside work of the service comes to; told to itself. */
type Finished =
  | { readonly type: 'provider.answered'; readonly work: Work; readonly called: Called }
  | { readonly type: 'provider.listed' }
  | { readonly type: 'provider.swept'; readonly result: SweepResult }
  | { readonly type: 'provider.opened'; readonly opened: Result<Provider, ProviderFailure> };

export const providerService: ServiceType<ProviderPorts> = {
  kind: 'provider',
  start: (scope, ports) => createProviderService(scope, ports),
};

type Gone = Extract<InstanceMessage, { type: 'provider.deleted' | 'provider.deleteFailed' }>;

interface Desk {
  readonly scope: ServiceScope;
  readonly ports: ProviderPorts;
  readonly queue: WorkQueue;
  readonly running: Map<string, Work>;
  /** How many of those are creates. */
  creating: number;
  /** Who to tell of a death. */
  readonly owners: Map<string, Address>;
  /** Named by the instance itself in this life: there is no doubt whose they are. */
  readonly claimed: Set<string>;
  /** Who waits for a look at everything, and whether one is under way. */
  sweeper: Asker | undefined;
  sweeping: boolean;
  settings: ProviderSettings | undefined;
  /** Settings of the open driver; others than `settings` ask for a reopening. */
  applied: ProviderSettings | undefined;
  provider: Provider | undefined;
  opening: boolean;
  /** The instances of an earlier run are being looked up. */
  listing: boolean;
  stopped: boolean;
  readonly pace: Pace;
  wake: Cancel | undefined;
  waitsForRoom: boolean;
  lastError: string | undefined;
}

function createProviderService(scope: ServiceScope, ports: ProviderPorts): Service {
  const desk: Desk = {
    scope,
    ports,
    queue: createWorkQueue(),
    running: new Map(),
    creating: 0,
    owners: new Map(),
    claimed: new Set(),
    sweeper: undefined,
    sweeping: false,
    settings: undefined,
    applied: undefined,
    provider: undefined,
    opening: false,
    listing: false,
    stopped: false,
    pace: createPace(),
    wake: undefined,
    waitsForRoom: false,
    lastError: undefined,
  };
  return {
    receive: (message, mail) => {
      // An answer that found no room: whoever asked asks again.
      if ((message.type as string) === 'delivery.refused') return;
      receive(desk, message as ProviderMessage | Finished, mail);
      scope.reply(mail.replyTo, { ok: true });
    },
    view: () => viewOf(desk),
    stop: async () => {
      desk.stopped = true;
      desk.wake?.();
      await desk.provider?.close();
    },
  };
}

function receive(desk: Desk, message: ProviderMessage | Finished, asker: Asker): void {
  switch (message.type) {
    case 'provider.settings':
      // The same settings again (a reload that changed something else) must not reopen anything.
      if (!isSameJson(desk.settings, message.settings)) desk.settings = message.settings;
      break;
    case 'provider.opened':
      takeOver(desk, message.opened);
      break;
    case 'provider.answered':
      conclude(desk, message.work, message.called);
      break;
    case 'provider.listed':
      desk.listing = false;
      break;
    case 'provider.sweep':
      desk.sweeper = asker;
      break;
    case 'provider.swept':
      reportSweep(desk, message.result);
      break;
    default:
      admit(desk, workOf(message, asker));
  }
  serve(desk);
}

function admit(desk: Desk, work: Work): void {
  // Already under way: its answer is the answer.
  if (desk.running.has(work.key) || desk.queue.put(work)) return;
  const message = `provider "${nameOf(desk)}" has ${desk.queue.size} requests waiting, which is all it takes`;
  const answer = failedAnswer(work.request, { code: 'unavailable', message });
  if (answer === undefined) retryLater(desk, work);
  else desk.scope.because(work.cause).tell(work.from, answer);
}

/** Starts what may start now. Called after every message and whenever a permit is due. */
function serve(desk: Desk): void {
  if (desk.stopped || desk.opening) return;
  if (desk.settings !== desk.applied) return reopen(desk);
  const { provider, settings } = desk;
  if (provider === undefined || settings === undefined) return;
  sweep(desk, provider);
  while (desk.running.size < settings.concurrency) {
    if (desk.scope.isCrowded()) return waitForRoom(desk);
    const work = desk.queue.next(() => mayCreate(desk, settings));
    if (work === undefined) return;
    desk.running.set(work.key, work);
    if (isCreate(work)) desk.creating += 1;
    desk.scope.because(work.cause).run(async (): Promise<Finished> => {
      const called = await carried(desk, provider, work);
      if (called.providerId !== undefined) claim(desk, called.providerId, work);
      return { type: 'provider.answered', work, called };
    });
  }
}

/** What would be answered now had to wait, and more than may wait is lost [PR-15]. */
function waitForRoom(desk: Desk): void {
  if (desk.queue.size === 0 || desk.waitsForRoom) return;
  desk.waitsForRoom = true;
  desk.scope.clock.after(ROOM_POLL_MS, () => {
    desk.waitsForRoom = false;
    serve(desk);
  });
}

/** A driver with a bug may not keep a place for ever: its rejection is loud, and ignorance. */
async function carried(desk: Desk, provider: Provider, { request }: Work): Promise<Called> {
  const { scope, ports } = desk;
  if (ports.mayAct?.() === false) return notOurs(request);
  try {
    return await callProvider(provider, request, ports);
  } catch (error) {
    scope.log.error({ actor: scope.self, request: request.type, err: error }, 'driver rejected');
    const answer = failedAnswer(request, { code: 'unavailable', message: String(error) });
    return answer === undefined ? {} : { answer };
  }
}

/** Asked before every call [FL-9]: a process that was asleep finds its lease gone. */
function notOurs(request: Work['request']): Called {
  const message = 'the lease is not ours now: nothing is asked of the provider';
  const answer = failedAnswer(request, { code: 'unavailable', message });
  return answer === undefined ? {} : { answer };
}

function conclude(desk: Desk, work: Work, { answer, providerId, again }: Called): void {
  const { request, from, cause } = work;
  desk.running.delete(work.key);
  if (answer !== undefined && desk.applied !== undefined) desk.pace.settle(desk.applied, answer);
  if (isCreate(work)) desk.creating -= 1;
  if (answer !== undefined) desk.scope.because(cause).tell(from, answer);
  if (answer !== undefined && tellsGone(answer)) forget(desk, answer.providerId);
  if (again !== undefined) retryLater(desk, work, again);
  if (providerId === undefined || request.type === 'provider.watch') return;
  // What was found may stem from an earlier run; watching what is watched changes nothing.
  admit(desk, workOf({ type: 'provider.watch', providerId }, work));
}

function retryLater(desk: Desk, work: Work, failure?: ProviderFailure): void {
  const { self, clock, log } = desk.scope;
  log.warn({ actor: self, request: work.key, failure }, 'provider request put off');
  clock.after(RETRY_MS, () => {
    if (!desk.stopped) receive(desk, work.request, work);
  });
}

/** One place stays free for what is not a create, and the bucket has its say. */
function mayCreate(desk: Desk, settings: ProviderSettings): boolean {
  if (desk.creating >= Math.max(1, settings.concurrency - 1)) return false;
  const { clock } = desk.scope;
  const waitMs = desk.pace.waitMs(settings, clock.monotonic());
  if (waitMs === 0) return true;
  desk.wake?.();
  desk.wake = clock.after(waitMs, () => serve(desk));
  return false;
}

function isCreate({ request }: Work): boolean {
  return request.type === 'provider.create';
}

/** Two drivers never work on the same things: the old one ends what it does first. */
function reopen(desk: Desk): void {
  const { settings, provider, ports } = desk;
  if (settings === undefined || desk.running.size > 0 || desk.listing || desk.sweeping) return;
  desk.opening = true;
  desk.applied = settings;
  desk.provider = undefined;
  desk.scope.run(async (): Promise<Finished> => {
    await provider?.close();
    return { type: 'provider.opened', opened: await ports.openProvider(settings) };
  });
}

function takeOver(desk: Desk, opened: Result<Provider, ProviderFailure>): void {
  const { scope, applied } = desk;
  desk.opening = false;
  if (!opened.ok) {
    desk.lastError = opened.failure.message;
    scope.log.error({ actor: scope.self, failure: opened.failure }, 'provider did not open');
    scope.clock.after(RETRY_MS, () => tryAgain(desk));
    return;
  }
  const provider = opened.value;
  if (desk.stopped) return void provider.close();
  desk.lastError = undefined;
  desk.provider = provider;
  if (applied !== undefined) desk.pace.begin(applied, scope.clock.monotonic());
  provider.onExit((providerId, detail) => tellDeath(desk, providerId, detail));
  provider.onNotice?.((providerId, notice) => tellNotice(desk, providerId, notice));
  desk.listing = true;
  scope.run(() => watchAll(desk, provider));
}

function tryAgain(desk: Desk): void {
  if (desk.provider !== undefined || desk.opening) return;
  desk.applied = undefined;
  serve(desk);
}

function tellDeath({ scope, owners }: Desk, providerId: string, detail: string): void {
  const owner = owners.get(providerId);
  if (owner === undefined) scope.log.warn({ actor: scope.self, providerId }, 'a stranger died');
  else scope.tell(owner, deathOf(providerId, detail));
}

function tellNotice({ scope, owners }: Desk, providerId: string, notice: TerminationNotice): void {
  const owner = owners.get(providerId);
  const message: InstanceMessage = { type: 'instance.notice', notice };
  if (owner !== undefined) scope.tell(owner, message);
}

function deathOf(providerId: string, detail: string): InstanceMessage {
  return { type: 'provider.exited', providerId, detail };
}

/** Instances of earlier runs. A failed list changes nothing: their actors ask to be watched as well. */
async function watchAll(desk: Desk, provider: Provider): Promise<Finished> {
  const { scope, owners, ports } = desk;
  const listed = await listAll(provider, ports.ownership.installation);
  if (!listed.ok) {
    scope.log.warn({ actor: scope.self, failure: listed.failure }, 'provider did not list');
    return { type: 'provider.listed' };
  }
  for (const { providerId, tags } of listed.value) {
    if (!owners.has(providerId)) owners.set(providerId, addressOf('instance', tags.instance));
    await provider.watch(providerId);
  }
  return { type: 'provider.listed' };
}

function claim({ owners, claimed }: Desk, providerId: string, { from }: Work): void {
  owners.set(providerId, from);
  if (kindOf(from) === 'instance') claimed.add(providerId);
}

function tellsGone(answer: ProviderAnswer): answer is Gone {
  if (answer.type === 'provider.deleted') return true;
  return answer.type === 'provider.deleteFailed' && answer.failure.code === 'not-found';
}

function forget({ owners, claimed }: Desk, providerId: string): void {
  owners.delete(providerId);
  claimed.delete(providerId);
}

/** Beside the queue: it may take long, and nobody is to wait for it. */
function sweep(desk: Desk, provider: Provider): void {
  const { scope, ports, claimed, sweeper } = desk;
  if (sweeper === undefined || desk.sweeping || desk.listing) return;
  desk.sweeping = true;
  const told = scope.because(sweeper.cause);
  const input = {
    ...{ provider, ownership: ports.ownership, store: ports.store },
    isClaimed: (providerId: string) => claimed.has(providerId),
    introduce: (found: ProvidedInstance) => introduce(told, found),
  };
  told.run(async (): Promise<Finished> => {
    return { type: 'provider.swept', result: await sweepProvider(input) };
  });
}

function introduce(scope: Scope, { token, providerId, address, tags }: ProvidedInstance): void {
  const message: InstanceMessage = { type: 'provider.found', token, providerId, address };
  scope.tell(addressOf('instance', tags.instance), message);
}

function reportSweep(desk: Desk, result: SweepResult): void {
  const { sweeper, scope } = desk;
  desk.sweeping = false;
  desk.sweeper = undefined;
  if (sweeper !== undefined) scope.because(sweeper.cause).tell(sweeper.from, result);
}

function nameOf({ scope }: Desk): string {
  return keyOf(scope.self);
}

function viewOf(desk: Desk): JsonObject {
  const { settings, queue, running, owners, lastError } = desk;
  return {
    name: nameOf(desk),
    driver: settings?.driver,
    state: desk.provider === undefined ? 'waiting' : 'open',
    queued: queue.size,
    running: running.size,
    instances: owners.size,
    lastError,
  };
}
