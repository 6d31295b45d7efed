/**
 * Rules within one frontend: where its address comes from, ports, encapsulation and families,
 * no address in two pools, a table that holds all of its servers.
 */
import { type Family, familyOf, parsePrefix } from '../address.js';
import { configLimits } from '../limits.js';
import { type Finding, semantic } from '../problem.js';
import {
  allFrontends,
  allGroups,
  allMembers,
  type CheckContext,
  type FrontendPlace,
} from './context.js';
import { unusableAddress } from './objects.js';

export function checkFrontends(context: CheckContext): readonly Finding[] {
  const maxSizes = new Map(
    allGroups(context.config).map(({ path, value }) => [path.join(' '), value.maxSize]),
  );
  return allFrontends(context.config).flatMap((place) => [
    ...checkAddress(place),
    ...checkPort(place),
    ...checkPoolNames(place),
    ...checkRepeatedMembers(context, place),
    ...checkEncap(context, place),
    ...checkFailBack(place),
    ...checkTable(place, maxSizes),
    ...checkSlowStart(context, place, maxSizes),
  ]);
}

function checkAddress({ path, value, blueprintGroups }: FrontendPlace): readonly Finding[] {
  const { address, addressFrom } = value;
  if (blueprintGroups !== undefined && address !== undefined) {
    const message = 'every tenant needs its own address: use addressFrom with an address pool';
    return [semantic([...path, 'address'], message)];
  }
  if ((address === undefined) === (addressFrom === undefined)) {
    return [semantic(path, 'a frontend has an address, or addressFrom with an address pool')];
  }
  return address === undefined ? [] : unusableAddress([...path, 'address'], address);
}

function checkPort({ path, value: { port, protocol } }: FrontendPlace): readonly Finding[] {
  const named = protocol !== undefined && protocol !== 'any';
  if (port === 0 && named) {
    const message = 'a frontend for all ports (port 0 or none) has no protocol; leave it out';
    return [semantic([...path, 'protocol'], message)];
  }
  if (port > 0 && protocol === 'any') {
    return [semantic([...path, 'protocol'], 'a port belongs to tcp or udp')];
  }
  return [];
}

function checkPoolNames({ path, value }: FrontendPlace): readonly Finding[] {
  const seen = new Set<string>();
  return value.pools.flatMap((pool, index) => {
    if (!seen.has(pool.name)) {
      seen.add(pool.name);
      return [];
    }
    const message = `a second pool named "${pool.name}"`;
    return [semantic([...path, 'pools', index, 'name'], message)];
  });
}

/** VPP has one AS per address in a VIP, so an address stands in one pool only. */
function checkRepeatedMembers(context: CheckContext, place: FrontendPlace): readonly Finding[] {
  const seen = new Map<string, string>();
  return allMembers(place).flatMap(({ path, value }) => {
    const { backend, group } = value;
    const name = backend ?? group ?? '';
    const key = backend === undefined ? name : (context.config.backends[backend]?.address ?? name);
    const earlier = seen.get(key);
    seen.set(key, earlier ?? name);
    if (earlier === undefined) return [];
    const where = [...path, backend === undefined ? 'group' : 'backend'];
    if (earlier === name) return [semantic(where, `"${name}" is already in this frontend`)];
    return [semantic(where, `address ${key} is already in this frontend, as "${earlier}"`)];
  });
}

function checkEncap(context: CheckContext, place: FrontendPlace): readonly Finding[] {
  const { path, value } = place;
  const vip = vipFamily(context, place);
  const families = backendFamilies(context, place);
  const findings: Finding[] = [];
  if (value.encap === 'l3dsr' && vip === 6) {
    findings.push(semantic([...path, 'encap'], 'l3dsr needs an IPv4 address of the frontend'));
  }
  if (value.encap === 'l3dsr' && value.dscp === undefined) {
    findings.push(semantic(path, 'l3dsr needs a dscp from 0 to 63'));
  }
  if (value.encap !== 'l3dsr' && value.dscp !== undefined) {
    findings.push(semantic([...path, 'dscp'], 'dscp belongs to encap l3dsr'));
  }
  const wanted = value.encap === 'auto' ? families[0]?.family : ENCAP_FAMILY[value.encap];
  const odd = families.filter(({ family }) => family !== wanted);
  const rule = value.encap === 'auto' ? 'one frontend has servers of one family' : value.encap;
  for (const { path: where, family, name } of odd) {
    const needs = value.encap === 'auto' ? rule : `${rule} needs IPv${wanted} servers`;
    findings.push(semantic(where, `"${name}" has an IPv${family} address; ${needs}`));
  }
  return findings;
}

