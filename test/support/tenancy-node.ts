/**
 * Tenancy and tenants on a real host and the real store, in virtual time, between a scripted tenant
 * manager and parts that do as they are told at once.
 */
import { setup } from 'xstate';
import { reporterService } from '../../actors/reporter-service.js';
import { resourceActor } from '../../actors/resource-actor.js';
import { tenancyActor } from '../../actors/tenancy-actor.js';
import { tenantActor } from '../../actors/tenant-actor.js';
import { type Activated, effect, type Stamped } from '../../machines/model/effects.js';
import { type Address, addressOf, keyOf, kindOf } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import type {
  FrontendMessage,
  GroupMessage,
  Message,
  TenancySettings,
} from '../../machines/model/messages.js';
import type { Store } from '../../src/ports/store.js';
import type { TenancyApi } from '../../src/ports/tenancy-api.js';
import { type ActorType, observed } from '../../src/runtime/actor-type.js';
import { createHost, type Host } from '../../src/runtime/host.js';
import { createSinglePlacement } from '../../src/runtime/placement.js';
import { createVirtualClock, type VirtualClock } from '../../src/runtime/virtual-clock.js';
import { numberedIds, rememberingLog, rememberingMetrics, seededRandom } from './quiet.js';
import { type ScriptedTenancy, scriptedTenancy } from './scripted-tenancy.js';
import { tenancySettings } from './tenancy-settings.js';
import { memoryStore } from './toy-node.js';

export interface TenancyNode {
  readonly host: Host;
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly manager: ScriptedTenancy;
  /** What parts were told first, in order: `group desired`, `frontend removed`. */
  readonly orders: string[];
  /** Parts whose word the test gives; the others answer at once. */
  readonly mute: Set<string>;
  configure(change?: Partial<TenancySettings>): Promise<void>;
  tell(to: Address, message: Message): Promise<void>;
  views(kind: 'tenant' | 'tenancy' | 'resource' | 'reporter'): readonly JsonObject[];
  /** Types of the feed events so far. */
  feed(): Promise<readonly string[]>;
  /** The process ends and, some time later, comes back on the same store. */
  restart(awayMs?: number): Promise<TenancyNode>;
}

interface Life {
  /** What tenancy talks to: the scripted manager, or a way to a real one. */
  readonly api: TenancyApi;
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly manager: ScriptedTenancy;
  readonly orders: string[];
  readonly mute: Set<string>;
  readonly incarnation: number;
}

export async function tenancyNode(api?: TenancyApi): Promise<TenancyNode> {
  const manager = scriptedTenancy();
  const clock = createVirtualClock();
  return nodeOf({
    api: api ?? manager,
    clock,
    store: memoryStore(clock),
    manager,
    orders: [],
    mute: new Set(),
    incarnation: 1,
  });
}

async function nodeOf(life: Life): Promise<TenancyNode> {
  const { clock, store, manager, orders, mute, incarnation } = life;
  const host = createHost({
    thread: 'main',
    incarnation,
    types: [
      ...[tenancyActor, resourceActor, tenantActor],
      ...[part('group', life), part('frontend', life)],
    ] as never,
    services: [reporterService] as never,
    placement: createSinglePlacement(),
    clock,
    ids: numberedIds(`d${incarnation}`),
    random: seededRandom(incarnation),
    log: rememberingLog(),
    metrics: rememberingMetrics(),
    store,
    ports: {
      tenancyApi: life.api,
      knownTenants: () => host.views('resource').map(({ tenant }) => String(tenant)),
    },
    remote: { send: () => false, reply: () => undefined },
    generation: () => 1,
  });
  const started = await host.start();
  if (!started.ok) throw new Error(started.failure.message);
  await clock.settle();
  const tell = async (to: Address, message: Message): Promise<void> => {
    host.tell(to, message, 'test');
    await clock.settle();
  };
  return {
    host,
    clock,
    store,
    manager,
    orders,
    mute,
    tell,
    configure: (change = {}) =>
      tell(addressOf('tenancy', 'main'), {
        type: 'tenancy.settings',
        settings: tenancySettings(change),
      } as Message),
    views: (kind) => host.views(kind),
    feed: async () => {
      const rows = await store.outboxPending(0, 10_000);
      return rows.ok ? rows.value.map(({ event }) => event.type) : [];
    },
    restart: async (awayMs = 0) => {
      await host.stop();
      await clock.advance(awayMs);
      return nodeOf({ ...life, incarnation: incarnation + 1 });
    },
  };
}

interface Ordered {
  readonly key: string;
  readonly kind: 'group' | 'frontend';
}

type PartEvent = Stamped<GroupMessage> | Stamped<FrontendMessage> | Stamped<Activated>;

/** A part that is what it is told to be, and gone when it is told to go. */
const partMachine = setup({
  types: {
    context: {} as Ordered,
    events: {} as PartEvent,
    input: {} as { readonly address: Address },
  },
  actions: {
    obey: effect<Ordered & { readonly removed: boolean }>(),
    forget: effect<undefined>(),
  },
}).createMachine({
  id: 'part',
  context: ({ input }) => ({
    key: keyOf(input.address),
    kind: kindOf(input.address) as Ordered['kind'],
  }),
  initial: 'there',
  states: {
    there: {
      on: {
        'group.desired': { actions: obeys(false) },
        'frontend.desired': { actions: obeys(false) },
        'group.removed': { target: 'gone', actions: obeys(true) },
        'frontend.removed': { target: 'gone', actions: obeys(true) },
      },
    },
    gone: { entry: 'forget' },
  },
});

function obeys(removed: boolean) {
  const params = ({ context }: { readonly context: Ordered }) => ({ ...context, removed });
  return { type: 'obey', params } as const;
}

function part(kind: Ordered['kind'], { orders, mute }: Life): ActorType {
  return {
    kind,
    machine: partMachine,
    version: 1,
    stored: false,
    implicit: true,
    effects: {
      obey: observed<Ordered & { readonly removed: boolean }>(({ key, removed }, { scope }) => {
        orders.push(`${kind} ${removed ? 'removed' : 'desired'}`);
        const tenant = addressOf('tenant', key.slice(0, key.indexOf('/')));
        if (!mute.has(kind)) scope.tell(tenant, statusOf(kind, key, removed));
      }),
    },
    view: ({ context }) => ({ ...context }),
  };
}

export function statusOf(kind: Ordered['kind'], key: string, removed: boolean): Message {
  const status =
    kind === 'group'
      ? { group: key, size: 3, serving: 3, converged: !removed, removed }
      : { frontend: key, state: 'up', synced: true, removed };
  return { type: `${kind}.status`, status } as Message;
}
