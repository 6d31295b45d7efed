/**
 * Groups that programs order, in the words of the configuration: `{template, size, drain: {timeout: 30s}, …}`,
 * every key of a group. What they may refer to is what the configuration has.
 *
 * Input: the part of a configuration that groups are made from, a name, a wish. Output: the group with every
 * default written out, or one sentence that names the key.
 */
import { isName } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import { fail, ok, type Result } from '../../machines/model/result.js';
import type { GroupPlan } from '../policy/tenant-plan.js';
import { checkGroup } from './checks/objects.js';
import type { Config } from './complete.js';
import { findingsOf } from './issues.js';
import type { Finding } from './problem.js';
import { group } from './schema-tenants.js';
import { groupPlan } from './specs.js';
import { didYouMean } from './suggest.js';

/** What groups are made from. */
const NEEDED = [
  ...(['templates', 'healthChecks', 'bootTimeout', 'resyncInterval'] as const),
  ...(['deletedRetention', 'retry', 'api'] as const),
] as const;

type Catalogue = Pick<Config, (typeof NEEDED)[number]>;

/** Plain data, for whoever plans with it. */
export function catalogueOf(config: Catalogue): JsonObject {
  return Object.fromEntries(NEEDED.map((key) => [key, config[key]])) as unknown as JsonObject;
}

export function planOrdered(
  catalogue: JsonObject,
  name: string,
  wish: JsonObject,
): Result<GroupPlan, string> {
  const config = catalogue as unknown as Catalogue;
  if (!isName(name)) return fail(`"${name}" cannot name a group`);
  const parsed = group.safeParse(wish);
  if (!parsed.success) return fail(sentence(findingsOf(group, wish, parsed.error.issues)));
  const { template, backend } = parsed.data;
  const missing =
    unknown('template', template, config.templates) ??
    unknown('health check', backend?.healthCheck, config.healthChecks);
  if (missing !== undefined) return fail(missing);
  const findings = checkGroup([], parsed.data, config);
  if (findings.length > 0) return fail(sentence(findings));
  return ok(groupPlan(config as Config, name, parsed.data));
}

function unknown(what: string, name: string | undefined, known: object): string | undefined {
  if (name === undefined || Object.hasOwn(known, name)) return undefined;
  return `no ${what} is named "${name}"${didYouMean(name, Object.keys(known))}`;
}

function sentence(findings: readonly Finding[]): string {
  const told = findings.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  );
  return told.slice(0, 3).join('; ');
}
