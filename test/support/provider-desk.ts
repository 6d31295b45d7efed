/** A provider service at a desk of its own: a simulated world, a clock, and all that it told anybody. */
import type { ProviderRequest } from '../../actors/provider-queue.js';
import { type ProviderPorts, providerService } from '../../actors/provider-service.js';
import type { InstanceId, TenantId } from '../../machines/model/ids.js';
import { type Address, addressOf, groupKeyOf } from '../../machines/model/ids.js';
import type { Message, ProviderSettings } from '../../machines/model/messages.js';
import { fail, ok } from '../../machines/model/result.js';
import {
  createSimulatedWorld,
  openSimulatedProvider,
} from '../../src/adapters/simulated-provider/provider.js';
import type { Scope, Service, ServiceScope } from '../../src/runtime/actor-type.js';
import { createVirtualClock } from '../../src/runtime/virtual-clock.js';
import { rememberingLog } from './quiet.js';
import { memoryStore } from './toy-node.js';

export const SETTINGS: ProviderSettings = {
  name: 'local',
  driver: 'simulated',
  timeoutMs: 60_000,
  maxInstances: 1_000,
  concurrency: 4,
};

export const PROVIDER = addressOf('provider', 'local');
export const instance = (index: number): InstanceId => `i-0000-${index}` as InstanceId;
export const causeOf = (index: number): string => `wish-${index}`;
export const actor = (index: number): Address => addressOf('instance', instance(index));

export function openDesk() {
  const world = createSimulatedWorld();
  const clock = createVirtualClock();
  const told: { readonly to: Address; readonly message: Message; readonly cause: string }[] = [];
  let opens = 0;
  let crowded = false;
  const refusals: string[] = [];
  const ports: ProviderPorts = {
    ownership: { installation: 'here', node: 'edge-1', epoch: 1 },
    store: memoryStore(),
    openProvider: async (settings) => {
      opens += 1;
      const refusal = refusals.shift();
      if (refusal !== undefined) return fail({ code: 'unavailable', message: refusal });
      const { maxInstances } = settings;
      return ok(openSimulatedProvider({ world, clock, maxInstances }));
    },
  };
  const because = (cause: string): Scope => ({
    self: PROVIDER,
    cause,
    clock,
    log: rememberingLog(),
    tell: (to, message) => void told.push({ to, message, cause }),
    reply: () => undefined,
    watch: () => undefined,
    unwatch: () => undefined,
    run: (work) => {
      void work().then((message) => {
        const mail = { from: PROVIDER, replyTo: undefined, cause };
        if (message !== undefined) service.receive(message, mail);
      });
    },
  });
  const scope: ServiceScope = { ...because(PROVIDER), because, isCrowded: () => crowded };
  let service: Service = providerService.start(scope, ports);
  const restart = (): void => {
    service = providerService.start(scope, ports);
  };
  const ask = (index: number, request: ProviderRequest): void =>
    service.receive(request, { from: actor(index), replyTo: undefined, cause: causeOf(index) });
  const askFrom = (from: Address, request: ProviderRequest): void =>
    service.receive(request, { from, replyTo: undefined, cause: 'poll' });
  const configure = (changes: Partial<ProviderSettings> = {}): void => {
    const message = { type: 'provider.settings', settings: { ...SETTINGS, ...changes } };
    const from = addressOf('reload', 'main');
    service.receive(message, { from, replyTo: undefined, cause: 'reload' });
  };
  return {
    world,
    clock,
    told,
    ask,
    askFrom,
    configure,
    restart,
    refusals,
    crowd: (is: boolean) => {
      crowded = is;
    },
    get opens() {
      return opens;
    },
    view: () => service.view(),
    stop: () => service.stop(),
  };
}

export type Lab = ReturnType<typeof openDesk>;

export function create(index: number): ProviderRequest {
  return {
    type: 'provider.create',
    token: `token-${index}`,
    template: { name: 't', provider: 'local', spec: {}, vars: {}, infraHash: '' },
    tags: { tenant: 'red' as TenantId, group: groupKeyOf('red', 'web'), instance: instance(index) },
  };
}

export function callsOf({ world }: Lab): readonly string[] {
  return world.calls.map(({ call }) => call).filter((call) => call !== 'list' && call !== 'watch');
}

export function toldOf({ told }: Lab): readonly string[] {
  return told.map(({ to, message }) => `${to} ${message.type}`);
}
