/**
 * What leaves the node through the inspector: contexts and events without secrets, and not too large.
 *
 * Input: JSON, the secrets of the configuration in force. Output: the same JSON in which
 *
 *   a value under a name that secrets have, and every value of an environment   its fingerprint
 *   a known secret, a password in a URL, a private key, inside of any text      ***
 *   long lists, objects and texts                                               cut, and said so
 *
 * Rules: [CL-55] no frame holds a secret; a fingerprint tells that one changed and not what it is.
 */
import type { Json, JsonObject } from '../../../machines/model/json.js';
import { digestOf } from '../../config/canonical.js';

export interface SanitiseOptions {
  /** Of the configuration in force. */
  readonly secrets: readonly string[];
  readonly itemsMax: number;
  readonly textMax: number;
}

const SECRET_NAME =
  /(^|[_\-.])(token|bearer|secret|password|passwd|passphrase|pwd|credentials?|cookie|authorization|api[_-]?key|private[_-]?key|access[_-]?key)$/i;
/** As in `authToken`, `clientSecret`. */
const SECRET_HUMP =
  /(Token|Bearer|Secret|Password|Passphrase|Credentials?|Cookie|ApiKey|PrivateKey)$/;
const FINGERPRINT = /^secret:[0-9a-f]{12}$/;
const URL_PASSWORD = /(\/\/[^/\s:@]*:)[^/\s@]+@/g;
const PRIVATE_KEY =
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g;
const HIDDEN = '***';

export function sanitise<T extends Json>(value: T, options: SanitiseOptions): T {
  return clean(value, options) as T;
}

function clean(value: Json, options: SanitiseOptions): Json {
  if (typeof value === 'string') return text(value, options);
  if (Array.isArray(value)) return list(value, options);
  if (typeof value === 'object' && value !== null) return fields(value as JsonObject, options);
  return value;
}

function list(items: readonly Json[], options: SanitiseOptions): Json {
  const shown = items.slice(0, options.itemsMax).map((item) => clean(item, options));
  const more = items.length - shown.length;
  return more === 0 ? shown : [...shown, `… and ${more} more`];
}

function fields(object: JsonObject, options: SanitiseOptions): JsonObject {
  const entries = Object.entries(object).filter(
    (entry): entry is [string, Json] => entry[1] !== undefined,
  );
  const shown = entries.slice(0, options.itemsMax).map(([name, field]) => {
    // Who put a secret into a name is not to be told it either.
    const key = text(name, options);
    return [key, isSecret(name) ? withheld(field) : shownField(name, field, options)] as const;
  });
  const more = entries.length - shown.length;
  return Object.fromEntries(more === 0 ? shown : [...shown, ['…', `and ${more} more`]]);
}

function shownField(name: string, field: Json, options: SanitiseOptions): Json {
  const isEnvironment = name === 'env' && typeof field === 'object' && field !== null;
  if (!isEnvironment || Array.isArray(field)) return clean(field, options);
  const all = Object.entries(field).map(([key, value]) => [key, withheld(value)] as const);
  return fields(Object.fromEntries(all), options);
}

function isSecret(name: string): boolean {
  return SECRET_NAME.test(name) || SECRET_HUMP.test(name);
}

/** Nothing is no secret, and a fingerprint is safe already. */
function withheld(field: Json | undefined): Json {
  if (field === undefined || field === null) return null;
  if (field === '' || typeof field === 'boolean') return field;
  if (typeof field === 'string' && FINGERPRINT.test(field)) return field;
  return `secret:${digestOf(field).slice(0, 12)}`;
}

/** The secrets go first: cut short, one would not be recognised. */
function text(value: string, { secrets, textMax }: SanitiseOptions): string {
  const bare = secrets
    .filter((secret) => secret !== '')
    .reduce((some, secret) => some.replaceAll(secret, HIDDEN), value)
    .replaceAll(URL_PASSWORD, `$1${HIDDEN}@`)
    .replaceAll(PRIVATE_KEY, HIDDEN);
  return bare.length <= textMax ? bare : `${bare.slice(0, textMax)}… (${bare.length} characters)`;
}