const ENCAP_FAMILY: Readonly<Record<'gre4' | 'gre6' | 'l3dsr', Family>> = {
  gre4: 4,
  gre6: 6,
  l3dsr: 4,
};

function vipFamily(context: CheckContext, { value }: FrontendPlace): Family | undefined {
  if (value.address !== undefined) return familyOf(value.address);
  return parsePrefix(context.config.node.addressPools[value.addressFrom ?? ''] ?? '')?.family;
}

/** Of the static backends; what a group's members have is known only once they exist. */
export function backendFamilies({ config }: CheckContext, place: FrontendPlace) {
  return allMembers(place).flatMap(({ path, value }) => {
    const address = config.backends[value.backend ?? '']?.address;
    if (address === undefined || value.backend === undefined) return [];
    return [{ path: [...path, 'backend'], name: value.backend, family: familyOf(address) }];
  });
}

function checkFailBack({ path, value }: FrontendPlace): readonly Finding[] {
  if (value.failBack.at >= value.activeWhile) return [];
  const message = 'failBack.at below activeWhile would switch pools back and forth';
  return [semantic([...path, 'failBack', 'at'], message)];
}

function checkTable(
  place: FrontendPlace,
  maxSizes: ReadonlyMap<string, number>,
): readonly Finding[] {
  const { path, value } = place;
  const servers = allMembers(place).reduce((sum, { value: { group } }) => {
    if (group === undefined) return sum + 1;
    return sum + (maxSizes.get(groupPath(place, group)) ?? 0);
  }, 0);
  const length = value.tableLength === 'auto' ? configLimits.tableLengthMax : value.tableLength;
  if (servers <= length) return [];
  const where = value.tableLength === 'auto' ? path : [...path, 'tableLength'];
  return [semantic(where, `up to ${servers} servers do not fit a table of ${length} buckets`)];
}

/** Each step of each weight is a whole number, and the table holds them all on that scale. */
function checkSlowStart(
  { config }: CheckContext,
  place: FrontendPlace,
  maxSizes: ReadonlyMap<string, number>,
): readonly Finding[] {
  const { slowStart, tableLength } = place.value;
  if (slowStart === 'off') return [];
  const path = [...place.path, 'slowStart'];
  const members = allMembers(place).map(({ value: { group, weight } }) => {
    return { weight, most: group === undefined ? 1 : (maxSizes.get(groupPath(place, group)) ?? 1) };
  });
  for (const { weight } of members) {
    const step = slowStart.steps.find((percent) => (weight * percent) % 100 !== 0);
    if (step !== undefined) {
      const message = `${step}% of the weight ${weight} is no whole number: choose other steps or weights`;
      return [semantic(path, message)];
    }
  }
  const weights = members.flatMap(({ weight }) => [
    weight,
    ...slowStart.steps.map((percent) => (weight * percent) / 100),
  ]);
  const divisor = config.dataplane.weightScale === 'exact' ? 1 : weights.reduce(divisorOf, 0) || 1;
  const sum = members.reduce((total, { weight, most }) => total + (weight / divisor) * most, 0);
  const length = tableLength === 'auto' ? configLimits.tableLengthMax / 16 : tableLength;
  if (sum <= length) return [];
  const message = `weights in steps this fine add up to ${sum}, more than the table can hold: choose coarser steps`;
  return [semantic(path, message)];
}

function divisorOf(left: number, right: number): number {
  return right === 0 ? left : divisorOf(right, left % right);
}

function groupPath(place: FrontendPlace, group: string): string {
  const [tenant = '', name = ''] = group.split('/');
  return place.blueprintGroups === undefined
    ? `tenants ${tenant} groups ${name}`
    : [...place.path.slice(0, 2), 'groups', group].join(' ');
}
