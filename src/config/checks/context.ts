/**
 * What every semantic check sees: the configuration, the names that were written (also of objects
 * that did not pass the schema), and the places where groups and frontends may stand.
 */
import type { Config } from '../complete.js';
import type { Finding, Path } from '../problem.js';

export type GroupConfig = Config['tenants'][string]['groups'][string];
export type FrontendConfig = Config['frontends'][string];
export type MemberConfig = FrontendConfig['pools'][number]['members'][number];

export type Section =
  | 'providers'
  | 'templates'
  | 'healthChecks'
  | 'backends'
  | 'tenants'
  | 'frontends';

export interface CheckContext {
  readonly config: Config;
  /** Names written in a section, whether or not what stands under them is valid. */
  names(section: Section): ReadonlySet<string>;
  addressPools(): ReadonlySet<string>;
  /** Groups written for a static tenant. */
  groupsOf(tenant: string): ReadonlySet<string>;
}

export type Check = (context: CheckContext) => readonly Finding[];

export interface Located<T> {
  readonly path: Path;
  readonly value: T;
}

/** Where a frontend stands decides what it may refer to. */
export interface FrontendPlace extends Located<FrontendConfig> {
  readonly name: string;
  /** Of a tenant's blueprint: its own groups; absent: a static frontend. */
  readonly blueprintGroups?: ReadonlySet<string>;
}

export function blueprintsOf(config: Config) {
  const { tenancy } = config;
  if (tenancy === undefined) return [];
  return (['onProject', 'onOrg'] as const).map((key) => ({
    path: ['tenancy', key] as const,
    value: tenancy[key],
  }));
}

export function allGroups(config: Config): readonly Located<GroupConfig>[] {
  const fixed = Object.entries(config.tenants).flatMap(([tenant, { groups }]) =>
    Object.entries(groups).map(([name, value]) => ({
      path: ['tenants', tenant, 'groups', name],
      value,
    })),
  );
  const templated = blueprintsOf(config).flatMap(({ path, value: { groups } }) =>
    Object.entries(groups).map(([name, value]) => ({ path: [...path, 'groups', name], value })),
  );
  return [...fixed, ...templated];
}

export function allFrontends(config: Config): readonly FrontendPlace[] {
  const fixed = Object.entries(config.frontends).map(([name, value]) => ({
    path: ['frontends', name],
    name,
    value,
  }));
  const templated = blueprintsOf(config).flatMap(({ path, value: blueprint }) =>
    Object.entries(blueprint.frontends).map(([name, value]) => ({
      path: [...path, 'frontends', name],
      name,
      value,
      blueprintGroups: new Set(Object.keys(blueprint.groups)),
    })),
  );
  return [...fixed, ...templated];
}

export function allMembers(place: FrontendPlace): readonly Located<MemberConfig>[] {
  return place.value.pools.flatMap((pool, poolIndex) =>
    pool.members.map((value, index) => ({
      path: [...place.path, 'pools', poolIndex, 'members', index],
      value,
    })),
  );
}
