/**
 * The whole node in one thread on a clock that stands still: every actor of the daemon, the real store in
 * memory, and strict fakes for the outside (VPP, probes, provider, sink). What a day takes costs a second.
 */
import { type ActorKind, type Address, addressOf } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import type { Message, ProviderSettings } from '../../machines/model/messages.js';
import { fail, ok } from '../../machines/model/result.js';
import {
  createSimulatedWorld,
  openSimulatedProvider,
  type SimulatedWorld,
} from '../../src/adapters/simulated-provider/provider.js';
import { noFailpoints } from '../../src/adapters/system/failpoints.js';
import { createOrderedGroups, type OrderedGroups } from '../../src/app/ordered-groups.js';
import { castOf } from '../../src/app/roles.js';
import type { Provider } from '../../src/ports/provider.js';
import type { Store } from '../../src/ports/store.js';
import { createHost, type Host } from '../../src/runtime/host.js';
import { createSinglePlacement } from '../../src/runtime/placement.js';
import { createVirtualClock, type VirtualClock } from '../../src/runtime/virtual-clock.js';
import { type FakeAnnounceHook, fakeAnnounceHook } from './fake-announce-hook.js';
import { type FakeProber, fakeProber } from './fake-prober.js';
import type { FleetSeat } from './fleet-seat.js';
import { type MemorySink, openMemorySink } from './memory-sink.js';
import { numberedIds, rememberingLog, rememberingMetrics, seededRandom } from './quiet.js';
import { type ScriptedTenancy, scriptedTenancy } from './scripted-tenancy.js';
import { createStrictDataplane, type StrictDataplane } from './strict-dataplane.js';
import { createStrictLb, type StrictLb } from './strict-lb.js';
import { textConfigFile } from './text-config.js';
import { memoryStore } from './toy-node.js';

export interface VirtualNode {
  readonly host: Host;
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly lb: StrictLb;
  readonly dataplane: StrictDataplane;
  readonly prober: FakeProber;
  readonly world: SimulatedWorld;
  readonly sink: MemorySink;
  readonly log: ReturnType<typeof rememberingLog>;
  readonly tenancy: ScriptedTenancy;
  readonly hook: FakeAnnounceHook;
  readonly faults: Faults;
  /** Makes this text the configuration and reloads. */
  configure(text: string, how?: { readonly disruptive: boolean }): Promise<JsonObject>;
  planGroup: OrderedGroups['plan'];
  /** An operator's verb; undefined: nobody answered in time. */
  order(to: Address, message: Message): Promise<JsonObject | undefined>;
  views(kind: Parameters<Host['views']>[0]): readonly JsonObject[];
  /** Kills the node without a word and starts the next life on the same store and outside. */
  /** Given: what is configured when it comes back. */
  crash(text?: string): Promise<VirtualNode>;
}

/** What can be ordered of the outside, beyond what its fakes offer themselves. */
export interface Faults {
  /** The disk takes nothing. */
  storeAway: boolean;
  /** Hears of every delete before the provider does. */
  onDelete(providerId: string): void;
}

interface Outside {
  readonly faults: Faults;
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly lb: StrictLb;
  readonly prober: FakeProber;
  readonly world: SimulatedWorld;
  readonly sink: MemorySink;
  readonly tenancy: ScriptedTenancy;
  readonly hook: FakeAnnounceHook;
  readonly file: { text: string };
  readonly seed: number;
  readonly life: number;
  readonly fleet: FleetSeat | undefined;
}

/** What a node finds when it starts: a store and a provider's instances from before, and the time it is. */
export interface Past {
  readonly store?: Store;
  readonly world?: SimulatedWorld;
  readonly prober?: FakeProber;
  /** What VPP had before the node came. */
  readonly lb?: StrictLb;
  readonly startAtMs?: number;
  readonly life?: number;
  /** Time it shares with others. */
  readonly clock?: VirtualClock;
  /** The fleet it is one node of. */
  readonly fleet?: FleetSeat;
}

export function startVirtualNode(text: string, seed = 1, past: Past = {}): Promise<VirtualNode> {
  const clock = past.clock ?? createVirtualClock(past.startAtMs);
  return live({
    clock,
    fleet: past.fleet,
    store: past.store ?? memoryStore(clock),
    lb: past.lb ?? createStrictLb(),
    prober: past.prober ?? fakeProber(),
    world: past.world ?? createSimulatedWorld(),
    sink: openMemorySink(),
    tenancy: scriptedTenancy(),
    hook: fakeAnnounceHook(),
    file: { text },
    seed,
    life: past.life ?? 1,
    faults: { storeAway: false, onDelete: () => undefined },
  });
}

