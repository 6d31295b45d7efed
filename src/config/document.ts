/**
 * Text → YAML document with positions.
 *
 * Input: clean text. Output: one YAML 1.2 document and a way to find the position of any path in
 * it, or every syntax error. Nesting is measured on the token tree before anything recursive sees
 * it: a few thousand `[` would otherwise exhaust the stack inside the YAML library, which V8 may
 * answer by ending the process.
 */
import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  Parser,
  visit,
} from 'yaml';
import { fail, ok, type Result } from '../../machines/model/result.js';
import { configLimits } from './limits.js';
import { linesOf } from './lines.js';
import type { Finding, Path, Position } from './problem.js';

export interface YamlDocument {
  readonly root: Node | undefined;
  readonly anchors: ReadonlyMap<string, Node>;
  at(offset: number): Position;
  /** Of the value at `path` (or of its key), or of its nearest parent that exists. */
  locate(path: Path, atKey: boolean): Position;
}

const OPTIONS = {
  version: '1.2',
  strict: true,
  prettyErrors: false,
  resolveKnownTags: false,
  // The library compares every key with every other; src/config/tree.ts finds repetitions by name.
  uniqueKeys: false,
} as const;

export function readYaml(text: string): Result<YamlDocument, readonly Finding[]> {
  const at = linesOf(text);
  const tokens = [...new Parser().parse(text)];
  const deep = tooDeep(tokens);
  if (deep !== undefined) {
    const message = `nested more than ${configLimits.depthMax} levels deep`;
    return fail([syntax(at(deep), message)]);
  }
  const composer = new Composer(OPTIONS);
  const documents = [...composer.compose(tokens, true, text.length)];
  const findings = documents.flatMap((document) => syntaxErrors(document, at, text));
  const second = documents[1];
  if (second !== undefined) {
    const message = 'a second document starts here; one file is one document';
    findings.push(syntax(at(second.range[0]), message));
  }
  const [first] = documents;
  if (findings.length > 0 || first === undefined) return fail(firstOfEachLine(findings));
  return ok(locatable(first, at));
}

/** Offset of the first token below the deepest allowed level. Iterative on purpose. */
function tooDeep(tokens: readonly CST.Token[]): number | undefined {
  const open = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next;
    if (depth > configLimits.depthMax) return 'offset' in token ? token.offset : 0;
    if (token.type === 'document' && token.value !== undefined) {
      open.push({ token: token.value, depth });
    }
    if (!('items' in token)) continue;
    for (const item of token.items) {
      if (item.key) open.push({ token: item.key, depth: depth + 1 });
      if (item.value) open.push({ token: item.value, depth: depth + 1 });
    }
  }
  return undefined;
}

/**
 * One mistake often earns several errors where it stands; the first says most. And once it has ended
 * the document early, every line after it is out of place, which says nothing about those lines.
 */
function firstOfEachLine(findings: readonly Finding[]): readonly Finding[] {
  const lines = new Set<number | undefined>();
  return findings.filter(({ message, position }) => {
    if (lines.has(position?.line) || (lines.size > 0 && OUT_OF_PLACE.test(message))) return false;
    lines.add(position?.line);
    return true;
  });
}

/** What the YAML library says of a token after the end of the document. */
const OUT_OF_PLACE = /unexpected .* token in YAML stream/;

type At = (offset: number) => Position;

function syntaxErrors(document: Document.Parsed, at: At, text: string): Finding[] {
  const findings = document.errors.map((error) => {
    return syntax(at(error.pos[0]), sayError(error.code, error.message, text, error.pos[0]));
  });
  const version = document.directives?.yaml.version;
  if (version !== '1.2') findings.push(syntax(at(0), `YAML ${version}; only YAML 1.2 is read`));
  return findings;
}

function sayError(code: string, message: string, text: string, offset: number): string {
  if (text.slice(offset - 1, offset + 1) === '${') {
    return `inside { } or [ ] a variable must be quoted: "\${NAME}"`;
  }
  if (code === 'TAB_AS_INDENT') return 'tab used as indentation; use spaces';
  const told =
    code === 'TAG_RESOLVE_FAILED' ? 'a tag that cannot be resolved' : withoutQuote(message);
  return `not valid YAML: ${told.charAt(0).toLowerCase()}${told.slice(1)}`;
}

/** Of what the YAML library quotes: it may be part of a secret, and its place says which text is meant. */
function withoutQuote(message: string): string {
  return message.replace(/(?<!found): .*$/s, '').replace(/ \\.*$/s, '');
}

function syntax(position: Position, message: string): Finding {
  return { path: [], position, message, code: 'parse' };
}

function locatable(document: Document.Parsed, at: At): YamlDocument {
  const anchors = new Map<string, Node>();
  visit(document, {
    Node: (_, node) => {
      if (!isAlias(node) && node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  const root = document.contents ?? undefined;
  return { root, anchors, at, locate: (path, atKey) => at(offsetOf(root, anchors, path, atKey)) };
}

function offsetOf(
  root: Node | undefined,
  anchors: ReadonlyMap<string, Node>,
  path: Path,
  atKey: boolean,
): number {
  let offset = root?.range?.[0] ?? 0;
  let node = root;
  for (const [index, part] of path.entries()) {
    const target = isAlias(node) ? anchors.get(node.source) : node;
    const step = childOf(target, part);
    if (step === undefined) return offset;
    const toKey = step.key !== undefined && ((atKey && index === path.length - 1) || !step.value);
    offset = (toKey ? step.key : step.value)?.range?.[0] ?? offset;
    node = step.value;
  }
  return offset;
}

interface Step {
  readonly key: Node | undefined;
  readonly value: Node | undefined;
}

function childOf(node: Node | undefined, part: string | number): Step | undefined {
  if (isSeq<Node>(node)) {
    const value = node.items[Number(part)];
    return value === undefined ? undefined : { key: undefined, value };
  }
  if (!isMap<Node, Node | null>(node)) return undefined;
  const pair = node.items.find((item) => keyText(item) === String(part));
  return pair === undefined ? undefined : { key: pair.key, value: pair.value ?? undefined };
}

/** A key as text: what was written, so that `80:` is "80". */
export function keyText(pair: Pair<Node, Node | null>): string | undefined {
  if (!isScalar(pair.key)) return undefined;
  return typeof pair.key.value === 'string' ? pair.key.value : (pair.key.source ?? '');
}
