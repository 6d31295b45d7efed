/**
 * YAML document → plain data, variables expanded.
 *
 * Input: the document and the environment. Output: a tree of strings, numbers, booleans, nulls,
 * lists and objects, the findings met on the way, and the paths whose value is unusable (so that
 * nobody reports them twice). A plain (unquoted) scalar gets its type after expansion: `port: ${P}`
 * is a number when P is one; in quotes it stays text.
 */
import { isAlias, isMap, isScalar, isSeq, type Node, Scalar, type YAMLMap } from 'yaml';
import { keyText, type YamlDocument } from './document.js';
import { type Environment, expandVariables, mentionsVariable } from './expand.js';
import { configLimits } from './limits.js';
import type { Finding, Path } from './problem.js';

export interface Tree {
  readonly value: unknown;
  readonly findings: readonly Finding[];
  readonly unusable: readonly Path[];
}

interface Reader {
  readonly document: YamlDocument;
  readonly env: Environment;
  readonly findings: Finding[];
  readonly unusable: Path[];
  aliases: number;
  values: number;
}

const CORE_TAG = /^tag:yaml\.org,2002:(str|int|float|bool|null|map|seq)$/;

export function readTree(document: YamlDocument, env: Environment): Tree {
  const reader: Reader = { document, env, findings: [], unusable: [], aliases: 0, values: 0 };
  const value = read(reader, document.root, [], 0);
  return { value, findings: reader.findings, unusable: reader.unusable };
}

function read(reader: Reader, node: Node | undefined, path: Path, depth: number): unknown {
  reader.values += 1;
  if (reader.values > configLimits.valuesMax) return refuse(reader, path, 'too many values');
  if (depth > configLimits.depthMax) {
    return refuse(reader, path, `nested more than ${configLimits.depthMax} levels deep`);
  }
  if (isAlias(node)) return readAlias(reader, node.source, path, depth);
  if (node !== undefined && 'tag' in node && node.tag && !CORE_TAG.test(node.tag)) {
    return refuse(reader, path, TAG);
  }
  if (isMap<Node, Node | null>(node)) return readMap(reader, node, path, depth);
  if (isSeq<Node>(node)) {
    return node.items.map((item, index) => read(reader, item, [...path, index], depth + 1));
  }
  return isScalar(node) ? readScalar(reader, node, path) : null;
}

function readMap(
  reader: Reader,
  map: YAMLMap<Node, Node | null>,
  path: Path,
  depth: number,
): Readonly<Record<string, unknown>> {
  const entries = new Map<string, unknown>();
  for (const pair of map.items) {
    const key = keyText(pair);
    const problem = problemWithKey(key, entries);
    if (key === undefined || problem !== undefined) {
      refuseKey(reader, path, pair.key?.range?.[0] ?? 0, problem ?? UNREADABLE_KEY);
      continue;
    }
    entries.set(key, read(reader, pair.value ?? undefined, [...path, key], depth + 1));
  }
  return Object.fromEntries(entries);
}

/** Neither quotes what is there: it may be a secret that somebody forgot to put in quotes. */
const TAG = 'a tag, which is not supported; text that begins with ! must be quoted';
const NO_ANCHOR = 'an alias of an anchor that is not there; text that begins with * must be quoted';
const UNREADABLE_KEY = 'a key must be plain text';

function problemWithKey(
  key: string | undefined,
  earlier: ReadonlyMap<string, unknown>,
): string | undefined {
  if (key === undefined) return UNREADABLE_KEY;
  if (key === '<<') return 'merge keys (<<) are not part of YAML 1.2';
  if (key === '' || key === '__proto__') return `"${key}" cannot be a key`;
  return earlier.has(key) ? 'this key appears twice in its mapping' : undefined;
}

function readAlias(reader: Reader, name: string, path: Path, depth: number): unknown {
  reader.aliases += 1;
  if (reader.aliases > configLimits.aliasesMax) {
    reader.unusable.push(path);
    if (reader.aliases > configLimits.aliasesMax + 1) return undefined;
    return refuse(reader, path, `more than ${configLimits.aliasesMax} aliases are expanded`);
  }
  const target = reader.document.anchors.get(name);
  if (target === undefined) return refuse(reader, path, NO_ANCHOR);
  return read(reader, target, path, depth + 1);
}

function readScalar(reader: Reader, scalar: Scalar, path: Path): unknown {
  const { value } = scalar;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'string' || !mentionsVariable(value)) return value;
  const expanded = expandVariables(value, reader.env);
  if (!expanded.ok) return refuse(reader, path, expanded.failure);
  return scalar.type === Scalar.PLAIN ? typed(expanded.value) : expanded.value;
}

/** The type of a plain scalar by YAML's core schema. */
function typed(text: string): unknown {
  if (/^(~|null|Null|NULL)?$/.test(text)) return null;
  if (/^(true|True|TRUE)$/.test(text)) return true;
  if (/^(false|False|FALSE)$/.test(text)) return false;
  if (/^[-+]?[0-9]+$/.test(text) || /^0x[0-9a-fA-F]+$/.test(text) || /^0o[0-7]+$/.test(text)) {
    return Number(text);
  }
  return /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/.test(text) ? Number(text) : text;
}

function refuse(reader: Reader, path: Path, message: string): undefined {
  if (reader.findings.length < configLimits.problemsMax) {
    reader.findings.push({ path, message, code: 'parse' });
  }
  reader.unusable.push(path);
  return undefined;
}

function refuseKey(reader: Reader, path: Path, offset: number, message: string): void {
  if (reader.findings.length >= configLimits.problemsMax) return;
  reader.findings.push({ path, message, code: 'parse', position: reader.document.at(offset) });
}
