/**
 * What a site must never do, checked while it happens: on every request that reaches the load balancer,
 * on every delete that reaches the provider, and on what the node says of itself.
 *
 * Input: a virtual node and what the operator and the world are up to. Output: sentences, one for each
 * law that was broken; none is what a test wants.
 */
import type { JsonObject } from '../../machines/model/json.js';
import type { LbOp } from '../../machines/model/lb.js';
import { keyOf } from './strict-lb.js';
import type { VirtualNode } from './virtual-node.js';

export interface Excuses {
  /** An operator took it out, or the configuration wants nobody there. */
  mayGo(address: string): boolean;
}

export interface SiteLaws {
  readonly broken: readonly string[];
  /** After each step. */
  look(node: VirtualNode): void;
}

const LEAVING = ['draining', 'drained', 'deleting', 'deleted', 'failed', 'lost'];
/** With nothing of them on its way, instances in these states wait for somebody else. */
const RETRY_MAX_MS = 16 * 60_000;

export function watchSite(node: VirtualNode, excuses: Excuses): SiteLaws {
  const broken: string[] = [];
  watchDarkness(node, excuses, broken);
  node.faults.onDelete = (providerId) => broken.push(...deletedTooEarly(node, providerId));
  return {
    broken,
    look: (now) => {
      broken.push(...oversized(now), ...doubled(now), ...overdue(now));
    },
  };
}

/** [SM-5] No request takes a VIP's last weight while somebody behind it still answers. */
function watchDarkness({ lb, world }: VirtualNode, excuses: Excuses, broken: string[]): void {
  const apply = lb.apply;
  const isDead = (address: string) =>
    [...world.instances.values()].every(
      (one) => one.address !== address || one.state !== 'running',
    ) && address.startsWith('127.');
  lb.apply = (op: LbOp) => {
    const before = 'vip' in op ? lb.vips.get(keyOf(op.vip)) : undefined;
    const carriers = [...(before?.servers ?? [])].filter(([, weight]) => weight > 0);
    const failure = apply(op);
    const after = 'vip' in op ? lb.vips.get(keyOf(op.vip)) : undefined;
    const isDark =
      after !== undefined && [...after.servers.values()].every((weight) => weight === 0);
    const needless = carriers.filter(([as]) => !isDead(as) && !excuses.mayGo(as));
    if (isDark && needless.length > 0) {
      broken.push(`dark after ${JSON.stringify(op)}, though ${needless.map(([as]) => as)} lived`);
    }
    return failure;
  };
}

/** [SM-6] Nothing is deleted at the provider while the load balancer sends it flows. */
function deletedTooEarly(node: VirtualNode, providerId: string): readonly string[] {
  const instance = node.world.instances.get(providerId);
  if (instance?.state !== 'running') return [];
  const holders = [...node.lb.vips].filter(([, { servers }]) => servers.has(instance.address));
  const view = node.views('instance').find((one) => one['providerId'] === providerId);
  const { endedBy } = (view?.['drain'] ?? {}) as JsonObject;
  if (holders.length === 0 || endedBy === 'unverified') return [];
  return [`${view?.['id']} deleted while ${holders.map(([key]) => key)} has ${instance.address}`];
}

/** [SM-7] Never more members than wanted and room for their successors. */
function oversized(node: VirtualNode): readonly string[] {
  return node.views('group').flatMap((group) => {
    const staying = node
      .views('instance')
      .filter((one) => one['tenant'] === group['tenant'] && one['group'] === group['name'])
      .filter((one) => !LEAVING.includes(String(one['state'])));
    const known = staying.filter(({ drain }) => drain === undefined);
    const max = Number(group['maxSize']);
    return known.length <= max ? [] : [`${group['name']} has ${known.length}, more than ${max}`];
  });
}

/** One instance for each intent. */
function doubled({ world }: VirtualNode): readonly string[] {
  const tokens = [...world.instances.values()].map(({ token }) => token);
  return new Set(tokens).size === tokens.length ? [] : [`one intent, two instances: ${tokens}`];
}

/** [SM-8] Whoever waits says until when, and that time is ahead. */
function overdue(node: VirtualNode): readonly string[] {
  const now = node.clock.now();
  return node.views('instance').flatMap((one) => {
    const { id, state, retryAt, since } = one;
    const isPassing = ['requested', 'creating', 'booting', 'registered', 'deleting'];
    if (!isPassing.includes(String(state))) return [];
    const lastsMs = now - Date.parse(String(retryAt ?? since));
    return lastsMs <= RETRY_MAX_MS ? [] : [`${id} is ${state} for ${lastsMs} ms`];
  });
}

/** [SM-9] The feed tells every version of everything, in order, and nothing is left to tell. */
export function feedGaps({ sink }: VirtualNode): readonly string[] {
  const versions = new Map<string, number>();
  return sink.taken.flatMap(({ aggregateKind, aggregateId, aggregateVersion, type }) => {
    const key = `${aggregateKind}/${aggregateId}`;
    const expected = (versions.get(key) ?? 0) + 1;
    versions.set(key, aggregateVersion);
    const isNext = aggregateVersion === expected || aggregateVersion === 1;
    return isNext ? [] : [`${key} ${type}: ${aggregateVersion} after ${expected - 1}`];
  });
}
