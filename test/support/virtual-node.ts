/**
 * The whole node in one thread on a clock that stands still: every actor of the daemon, the real store in
 * memory, and strict fakes for the outside (VPP, probes, provider, sink). What a day takes costs a second.
 */
import { addressOf } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import { ok } from '../../machines/model/result.js';
import {
  createSimulatedWorld,
  openSimulatedProvider,
  type SimulatedWorld,
} from '../../src/adapters/simulated-provider/provider.js';
import { noFailpoints } from '../../src/adapters/system/failpoints.js';
import { castOf } from '../../src/app/roles.js';
import type { Store } from '../../src/ports/store.js';
import { createHost, type Host } from '../../src/runtime/host.js';
import { createSinglePlacement } from '../../src/runtime/placement.js';
import { createVirtualClock, type VirtualClock } from '../../src/runtime/virtual-clock.js';
import { loadedFrom } from './config.js';
import { type FakeProber, fakeProber } from './fake-prober.js';
import { type MemorySink, openMemorySink } from './memory-sink.js';
import { numberedIds, rememberingLog, rememberingMetrics, seededRandom } from './quiet.js';
import { createStrictDataplane, type StrictDataplane } from './strict-dataplane.js';
import { createStrictLb, type StrictLb } from './strict-lb.js';
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
  /** Makes this text the configuration and reloads. */
  configure(text: string): Promise<JsonObject>;
  views(kind: Parameters<Host['views']>[0]): readonly JsonObject[];
  /** Kills the node without a word and starts the next life on the same store and outside. */
  crash(): Promise<VirtualNode>;
}

interface Outside {
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly lb: StrictLb;
  readonly prober: FakeProber;
  readonly world: SimulatedWorld;
  readonly sink: MemorySink;
  readonly file: { text: string };
  readonly seed: number;
  readonly life: number;
}

export function startVirtualNode(text: string, seed = 1): Promise<VirtualNode> {
  return live({
    clock: createVirtualClock(),
    store: memoryStore(),
    lb: createStrictLb(),
    prober: fakeProber(),
    world: createSimulatedWorld(),
    sink: openMemorySink(),
    file: { text },
    seed,
    life: 1,
  });
}

async function live(outside: Outside): Promise<VirtualNode> {
  const { clock, store, lb, prober, world, sink, file, seed, life } = outside;
  const dataplane = createStrictDataplane(lb);
  const log = rememberingLog();
  let generation = 0;
  const gate = { alive: true };
  const host = createHost({
    ...castOf(['main', 'shard', 'dataplane', 'outbox']),
    thread: 'main',
    incarnation: life,
    placement: createSinglePlacement(),
    clock: whileAlive(clock, gate),
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
      sink,
      failpoints: noFailpoints,
      ownership: { installation: 'virtual', node: 'virtual', epoch: life },
      openProvider: async () => ok(openSimulatedProvider({ world, clock })),
      configFile: {
        load: async () => ok(loadedFrom(file.text)),
        adopt: () => undefined,
        secret: () => undefined,
      },
      setLogLevel: () => undefined,
      setGeneration: (to: number) => {
        generation = to;
      },
      tenancyApi: undefined,
    },
  });
  const started = await host.start();
  if (!started.ok) throw new Error(started.failure.message);
  const reload = async (trigger: string): Promise<JsonObject> => {
    const message = { type: 'reload.requested', trigger, dryRun: false, disruptive: false };
    const answer = host.ask(addressOf('reload', 'main'), message, 60_000);
    await clock.advance(1_000);
    const outcome = await answer;
    if (!outcome.ok) throw new Error(outcome.failure.message);
    return outcome.value as JsonObject;
  };
  await reload('boot');
  return {
    ...{ host, clock, store, lb, dataplane, prober, world, sink, log },
    configure: (text) => {
      file.text = text;
      return reload('api');
    },
    views: host.views,
    crash: () => {
      gate.alive = false;
      dataplane.drop('the daemon died');
      return live({ ...outside, life: life + 1 });
    },
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
