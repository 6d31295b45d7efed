/**
 * The scripted neighbours of one group: a provider as strict as a real one, frontends that acknowledge
 * what "VPP" holds, backends whose health the script sets, and a tenant that listens.
 *
 * They are the outside: a crash of the process loses their answers, never what they hold.
 */
import type { AgentMessage } from '../../machines/model/agent.js';
import { assert } from '../../machines/model/assert.js';
import type { GroupSpec } from '../../machines/model/desired.js';
import type { GuardGrant } from '../../machines/model/guard.js';
import {
  addressOf,
  type BackendName,
  type FrontendName,
  type InstanceId,
  keyOf,
  kindOf,
} from '../../machines/model/ids.js';
import type {
  BackendMessage,
  FrontendMessage,
  GroupStatus,
  GuardMessage,
  InstanceMessage,
  LbsyncMessage,
  MemberLevel,
  ProviderMessage,
  TenantMessage,
} from '../../machines/model/messages.js';
import { createGroupDataplane } from './group-dataplane.js';
import type { Cast, CreateOutcome, GroupWorld, Made, Neighbours } from './group-types.js';

const ACT_MS = 20;

export function createNeighbours(
  worldOf: () => GroupWorld,
  spec: GroupSpec,
  cast: Cast = 'scripted',
): Neighbours {
  const made = new Map<string, Made>();
  const calls: ProviderMessage[] = [];
  const statuses: GroupStatus[] = [];
  const servers = new Map<string, MemberLevel>();
  const wanted = new Map<string, MemberLevel>();
  const checks: ((made: Made) => void)[] = [];
  const frozen = new Set<FrontendName>();
  const dataplane = createGroupDataplane(worldOf, frozen);
  let count = 0;
  let levels = 0;

  const chance = (share: number): boolean => worldOf().chance() < share;
  const tellInstance = (id: string, message: InstanceMessage): void =>
    worldOf().answer(addressOf('instance', id), message);
  const byProviderId = (id: string) => [...made.values()].find((one) => one.providerId === id);
  const byInstance = (id: string) => [...made.values()].find((one) => one.instance === id);

  const neighbours: Neighbours = {
    made,
    calls,
    statuses,
    get levels() {
      return levels;
    },
    frozen,
    newborn: 'up',
    guardLetsGo: true,
    onCreate: undefined,
    onPoll: undefined,
    holds: (frontend, member) => {
      if (cast === 'scripted') return servers.has(`${frontend} ${member}`);
      const address = byInstance(member)?.address;
      return address !== undefined && dataplane.has(frontend, address);
    },
    startOver: () => dataplane.startOver(),
    asOf: (frontend, member) => servers.get(`${frontend} ${member}`),
    onDelete: (check) => void checks.push(check),
    receive: (to, message) => {
      switch (kindOf(to)) {
        case 'provider':
          calls.push(message as ProviderMessage);
          return worldOf().later(ACT_MS, () => provide(message as ProviderMessage));
        case 'frontend':
          return receiveLevel(keyOf(to) as FrontendName, message as FrontendMessage);
        case 'guard':
          return letGo(message as GuardMessage);
        case 'lbsync':
          return dataplane.receive(message as LbsyncMessage);
        case 'backend':
          return receiveBackend(keyOf(to) as BackendName, message as BackendMessage);
        case 'tenant': {
          const told = message as TenantMessage;
          if (told.type === 'group.status') statuses.push(told.status);
          return;
        }
        default:
          return assert(false, `nobody plays ${to}`);
      }
    },
    die: (instance) => {
      const one = byInstance(instance);
      if (one === undefined || !one.alive) return;
      one.alive = false;
      one.health = 'down';
      tellExit(one);
    },
    setHealth: (instance, health) => {
      const one = byInstance(instance);
      if (one === undefined || !one.alive) return;
      one.health = health;
      tellVerdict(one);
    },
  };

  /** Whoever asks is let go; what the guard thinks of it is told elsewhere. */
  function letGo(told: GuardMessage): void {
    if (told.type !== 'guard.level' || !neighbours.guardLetsGo) return;
    const group = addressOf('group', spec.key);
    const grant = (to: number, sinceMs: number, id?: InstanceId): void => {
      const one: GuardGrant = { type: 'guard.granted', to, sinceMs, ...(id && { id }) };
      worldOf().answer(group, one);
    };
    if (told.wish !== null) grant(told.wish.to, told.wish.sinceMs);
    for (const { id, sinceMs } of told.departures ?? []) grant(0, sinceMs, id);
  }

  function tellExit({ instance, providerId }: Made): void {
    tellInstance(instance, { type: 'provider.exited', providerId, detail: 'exit 1' });
  }

  function tellVerdict({ instance, address, health }: Made): void {
    const at = worldOf().now();
    const facts = { positive: false, episode: `${instance} ${at}`, sinceMs: at, code: 'L4' };
    // A backend made for an instance is named by its id.
    const backend = instance as string as BackendName;
    const verdict = { backend, address, state: health, ...facts };
    tellInstance(instance, { type: 'backend.verdict', verdict });
    if (cast === 'scripted') return;
    for (const frontend of spec.frontends) {
      const message: FrontendMessage = { type: 'backend.verdict', verdict };
      worldOf().answer(addressOf('frontend', frontend), message);
    }
  }

  function provide(call: ProviderMessage): void {
    switch (call.type) {
      case 'provider.create':
        return create(call);
      case 'provider.find':
        return find(call.token);
      case 'provider.delete':
        return remove(call.providerId);
      case 'provider.poll':
        return poll(call.providerId);
      case 'provider.watch': {
        const one = byProviderId(call.providerId);
        if (one !== undefined && !one.alive) tellExit(one);
        return;
      }
      default:
        return assert(false, `the provider is never told ${call.type}`);
    }
  }

  type Create = ProviderMessage & { readonly type: 'provider.create' };

  function outcome(): CreateOutcome {
    if (neighbours.onCreate !== undefined) return neighbours.onCreate;
    const { faults } = worldOf();
    if (chance(faults.quota)) return 'quota';
    if (!chance(faults.unavailable)) return 'made';
    return chance(0.5) ? 'made-unavailable' : 'unavailable';
  }

  function create(call: Create): void {
    const how = outcome();
    const { token } = call;
    const refuse = (code: 'quota' | 'unavailable' | 'permanent'): void =>
      tellInstance(call.tags.instance, {
        type: 'provider.createFailed',
        token,
        failure: { code, message: `no luck: ${code}` },
      });
    if ((how === 'quota' || how === 'permanent') && !made.has(token)) return refuse(how);
    if (how === 'unavailable') return refuse('unavailable');
    if (how === 'unanswered') return;
    const one = made.get(token) ?? make(call);
    if (how === 'made-unanswered') return;
    if (how === 'made-unavailable') return refuse('unavailable');
    tellMade('provider.created', one);
  }

  function make({ token, tags }: Create): Made {
    count += 1;
    const identity = { providerId: `p-${count}`, address: `127.64.${count >> 8}.${count & 255}` };
    const life = { alive: true, health: neighbours.newborn };
    const one = { ...identity, token, instance: tags.instance, ...life };
    made.set(token, one);
    return one;
  }

  function tellMade(type: 'provider.created' | 'provider.found', one: Made): void {
    const { token, providerId, address, instance } = one;
    tellInstance(instance, { type, token, providerId, address });
  }

  /** The agent beside the instance asks, not the instance. */
  function poll(providerId: string): void {
    const one = byProviderId(providerId);
    const owner = worldOf()
      .instances()
      .find((memory) => memory.providerId === providerId)?.id;
    if (owner === undefined || neighbours.onPoll === 'unanswered') return;
    const state = one === undefined ? 'gone' : one.alive ? 'running' : 'terminal';
    const failure = { code: 'unavailable', message: 'no luck' } as const;
    const answer: AgentMessage =
      neighbours.onPoll === 'unavailable'
        ? { type: 'provider.statusFailed', providerId, failure }
        : { type: 'provider.status', providerId, state };
    worldOf().answer(addressOf('agent', owner), answer);
  }

  function find(token: string): void {
    const one = made.get(token);
    if (one !== undefined) return tellMade('provider.found', one);
    // The instance's id carries the same unique part as its token.
    const instance = worldOf()
      .instances()
      .find((memory) => memory.token === token)?.id;
    if (instance === undefined) return;
    const failure = { code: 'unavailable', message: 'no luck' } as const;
    if (!chance(worldOf().faults.unavailable)) {
      return tellInstance(instance, { type: 'provider.absent', token });
    }
    tellInstance(instance, { type: 'provider.findFailed', token, failure });
  }

  function remove(providerId: string): void {
    const one = byProviderId(providerId);
    const asker = worldOf()
      .instances()
      .find((memory) => memory.providerId === providerId)?.id;
    if (asker === undefined) return;
    if (chance(worldOf().faults.unavailable)) {
      const failure = { code: 'unavailable', message: 'no luck' } as const;
      return tellInstance(asker, { type: 'provider.deleteFailed', providerId, failure });
    }
    if (one !== undefined) {
      for (const check of checks) check(one);
      made.delete(one.token);
    }
    tellInstance(asker, { type: 'provider.deleted', providerId });
  }

  function receiveLevel(frontend: FrontendName, message: FrontendMessage): void {
    if (message.type !== 'member.level') return;
    levels += 1;
    wanted.set(`${frontend} ${message.level.member}`, message.level);
    worldOf().later(ACT_MS, () => apply(frontend, message.level.member));
  }

  function apply(frontend: FrontendName, member: InstanceId): void {
    const key = `${frontend} ${member}`;
    const level = wanted.get(key);
    if (level === undefined || neighbours.frozen.has(frontend)) return;
    if (level.phase === 'out') servers.delete(key);
    else servers.set(key, level);
    const weight = level.phase === 'in' ? 100 : 0;
    const ack = { frontend, member, level: level.revision, phase: level.phase, weight };
    tellInstance(member, { type: 'member.acknowledged', ack });
  }

  function receiveBackend(name: BackendName, message: BackendMessage): void {
    const one = byInstance(name);
    if (one === undefined) return;
    if (message.type === 'publish.request') return worldOf().later(ACT_MS, () => tellVerdict(one));
    if (message.type !== 'backend.desired') return;
    assert(message.owner === addressOf('instance', one.instance), 'its instance owns the backend');
    const owner = worldOf()
      .instances()
      .find(({ id }) => id === one.instance);
    const audience = owner?.spec.frontends ?? [];
    const all = audience.every((frontend) => message.spec.frontends.includes(frontend));
    assert(all || cast === 'real', 'every frontend hears its verdicts');
    worldOf().later(ACT_MS, () => tellVerdict(one));
  }

  return neighbours;
}
