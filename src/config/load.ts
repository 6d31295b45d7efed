/**
 * Text → configuration, or every problem of the file at once.
 *
 * Steps: clean text → YAML → tree with variables expanded → schema → completion → semantic checks.
 * A syntax error ends the reading: nothing after it can be trusted. Schema problems do not: what
 * failed is left out (its default stands in) so that the semantic checks still see the rest.
 */
import { dirname } from 'node:path';
import { fail, ok, type Result } from '../../machines/model/result.js';
import { digestOf } from './canonical.js';
import type { CheckContext, Section } from './checks/context.js';
import { checkFrontends } from './checks/frontends.js';
import { checkNode } from './checks/node.js';
import { checkObjects } from './checks/objects.js';
import { checkReferences } from './checks/references.js';
import { checkVips } from './checks/vips.js';
import { type Config, completeConfig, type Place } from './complete.js';
import { readYaml, type YamlDocument } from './document.js';
import type { Environment } from './expand.js';
import { findingsOf, valueAt } from './issues.js';
import { arrangeProblems, type Finding, type Path, type Problem, printPath } from './problem.js';
import { salvage } from './salvage.js';
import { configSchema } from './schema.js';
import { type Secrets, takeSecrets } from './secrets.js';
import { cleanText, decodeText } from './text.js';
import { readTree } from './tree.js';

export interface ConfigSource {
  readonly text: string;
  /** Absolute; printed in problems, and relative paths start beside it. */
  readonly file: string;
  readonly env: Environment;
  /** Becomes the node's name when the file gives none. */
  readonly hostname?: string;
  /** Absolute; wins over `node.dataDir`. */
  readonly dataDir?: string | undefined;
}

export interface LoadedConfig {
  readonly config: Config;
  /** Digest of the configuration: equal digests configure the same node. */
  readonly hash: string;
  readonly secrets: Secrets;
  /** Where the file says something, for problems that are found later. */
  locate(findings: readonly Finding[]): readonly Problem[];
}

export function parseConfig(source: ConfigSource): Result<Config, readonly Problem[]> {
  const loaded = loadConfig(source);
  return loaded.ok ? ok(loaded.value.config) : loaded;
}

/** As `loadConfig`, from the bytes of the file. */
export function loadConfigBytes(
  source: Omit<ConfigSource, 'text'> & { readonly bytes: Uint8Array },
): Result<LoadedConfig, readonly Problem[]> {
  const text = decodeText(source.bytes);
  if (!text.ok) return fail(locateAll(source.file, [text.failure], undefined));
  return loadConfig({ ...source, text: text.value });
}

export function loadConfig(source: ConfigSource): Result<LoadedConfig, readonly Problem[]> {
  const clean = cleanText(source.text);
  if (!clean.ok) return fail(locateAll(source.file, [clean.failure], undefined));
  const yaml = readYaml(clean.value);
  if (!yaml.ok) return fail(locateAll(source.file, yaml.failure, undefined));
  const { file, hostname = '', dataDir } = source;
  const place = { directory: dirname(file), hostname, dataDir };
  const read = readConfig(yaml.value, source.env, place);
  const locate = (findings: readonly Finding[]) => locateAll(file, findings, yaml.value);
  return read.ok ? ok({ ...read.value, locate }) : fail(locate(read.failure));
}

function readConfig(
  yaml: YamlDocument,
  env: Environment,
  place: Place,
): Result<Omit<LoadedConfig, 'locate'>, readonly Finding[]> {
  const tree = readTree(yaml, env);
  const value = tree.value ?? {};
  const parsed = configSchema.safeParse(value);
  const issues = parsed.success ? [] : findingsOf(configSchema, value, parsed.error.issues);
  const told = issues.filter((finding) => !tree.unusable.some((path) => within(finding, path)));
  const usable = parsed.success ? parsed.data : salvage(configSchema, value);
  const findings = [...tree.findings, ...told];
  if (usable === undefined) return fail(findings);
  const bare = takeSecrets(usable);
  const config: Config = completeConfig(bare.config, place);
  const context = contextOf(config, value);
  const said = CHECKS.flatMap((check) => check(context));
  // What a whole lacks because a part of it was unusable is no problem of its own.
  const all = [...findings, ...said.filter(({ path }) => !findings.some(isBelow(path)))];
  if (all.length > 0) return fail(all);
  return ok({ config: freeze(config), hash: digestOf(config), secrets: bare.secrets });
}

const CHECKS: readonly ((context: CheckContext) => readonly Finding[])[] = [
  checkReferences,
  checkObjects,
  checkFrontends,
  checkVips,
  checkNode,
];

function contextOf(config: Config, tree: unknown): CheckContext {
  const keysOf = (path: Path): ReadonlySet<string> => {
    const value = valueAt(tree, path);
    return new Set(typeof value === 'object' && value !== null ? Object.keys(value) : []);
  };
  const names = new Map<Section, ReadonlySet<string>>();
  const addressPools = keysOf(['node', 'addressPools']);
  return {
    config,
    names: (section) => {
      const known = names.get(section) ?? keysOf([section]);
      names.set(section, known);
      return known;
    },
    addressPools: () => addressPools,
    groupsOf: (tenant) => keysOf(['tenants', tenant, 'groups']),
  };
}

function within(finding: Finding, path: Path): boolean {
  return path.length <= finding.path.length && path.every((part, at) => finding.path[at] === part);
}

function isBelow(path: Path): (finding: Finding) => boolean {
  return (finding) => finding.path.length > path.length && within(finding, path);
}

function locateAll(
  file: string,
  findings: readonly Finding[],
  yaml: YamlDocument | undefined,
): readonly Problem[] {
  const problems = findings.map(({ path, message, code, atKey, position }) => {
    const found = position ?? yaml?.locate(path, atKey ?? false) ?? { line: 1, column: 1 };
    return { file, line: found.line, column: found.column, path: printPath(path), message, code };
  });
  return arrangeProblems(problems);
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const field of Object.values(value)) freeze(field);
  }
  return value;
}
