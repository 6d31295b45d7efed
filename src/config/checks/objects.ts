/**
 * Rules within one object: tenants, groups, providers, templates, health checks, backends.
 */
import { isIP } from 'node:net';
import { parseInstanceId } from '../../../machines/model/ids.js';
import { isUnspecified, liesInLowest96 } from '../address.js';
import type { Config } from '../complete.js';
import { backendProbePort, groupProbePort, servedPorts } from '../probe-port.js';
import { type Finding, type Path, semantic } from '../problem.js';
import { allGroups, type CheckContext, type GroupConfig } from './context.js';

const PROJECT_ID = /^[0-9a-f]{32}$/;

export function checkObjects(context: CheckContext): readonly Finding[] {
  return [
    ...checkTenants(context),
    ...checkGroups(context),
    ...checkProviders(context),
    ...checkTemplates(context),
    ...checkHealthChecks(context),
    ...checkBackends(context),
  ];
}

function checkTenants({ config }: CheckContext): readonly Finding[] {
  return Object.keys(config.tenants)
    .filter((name) => PROJECT_ID.test(name))
    .map((name) => ({
      ...semantic(['tenants', name], '32 hex digits are the id of a project; choose another name'),
      atKey: true,
    }));
}

const AGES = 'must be less than forcedAge: what waits for the budget comes before what does not';

const NO_DOOR = 'agents cannot report: set api.listen';

function checkGroups({ config }: CheckContext): readonly Finding[] {
  return allGroups(config).flatMap(({ path, value }) => checkGroup(path, value, config));
}

/** One group by itself, wherever it stands. */
export function checkGroup(
  path: Path,
  group: GroupConfig,
  { healthChecks, api }: Pick<Config, 'healthChecks' | 'api'>,
): readonly Finding[] {
  const port = groupProbePort(group.backend, healthChecks[group.backend?.healthCheck ?? '']);
  const { eligibleAge, forcedAge } = group.expiry;
  const ordered = eligibleAge === 'off' || forcedAge === 'off' || eligibleAge < forcedAge;
  const heard = group.health.source === 'probe' || api.listen !== undefined;
  const size = `size ${group.size} is more than maxSize ${group.maxSize}`;
  return [
    ...(group.size <= group.maxSize ? [] : [semantic([...path, 'size'], size)]),
    ...(ordered ? [] : [semantic([...path, 'expiry', 'eligibleAge'], AGES)]),
    ...(heard ? [] : [semantic([...path, 'health', 'source'], NO_DOOR)]),
    ...(port.ok ? [] : [semantic([...path, 'backend'], port.failure)]),
  ];
}

function checkProviders({ config }: CheckContext): readonly Finding[] {
  return Object.entries(config.providers).flatMap(([name, provider]) => {
    const path = ['providers', name];
    if (provider.driver === 'exec' && provider.command === undefined) {
      return [semantic(path, 'an exec provider needs a command')];
    }
    if (provider.driver !== 'exec' && provider.command !== undefined) {
      const where = `the ${provider.driver} driver takes no command here`;
      const hint = provider.driver === 'process' ? '; see templates.NAME.spec.command' : '';
      return [semantic([...path, 'command'], `${where}${hint}`)];
    }
    if (provider.driver !== 'simulated' && provider.script !== undefined) {
      return [semantic([...path, 'script'], 'only the simulated driver plays a script')];
    }
    if (provider.driver !== 'exec' && provider.passEnvironment.length > 0) {
      const what = `the ${provider.driver} driver runs no program of its own to pass variables to`;
      return [semantic([...path, 'passEnvironment'], what)];
    }
    return [];
  });
}

/** The process driver reads its own part of the template; a mistake there would fail every create. */
function checkTemplates({ config }: CheckContext): readonly Finding[] {
  return Object.entries(config.templates).flatMap(([name, template]) => {
    if (config.providers[template.provider]?.driver !== 'process') return [];
    const { command, env, cwd } = template.spec;
    const path: Path = ['templates', name, 'spec'];
    const runnable = Array.isArray(command) && command.length > 0 && command.every(isText);
    const named = env === undefined || (isRecord(env) && Object.values(env).every(isText));
    return [
      ...(runnable
        ? []
        : [semantic([...path, 'command'], 'a process needs a command, a list of texts')]),
      ...(named ? [] : [semantic([...path, 'env'], 'expected a mapping of names to texts')]),
      ...(cwd === undefined || isText(cwd) ? [] : [semantic([...path, 'cwd'], 'expected text')]),
    ];
  });
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const ONLY_HTTP = ['bodyMatches', 'host'] as const;
const ONLY_HTTPS = ['serverName'] as const;

function checkHealthChecks({ config }: CheckContext): readonly Finding[] {
  return Object.entries(config.healthChecks).flatMap(([name, check]) => {
    const path = ['healthChecks', name];
    const isHttp = check.type === 'http' || check.type === 'https';
    const misplaced = [
      ...ONLY_HTTP.filter((key) => check[key] !== undefined && !isHttp),
      ...ONLY_HTTPS.filter((key) => check[key] !== undefined && check.type !== 'https'),
    ].map((key) => semantic([...path, key], `means nothing for a check of type ${check.type}`));
    if (check.type !== 'icmp' || check.port === undefined) return misplaced;
    return [...misplaced, semantic([...path, 'port'], 'icmp has no ports')];
  });
}

function checkBackends({ config }: CheckContext): readonly Finding[] {
  const served = servedPorts(config);
  return Object.entries(config.backends).flatMap(([name, backend]) => {
    const path = ['backends', name];
    const check = config.healthChecks[backend.healthCheck ?? ''];
    const port = check === undefined ? undefined : backendProbePort(check, served.get(name));
    const looksLikeInstance = parseInstanceId(name) !== undefined;
    return [
      ...(looksLikeInstance
        ? [{ ...semantic(path, 'reserved: this is how instances are named'), atKey: true }]
        : []),
      ...(port === undefined || port.ok ? [] : [semantic([...path, 'healthCheck'], port.failure)]),
      ...unusableAddress([...path, 'address'], backend.address),
    ];
  });
}

/** An address that VPP cannot take, as a server or as a VIP. */
export function unusableAddress(path: Path, address: string): readonly Finding[] {
  if (isIP(address) === 0) return [];
  if (isUnspecified(address)) return [semantic(path, `${address} is no address of a host`)];
  return liesInLowest96(address)
    ? [semantic(path, `${address} lies in ::/96, which VPP takes for IPv4`)]
    : [];
}