async function live(outside: Outside): Promise<VirtualNode> {
  const { clock, lb, prober, world, sink, tenancy, hook, file, seed, life, faults } = outside;
  const store = fallible(outside.store, faults);
  const dataplane = createStrictDataplane(lb);
  const seat = outside.fleet;
  const log = rememberingLog();
  let generation = 0;
  const gate = { alive: true };
  const guarded = whileAlive(clock, gate);
  const joined = seat?.join({ clock: guarded, log, life, host: () => host });
  const ordered = createOrderedGroups(() => ({
    views: async (kind) => host.views(kind),
    ask: host.ask,
  }));
  const host: Host = createHost({
    ...joined?.options,
    ...castOf(['main', 'shard', 'dataplane', 'outbox']),
    thread: 'main',
    incarnation: life,
    placement: createSinglePlacement(),
    clock: guarded,
    ids: numberedIds(`0${life.toString(16)}`),
    random: seededRandom(seed + life),
    log,
    metrics: rememberingMetrics(),
    store,
    remote: { send: () => false, reply: () => undefined },
    generation: () => generation,
    ports: {
      store,
      prober,
      dataplane,
      sink: seat?.link.sink ?? sink,
      failpoints: noFailpoints,
      publisher: { thread: 'main', incarnation: life, epoch: life },
      ownership: { installation: 'virtual', node: 'virtual', epoch: life },
      openProvider: async ({ script, maxInstances }: ProviderSettings) => {
        const options = { world, clock, maxInstances, ...(script === undefined ? {} : { script }) };
        return ok(overheard(openSimulatedProvider(options), faults));
      },
      configFile: textConfigFile(
        () => file.text,
        () => store,
      ),
      hook: (name: string) => {
        if (name === 'ordered_groups') return ordered.apply;
        return name === 'log_level' ? () => undefined : undefined;
      },
      room: () => new Promise<void>((resolve) => clock.soon(resolve)),
      quarantined: async (kinds: readonly ActorKind[]) => host.quarantined(kinds, 10),
      report: () => undefined,
      setGeneration: (to: number) => {
        generation = to;
      },
      tenancyApi: tenancy,
      knownTenants: () => host.views('resource').map(({ tenant }) => String(tenant)),
      announceHook: hook,
      ...joined?.ports,
    },
  });
  const started = await host.start();
  if (!started.ok) throw new Error(started.failure.message);
  /** Time goes on until there is an answer, or nobody waits for it any more. */
  const askFor = async (to: Address, message: Message, seconds: number) => {
    let outcome: Awaited<ReturnType<Host['ask']>> | undefined;
    const asked = host.ask(to, message, seconds * 1_000).then((answer) => {
      outcome = answer;
    });
    for (let step = 0; outcome === undefined && step <= seconds; step += 1) {
      await clock.advance(1_000);
    }
    await asked;
    return outcome?.ok === true ? (outcome.value as JsonObject) : undefined;
  };
  const reload = async (trigger: string, disruptive = false): Promise<JsonObject> => {
    const message = { type: 'reload.requested', trigger, dryRun: false, disruptive };
    const answer = await askFor(addressOf('reload', 'main'), message, 20);
    return answer ?? { status: 'unanswered' };
  };
  await reload('boot');
  joined?.begin();
  return {
    ...{ host, clock, store, lb, dataplane, prober, world, sink, tenancy, hook, log, faults },
    configure: (text, how) => {
      file.text = text;
      return reload('api', how?.disruptive);
    },
    planGroup: ordered.plan,
    order: (to, message) => askFor(to, message, 5),
    views: host.views,
    crash: (text = file.text) => {
      file.text = text;
      gate.alive = false;
      joined?.die();
      dataplane.drop('the daemon died');
      return live({ ...outside, life: life + 1 });
    },
  };
}

function fallible(store: Store, faults: Faults): Store {
  const commit: Store['commit'] = async (decisions) => {
    if (!faults.storeAway) return store.commit(decisions);
    return decisions.map(() => fail({ code: 'unavailable', message: 'the disk is full' }));
  };
  return { ...store, commit };
}

function overheard(provider: Provider, faults: Faults): Provider {
  return {
    create: (request) => provider.create(request),
    delete: (providerId) => {
      faults.onDelete(providerId);
      return provider.delete(providerId);
    },
    status: (providerId) => provider.status(providerId),
    list: (installation, page) => provider.list(installation, page),
    findByToken: (token) => provider.findByToken(token),
    onExit: (listener) => provider.onExit(listener),
    onNotice: (listener) => provider.onNotice?.(listener),
    watch: (providerId) => provider.watch(providerId),
    close: () => provider.close(),
  };
}

/** A dead process runs no timers: whatever its life had scheduled is dropped. */
function whileAlive(clock: VirtualClock, gate: { readonly alive: boolean }): VirtualClock {
  const guarded = (run: () => void) => () => {
    if (gate.alive) run();
  };
  return {
    ...clock,
    after: (delayMs, run) => clock.after(delayMs, guarded(run)),
    soon: (run) => clock.soon(guarded(run)),
  };
}
