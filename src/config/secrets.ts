/**
 * Takes the secrets out of a configuration.
 *
 * Input: a parsed configuration. Output: the same with each secret replaced by a fingerprint (short,
 * so that it tells *that* a secret changed and not what it is), and the secrets beside it by path.
 * Nothing that prints, stores, compares or sends a `Config` can therefore leak one.
 */
import { digestOf } from './canonical.js';
import { mapLeaves } from './fields.js';
import { printPath } from './problem.js';
import { configSchema } from './schema.js';

/** By path, e.g. `tenancy.auth.token`. */
export type Secrets = Readonly<Record<string, string>>;

const FINGERPRINT_DIGITS = 12;

export function takeSecrets<C>(config: C): { readonly config: C; readonly secrets: Secrets } {
  const secrets: Record<string, string> = {};
  const bare = mapLeaves(configSchema, config, (leaf, note, path) => {
    if (note?.secret !== true || typeof leaf !== 'string') return leaf;
    secrets[printPath(path)] = leaf;
    return `secret:${digestOf(leaf).slice(0, FINGERPRINT_DIGITS)}`;
  });
  return { config: bare as C, secrets };
}
