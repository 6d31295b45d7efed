/**
 * What the reload actor finds out before it decides: loads the file and compares.
 *
 * Input: the committed and the booted configuration (plain data, as stored), the port. Output:
 * `Examined`, for every outcome.
 */
import type { JsonObject } from '../machines/model/json.js';
import type { LoadParams } from '../machines/reload-memory.js';
import type { Config } from '../src/config/complete.js';
import { diffConfig, fieldsThat, pathsThat } from '../src/config/diff.js';
import { configLimits } from '../src/config/limits.js';
import { namesOf } from '../src/config/site.js';
import type { Examined, HookName } from '../src/policy/reload.js';
import type { ConfigFile } from '../src/ports/config-file.js';

export async function examine(file: ConfigFile, params: LoadParams): Promise<Examined> {
  const loaded = await file.load();
  if (!loaded.ok) return { kind: 'unreadable', problems: loaded.failure.map(toJson) };
  const { hash } = loaded.value;
  const config = asConfig(loaded.value.config);
  const committed = params.committed === null ? undefined : asConfig(params.committed);
  const changes = committed === undefined ? [] : diffConfig(committed, config);
  const atStart = fieldsThat(config, 'restart');
  const booted = params.booted === null ? atStart : fieldsThat(asConfig(params.booted), 'restart');
  const pending = diffConfig(asConfig(booted), asConfig(atStart)).map(({ path }) => path);
  return {
    kind: 'read',
    hash,
    config: loaded.value.config,
    atStart,
    names: namesOf(config),
    diff: changes
      .slice(0, configLimits.changesMax)
      .map(({ path, from, to }) => ({ path, from, to })),
    requiresRestart: pending,
    disruptive: pathsThat(changes, 'disruptive'),
    skipped: skippedHooks(config, committed),
    hookTimeoutMs: config.reload.hookTimeout,
    logLevel: config.log.level,
  };
}

/** Parts that neither the old nor the new configuration has. */
function skippedHooks(config: Config, committed: Config | undefined): readonly HookName[] {
  const both = [config, ...(committed === undefined ? [] : [committed])];
  const none = (count: (one: Config) => number): boolean => both.every((one) => count(one) === 0);
  const empty: readonly (readonly [HookName, boolean])[] = [
    ['providers', none((one) => Object.keys(one.providers).length)],
    ['pools', none((one) => Object.keys(one.node.addressPools).length)],
    ['tenants', none((one) => Object.keys(one.tenants).length)],
    ['backends', none((one) => Object.keys(one.backends).length)],
    ['frontends', none((one) => Object.keys(one.frontends).length)],
    ['dataplane', config.dataplane.driver === 'none'],
    ['outbox', config.outbox.sink.driver === 'nop'],
    ['tenancy', config.tenancy === undefined],
  ];
  return empty.flatMap(([name, isEmpty]) => (isEmpty ? [name] : []));
}

/** Plain data that a load produced, straight from the port or back from the store. */
export function asConfig(config: JsonObject): Config {
  return config as unknown as Config;
}

function toJson(value: object): JsonObject {
  return value as JsonObject;
}
