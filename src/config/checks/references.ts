/**
 * Everything that is named exists: providers, templates, health checks, backends, groups, pools.
 */
import { type Finding, type Path, semantic } from '../problem.js';
import { didYouMean } from '../suggest.js';
import {
  allFrontends,
  allGroups,
  allMembers,
  type CheckContext,
  type FrontendPlace,
} from './context.js';

export function checkReferences(context: CheckContext): readonly Finding[] {
  return [
    ...templateReferences(context),
    ...groupReferences(context),
    ...backendReferences(context),
    ...allFrontends(context.config).flatMap((place) => frontendReferences(context, place)),
  ];
}

function templateReferences(context: CheckContext): readonly Finding[] {
  const providers = context.names('providers');
  return Object.entries(context.config.templates).flatMap(([name, template]) =>
    known(['templates', name, 'provider'], 'provider', template.provider, providers),
  );
}

function groupReferences(context: CheckContext): readonly Finding[] {
  const templates = context.names('templates');
  const checks = context.names('healthChecks');
  return allGroups(context.config).flatMap(({ path, value }) => [
    ...known([...path, 'template'], 'template', value.template, templates),
    ...known(
      [...path, 'backend', 'healthCheck'],
      'health check',
      value.backend?.healthCheck,
      checks,
    ),
  ]);
}

function backendReferences(context: CheckContext): readonly Finding[] {
  const checks = context.names('healthChecks');
  return Object.entries(context.config.backends).flatMap(([name, backend]) =>
    known(['backends', name, 'healthCheck'], 'health check', backend.healthCheck, checks),
  );
}

function frontendReferences(context: CheckContext, place: FrontendPlace): readonly Finding[] {
  const { addressFrom } = place.value;
  const pools = context.addressPools();
  return [
    ...known([...place.path, 'addressFrom'], 'address pool', addressFrom, pools),
    ...allMembers(place).flatMap(({ path, value }) => [
      ...backendMember(context, place, [...path, 'backend'], value.backend),
      ...groupMember(context, place, [...path, 'group'], value.group),
    ]),
  ];
}

function backendMember(
  context: CheckContext,
  place: FrontendPlace,
  path: Path,
  backend: string | undefined,
): readonly Finding[] {
  if (backend !== undefined && place.blueprintGroups !== undefined) {
    return [semantic(path, "a tenant's frontend has groups of the tenant only; name a group")];
  }
  return known(path, 'backend', backend, context.names('backends'));
}

function groupMember(
  context: CheckContext,
  place: FrontendPlace,
  path: Path,
  written: string | undefined,
): readonly Finding[] {
  if (written === undefined) return [];
  const [tenant = '', group] = written.split('/');
  if (place.blueprintGroups !== undefined) {
    if (group === undefined) return known(path, 'group', tenant, place.blueprintGroups);
    return [semantic(path, `a tenant's frontend has groups of the tenant only; write "${group}"`)];
  }
  if (group === undefined) {
    return [semantic(path, 'a static frontend names a group with its tenant, as tenant/group')];
  }
  const tenants = context.names('tenants');
  if (!tenants.has(tenant)) return known(path, 'tenant', tenant, tenants);
  return known(path, `group of tenant ${tenant}`, group, context.groupsOf(tenant));
}

function known(
  path: Path,
  what: string,
  written: string | undefined,
  names: ReadonlySet<string>,
): readonly Finding[] {
  if (written === undefined || names.has(written)) return [];
  return [semantic(path, `no ${what} is named "${written}"${didYouMean(written, names)}`)];
}
