/**
 * What people call the groups and frontends of a plan: a project's by the project's name, which its
 * tenant's id does not say.
 *
 * Input: tenants as they are and as they would be. Output: rows with a `label` where a name says more.
 */
import type { TenantSpec } from '../../machines/model/desired.js';
import type { JsonObject } from '../../machines/model/json.js';

/** `key` is `tenant/name`. */
export type Labelled = (row: JsonObject, key: string) => JsonObject;

export function labelsOf(
  wanted: readonly Pick<TenantSpec, 'id' | 'displayName'>[],
  known: readonly JsonObject[],
): Labelled {
  const names = new Map<string, string>();
  for (const { id, name } of known) names.set(String(id), String(name));
  for (const { id, displayName } of wanted) names.set(id, displayName);
  const counts = new Map<string, number>();
  for (const name of names.values()) counts.set(name, (counts.get(name) ?? 0) + 1);
  return (row, key) => {
    const slash = key.indexOf('/');
    const [tenant, rest] = [key.slice(0, slash), key.slice(slash)];
    const name = slash < 0 ? undefined : names.get(tenant);
    // Projects of different orgs may have one name: then only the id tells them apart.
    if (name === undefined || name === tenant || counts.get(name) !== 1) return row;
    return { ...row, label: `${name}${rest}` };
  };
}
