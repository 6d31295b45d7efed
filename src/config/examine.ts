/**
 * What a pass needs to know of a configuration before it decides: how it differs from the one in force
 * and from the one the process booted with.
 *
 * Input: two complete configurations and what was remembered. Output: `Read`, small whatever the size of
 * the configuration. Pure.
 */
import type { JsonObject } from '../../machines/model/json.js';
import {
  HOOKS,
  type HookName,
  type Names,
  NOBODY,
  type Outcome,
  type Read,
  retire,
} from '../policy/reload.js';
import type { Config } from './complete.js';
import { diffConfig, fieldsThat, pathsThat } from './diff.js';
import { configLimits } from './limits.js';
import type { Problem } from './problem.js';
import { namesOf } from './site.js';

/** The configuration that is compared, and what a check of its surroundings found. */
export interface Candidate {
  readonly config: Config;
  readonly hash: string;
  readonly unprepared: readonly Unprepared[];
}

/** A hook that could not apply it. */
export interface Unprepared {
  readonly hook: HookName;
  readonly problem: Problem;
}

export interface Remembered {
  readonly committed: Config | undefined;
  /** The restart-only fields of what the process booted with; `null`: it boots with this one. */
  readonly booted: JsonObject | null;
  readonly retired: Names;
}

export function compareConfig({ config, hash, unprepared }: Candidate, past: Remembered): Read {
  const { committed } = past;
  const changes = committed === undefined ? [] : diffConfig(committed, config);
  const atStart = fieldsThat(config, 'restart');
  const booted = past.booted === null ? atStart : fieldsThat(asConfig(past.booted), 'restart');
  const pending = diffConfig(asConfig(booted), asConfig(atStart))
    .filter(({ follows }) => follows === undefined)
    .map(({ path }) => path);
  const names = namesOf(config);
  const before = committed === undefined ? NOBODY : namesOf(committed);
  const retired = retire(past.retired, before, names);
  return {
    kind: 'read',
    hash,
    atStart,
    counts: countsOf(names),
    retired,
    appeared: retire(NOBODY, names, before),
    diff: changes.slice(0, configLimits.changesMax).map(({ apply: _, ...shown }) => shown),
    changes: changes.length,
    requiresRestart: pending,
    disruptive: pathsThat(changes, 'disruptive').slice(0, configLimits.changesMax),
    skipped: skippedHooks([config, ...(committed === undefined ? [] : [committed])], retired),
    unprepared: outcomesOf(unprepared),
    problems: unprepared.map(({ problem }) => ({ ...problem })),
    hookTimeoutMs: config.reload.hookTimeout,
    mode: config.reload.mode,
  };
}

function countsOf({ tenants, backends, frontends }: Names): Read['counts'] {
  return { tenants: tenants.length, backends: backends.length, frontends: frontends.length };
}

function outcomesOf(unprepared: readonly Unprepared[]): readonly Outcome[] {
  const found = new Map<HookName, string[]>();
  for (const { hook, problem } of unprepared) {
    found.set(hook, [...(found.get(hook) ?? []), problem.message]);
  }
  return HOOKS.flatMap((name) => {
    const error = found.get(name)?.join('; ');
    return error === undefined ? [] : [{ name, status: 'failed', error } as const];
  });
}

/** Parts that neither the old nor the new configuration has. */
function skippedHooks(both: readonly Config[], retired: Names): readonly HookName[] {
  const none = (has: (one: Config) => boolean): boolean => !both.some(has);
  const filled = (objects: object): boolean => Object.keys(objects).length > 0;
  const absent: readonly (readonly [HookName, boolean])[] = [
    ['tls_certificate', none(({ api }) => Object.values(api.tls).some(Boolean))],
    ['inspector', none(({ inspector }) => inspector.enabled)],
    ['providers', none(({ providers }) => filled(providers))],
    ['pools', none(({ node }) => filled(node.addressPools))],
    ['dataplane', none(({ dataplane }) => dataplane.driver !== 'none')],
    ['outbox', none(({ outbox }) => outbox.sink.driver !== 'nop')],
    ['tenancy', none(({ tenancy }) => tenancy !== undefined)],
    ['backends', none(({ backends }) => filled(backends))],
    ['frontends', none(({ frontends }) => filled(frontends))],
    ['tenants', none(({ tenants }) => filled(tenants))],
    ['removals', Object.values(retired).every((names) => names.length === 0)],
  ];
  return absent.flatMap(([name, isAbsent]) => (isAbsent ? [name] : []));
}

/** Plain data that a load produced, straight from the file or back from the store. */
export function asConfig(config: JsonObject): Config {
  return config as unknown as Config;
}
