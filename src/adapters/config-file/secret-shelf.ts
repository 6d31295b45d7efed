/**
 * The secrets of configuration files that were read, by the hash of what they configure: until one of them
 * is adopted nobody uses them.
 *
 * Rule: [CF-19] secrets in use, and those of the configuration a pass may go back to, are never displaced by
 * files that were only looked at.
 */
import type { Secrets } from '../../config/secrets.js';

export interface SecretShelf {
  hold(hash: string, secrets: Secrets): void;
  /** Unknown: no change, or the latest ones when none were adopted yet. */
  adopt(hash: string): void;
  secret(path: string): string | undefined;
}

/** Files that were looked at and not adopted. */
const HELD_MAX = 4;
/** The one in force, and the one before it. */
const ADOPTED_MAX = 2;

export function createSecretShelf(): SecretShelf {
  const held = new Map<string, Secrets>();
  /** The latest last. */
  let adopted: readonly string[] = [];
  let current: Secrets | undefined;
  let latest: Secrets | undefined;

  const tidy = (): void => {
    const others = [...held.keys()].filter((hash) => !adopted.includes(hash));
    for (const old of others.slice(0, -HELD_MAX)) held.delete(old);
  };

  return {
    hold: (hash, secrets) => {
      held.delete(hash);
      held.set(hash, secrets);
      latest = secrets;
      tidy();
    },
    adopt: (hash) => {
      // A new process that keeps an older configuration has only the secrets of the new file.
      current = held.get(hash) ?? current ?? latest;
      adopted = [...adopted.filter((other) => other !== hash), hash].slice(-ADOPTED_MAX);
    },
    secret: (path) => current?.[path],
  };
}
