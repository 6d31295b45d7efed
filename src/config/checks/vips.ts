/**
 * Rules between frontends, and between frontends and address pools: VPP keys a VIP by (prefix,
 * protocol, port), allows one encapsulation per prefix, and no all-port VIP beside per-port ones.
 */
import { contains, overlaps, type Prefix, parsePrefix } from '../address.js';
import { type Finding, semantic } from '../problem.js';
import { allFrontends, type CheckContext, type FrontendPlace } from './context.js';
import { backendFamilies } from './frontends.js';

export function checkVips(context: CheckContext): readonly Finding[] {
  return [...checkSharedAddresses(context), ...checkPools(context)];
}

function checkSharedAddresses(context: CheckContext): readonly Finding[] {
  const first = new Map<string, FrontendPlace[]>();
  return allFrontends(context.config).flatMap((place) => {
    const { address } = place.value;
    if (address === undefined || place.blueprintGroups !== undefined) return [];
    const earlier = first.get(address) ?? [];
    first.set(address, [...earlier, place]);
    return earlier.slice(0, 1).flatMap((one) => conflicts(context, one, place, earlier));
  });
}

function conflicts(
  context: CheckContext,
  one: FrontendPlace,
  two: FrontendPlace,
  all: readonly FrontendPlace[],
): readonly Finding[] {
  const findings: Finding[] = [];
  const twin = all.find((other) => vipOf(other) === vipOf(two));
  if (twin !== undefined) {
    findings.push(semantic(two.path, `same address, protocol and port as frontend "${twin.name}"`));
  }
  if ((one.value.port === 0) !== (two.value.port === 0)) {
    const message = `VPP cannot have a frontend for all ports beside one for a port on one address`;
    findings.push(semantic([...two.path, 'port'], `${message}; see frontend "${one.name}"`));
  }
  const [encapOne, encapTwo] = [encapOf(context, one), encapOf(context, two)];
  if (encapOne !== undefined && encapTwo !== undefined && encapOne !== encapTwo) {
    const message = `VPP has one encapsulation per address: frontend "${one.name}" has ${encapOne}`;
    findings.push(semantic(two.path, `${message}, this one ${encapTwo}`));
  }
  return findings;
}

function vipOf({ value }: FrontendPlace): string {
  const protocol = value.port === 0 ? 'any' : (value.protocol ?? 'tcp');
  return `${value.address} ${protocol} ${value.port}`;
}

/** `undefined`: not known before the members are. */
function encapOf(context: CheckContext, place: FrontendPlace): string | undefined {
  if (place.value.encap !== 'auto') return place.value.encap;
  const [first] = backendFamilies(context, place);
  return first === undefined ? undefined : `gre${first.family}`;
}

function checkPools(context: CheckContext): readonly Finding[] {
  const pools: { readonly name: string; readonly prefix: Prefix }[] = [];
  const findings: Finding[] = [];
  for (const [name, text] of Object.entries(context.config.node.addressPools)) {
    const prefix = parsePrefix(text);
    if (prefix === undefined) continue;
    const path = ['node', 'addressPools', name];
    const other = pools.find((pool) => overlaps(pool.prefix, prefix));
    if (other !== undefined) findings.push(semantic(path, `overlaps address pool "${other.name}"`));
    if (prefix.family === 6 && overlaps(prefix, LOWEST_96)) {
      findings.push(semantic(path, 'overlaps ::/96, which VPP takes for IPv4'));
    }
    pools.push({ name, prefix });
  }
  return [...findings, ...checkLiteralsInPools(context, pools)];
}

const LOWEST_96: Prefix = { text: '::/96', family: 6, length: 96 };

function checkLiteralsInPools(
  { config }: CheckContext,
  pools: readonly { readonly name: string; readonly prefix: Prefix }[],
): readonly Finding[] {
  return Object.entries(config.frontends).flatMap(([name, { address }]) => {
    if (address === undefined) return [];
    const pool = pools.find(({ prefix }) => contains(prefix, address));
    if (pool === undefined) return [];
    const message = `address pool "${pool.name}" may give this address to a tenant`;
    return [semantic(['frontends', name, 'address'], `${message}; choose one outside of it`)];
  });
}
