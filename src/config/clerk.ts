/**
 * The clerk: has one configuration before it and answers questions about it, piece by piece. It works in
 * a thread of its own, so that nobody else waits while it reads.
 *
 * Input and output are plain data that crosses threads; every answer is bounded, whatever the size of
 * the configuration. `Surroundings` are what only the outside can tell (certificates, programs).
 */
import type { JsonObject } from '../../machines/model/json.js';
import { fail, ok, type Result } from '../../machines/model/result.js';
import { HOOKS, type HookName, type Names, NOBODY, type Read } from '../policy/reload.js';
import type { ConfigLetter, Problem } from '../ports/config-file.js';
import type { Config } from './complete.js';
import { asConfig, compareConfig, type Unprepared } from './examine.js';
import type { Environment } from './expand.js';
import { isLetterHook, lettersOf, permitRecreation } from './letters.js';
import { type LoadedConfig, loadConfigBytes } from './load.js';
import { packConfig, unpackConfig } from './pack.js';
import type { Finding } from './problem.js';
import type { Secrets } from './secrets.js';
import { settingsFor } from './settings.js';
import { deriveSite, namesOf, type Site } from './site.js';

export interface ReadRequest {
  readonly bytes: Uint8Array;
  readonly file: string;
  readonly env: Environment;
  readonly hostname: string;
  readonly dataDir: string | undefined;
}

/** One of the store's: its parts, or its content where a row has it. */
export interface Stored {
  readonly hash: string;
  readonly parts: readonly string[] | null;
  readonly inline: JsonObject | null;
}

export interface CompareRequest {
  readonly committed: Stored | null;
  readonly booted: JsonObject | null;
  readonly retired: Names;
  readonly prepare: boolean;
}

export interface LettersRequest {
  readonly hook: string;
  readonly generation: number;
  readonly retired: Names;
  /** Needed for the first batch alone. */
  readonly previous: Stored | null;
  readonly mayRecreate: boolean;
  /** The first one wanted: 0, or the one after a batch that was given. */
  readonly from: number;
}

export interface LettersAnswer {
  readonly letters: readonly ConfigLetter[];
  readonly more: boolean;
}

/** What a hook finds wrong with the outside a configuration names. */
export type Surroundings = (
  config: Config,
) => readonly { readonly hook: HookName; readonly finding: Finding }[];

/** One batch: what an event loop takes in within a few ms. */
const LETTERS_MAX = 128;

export interface Clerk {
  read(
    request: ReadRequest,
  ): Result<{ readonly hash: string; readonly secrets: Secrets }, readonly Problem[]>;
  take(stored: Stored): Result<{ readonly hash: string }, string>;
  compare(request: CompareRequest): Read;
  pack(request: { readonly partCharacters: number }): readonly string[];
  settings(request: { readonly hook: string }): JsonObject;
  letters(request: LettersRequest): LettersAnswer;
  /** What a process needs of it before it is up: everything but what actors are told. */
  atBoot(request: null): Config;
}

export function createClerk(surroundings: Surroundings): Clerk {
  let loaded: LoadedConfig | undefined;
  let current: { readonly config: Config; readonly hash: string } | undefined;
  /** Whoever asks for the rest of some means these, whatever others have asked for meanwhile. */
  const written = new Map<string, readonly ConfigLetter[]>();
  let derived: Site | undefined;

  const mine = (): { readonly config: Config; readonly hash: string } => {
    if (current === undefined) throw new Error('there is no configuration here');
    return current;
  };

  const siteOf = (generation: number): Site => {
    if (derived?.generation !== generation) derived = deriveSite(mine().config, generation);
    return derived;
  };

  const write = (request: LettersRequest): readonly ConfigLetter[] => {
    const { hook, generation, mayRecreate } = request;
    const name = HOOKS.find((known) => known === hook);
    if (name === undefined || !isLetterHook(name)) return [];
    const site = siteOf(generation);
    const told = mayRecreate ? permitRecreation(site) : site;
    return lettersOf(name, told, name === 'removals' ? vanished(request, mine().config) : NOBODY);
  };

  return {
    read: (request) => {
      const read = loadConfigBytes(request);
      if (!read.ok) return read;
      loaded = read.value;
      current = { config: loaded.config, hash: loaded.hash };
      return ok({ hash: loaded.hash, secrets: loaded.secrets });
    },
    take: (stored) => {
      const config = contentOf(stored);
      if (!config.ok) return config;
      current = { config: config.value, hash: stored.hash };
      return ok({ hash: stored.hash });
    },
    compare: ({ committed, booted, retired, prepare }) => {
      const { config, hash } = mine();
      const before = committed === null ? undefined : contentOf(committed);
      const unprepared = prepare ? locate(loaded, surroundings(config)) : [];
      const past = { committed: before?.ok === true ? before.value : undefined, booted, retired };
      return compareConfig({ config, hash, unprepared }, past);
    },
    pack: ({ partCharacters }) => packConfig(mine().config, partCharacters),
    settings: ({ hook }) => settingsFor(hook, mine().config),
    letters: (request) => {
      const { hook, generation, mayRecreate, from } = request;
      const key = `${hook} ${generation} ${mayRecreate}`;
      const all = from === 0 ? write(request) : written.get(key);
      if (all === undefined) throw new Error(`the first letters of ${hook} were never asked for`);
      written.set(key, all);
      const letters = all.slice(from, from + LETTERS_MAX);
      return { letters, more: from + letters.length < all.length };
    },
    atBoot: () => {
      const none = { tenants: {}, backends: {}, frontends: {}, templates: {}, healthChecks: {} };
      return { ...mine().config, ...none };
    },
  };
}

function contentOf({ hash, parts, inline }: Stored): Result<Config, string> {
  if (inline !== null) return ok(asConfig(inline));
  if (parts === null) return fail(`configuration ${hash} is not in the store`);
  return unpackConfig(parts, hash);
}

/** All names that are gone, however many: those of the last commit, and the ones remembered. */
function vanished({ previous, retired }: LettersRequest, config: Config): Names {
  const before = previous === null ? undefined : contentOf(previous);
  if (before?.ok !== true) return retired;
  const [was, is] = [namesOf(before.value), namesOf(config)];
  const gone = (kind: keyof Names): readonly string[] => {
    const kept = new Set(is[kind]);
    const all = new Set([...was[kind], ...retired[kind]]);
    return [...all].filter((name) => !kept.has(name));
  };
  return { tenants: gone('tenants'), backends: gone('backends'), frontends: gone('frontends') };
}

/** With their places in the file; what comes from the store has none. */
function locate(
  loaded: LoadedConfig | undefined,
  found: ReturnType<Surroundings>,
): readonly Unprepared[] {
  return found.flatMap(({ hook, finding }) =>
    (loaded?.locate([finding]) ?? []).map((problem) => ({ hook, problem })),
  );
}
