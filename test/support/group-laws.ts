/**
 * The laws of one group, judged after every step of its world: a broken one throws at once, so the
 * failing history ends where the mistake was made.
 */
import assert from 'node:assert/strict';
import type { InstanceMemory } from '../../machines/instance-memory.js';
import { DEFAULT_DISRUPTION } from '../../machines/model/desired.js';
import { type Address, type FrontendName, keyOf, kindOf } from '../../machines/model/ids.js';
import type { ProviderMessage } from '../../machines/model/messages.js';
import { countedOf, isOnDemand, stayingOf } from '../../src/policy/members.js';
import { isThere } from '../../src/policy/on-demand.js';
import type { GroupWorld, Recorded } from './group-types.js';

export interface Laws {
  afterStep(actor: Address, spawned: number): void;
}

/** `frontends`: all there are, whether the group still belongs to them or not. */
export function createLaws(world: GroupWorld, frontends: readonly FrontendName[]): Laws {
  const deadlines = new Map<string, number>();
  let judged = 0;
  world.neighbours.onDelete((made) => {
    const owner = world.instances().find(({ providerId }) => providerId === made.providerId);
    const unproven = ['unverified', 'forced', 'provider-deadline'];
    const excused =
      !made.alive || owner?.dead === true || unproven.includes(owner?.drain?.endedBy ?? '');
    const holders = frontends.filter((one) => world.neighbours.holds(one, made.instance));
    assert.ok(excused || holders.length === 0, `IN-6: ${made.instance} still in ${holders}`);
  });
  return {
    afterStep: (actor, spawned) => {
      if (kindOf(actor) === 'group') {
        const news = world.records.slice(judged);
        if (spawned > 0 && news.some(isManagedCreate)) sizeHolds(world, news);
        for (const record of news) budgetHolds(world, record);
        judged = world.records.length;
      }
      if (kindOf(actor) === 'instance') {
        stateAgrees(world, actor);
        deadlineHolds(world, actor, deadlines);
      }
      createsHold(world.neighbours.calls);
    },
  };
}

/** Somebody who asks for one more does not wait until a surplus is gone. */
function isManagedCreate({ event, rule }: Recorded): boolean {
  return event === 'instance.requested' && rule !== 'GR-26';
}

/** More than any healthy history keeps, ended ones included. */
const MEMBERS_MAX = 200;

/** GR-3, GR-8: judged whenever a member is created. */
function sizeHolds(world: GroupWorld, news: readonly Recorded[]): void {
  const group = world.group();
  const everyone = Object.values(group.members);
  assert.ok(everyone.length < MEMBERS_MAX, 'GR-16: creates run hot');
  const members = everyone.filter((member) => !isOnDemand(member));
  const asked = everyone.filter(isThere);
  const keys = asked.map(({ onDemand }) => onDemand);
  assert.equal(new Set(keys).size, keys.length, 'GR-27: one instance for each key');
  const staying = stayingOf(members);
  const counted = countedOf(members);
  const { spec, overrides } = group;
  const ordered = overrides['size'];
  const stands = ordered !== undefined && ordered.configured === spec?.size;
  const size = stands ? Number(ordered.value) : (spec?.size ?? 0);
  const wanted = spec?.asleep === true ? 0 : Math.min(size, spec?.maxSize ?? 0);
  // Who only waits for the guard may be sick, and is then replaced while the others are not enough.
  const successors = news.filter(isManagedCreate).every(({ rule }) => rule === 'GR-4');
  const enough = counted.filter(({ replaceWanted }) => !replaceWanted).length;
  const most = successors ? enough : counted.length;
  assert.ok(most <= wanted, `GR-8: ${counted.length} counted, ${wanted} wanted`);
  assert.ok(staying.length <= (group.spec?.maxSize ?? 0), `GR-6: ${staying.length} staying`);
  const replaced = staying.flatMap(({ replaces }) => replaces ?? []);
  assert.equal(new Set(replaced).size, replaced.length, 'GR-4: one successor for each');
}

const ROTATIONS = ['config-drift', 'eligible-expiry', 'forced-expiry'];

/** GR-20, GR-23: judged whenever somebody is told to leave for the sake of another. */
function budgetHolds(world: GroupWorld, { event, numbers }: Recorded): void {
  const reason = String(numbers['reason']);
  const voluntary = reason === 'replaced' || ROTATIONS.includes(reason);
  if (event !== 'group.drain_ordered' || !voluntary) return;
  const group = world.group();
  const leaver = Object.values(group.members).find(({ id }) => id === numbers['instance']);
  if (leaver === undefined) return;
  if (numbers['breaker'] === 'open' && leaver.replaceOrdered !== true) {
    assert.notEqual(numbers['state'], 'suspect', 'GR-23');
  }
  if (!leaver.inService) return;
  const managed = Object.values(group.members).filter((member) => !isOnDemand(member));
  const staying = stayingOf(managed);
  const inService = staying.filter((one) => one.inService);
  const { max } = (group.spec?.disruption ?? DEFAULT_DISRUPTION).budget;
  const allowed =
    'count' in max ? max.count : Math.max(1, Math.floor(max.share * Number(numbers['wanted'])));
  const spare = reason === 'forced-expiry' ? 1 : 0;
  const left = Number(numbers['wanted']) - inService.length;
  const covered = inService.some(({ replaces }) => replaces === leaver.id);
  assert.ok(covered || left <= allowed + spare, `GR-20: ${left} out for ${reason}`);
}

/** What operators see is what the chart says. */
function stateAgrees(world: GroupWorld, actor: Address): void {
  const memory = memoryOf(world, actor);
  if (memory === undefined) return;
  const chart = world.chartOf(actor);
  assert.ok(chart.includes(`"${memory.state}"`), `IN-11: ${memory.state} shown in ${chart}`);
}

/** IN-1: the deadline of a drain never moves, unless its host goes sooner. */
function deadlineHolds(world: GroupWorld, actor: Address, deadlines: Map<string, number>): void {
  const memory = memoryOf(world, actor);
  if (memory?.drain == null) return;
  const { id, drain } = memory;
  const key = `${id} ${drain.startedAtMs}`;
  const known = deadlines.get(key) ?? drain.deadlineMs;
  const hastened = drain.providerDeadlineMs === drain.deadlineMs && drain.deadlineMs < known;
  if (!hastened) assert.equal(drain.deadlineMs, known, `IN-1: the deadline of ${id} moved`);
  deadlines.set(key, known);
}

function memoryOf(world: GroupWorld, actor: Address): InstanceMemory | undefined {
  return world.instances().find(({ id }) => id === keyOf(actor));
}

/** IN-3: between two creates with one token it was looked up. */
function createsHold(calls: readonly ProviderMessage[]): void {
  const last = calls.at(-1);
  if (last?.type !== 'provider.create') return;
  const ofToken = calls.filter((call) => 'token' in call && call.token === last.token);
  const before = ofToken.at(-2);
  assert.notEqual(before?.type, 'provider.create', `IN-3: ${last.token} created twice`);
}
