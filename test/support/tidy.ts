/** The readers behind test/tidy.test.ts: imports, layers, bans, lengths and rule ids of a source text. */
import { dirname, posix } from 'node:path';
import { parse } from '@babel/parser';

export type Layer =
  | 'model'
  | 'limits'
  | 'policy'
  | 'supervision'
  | 'lb'
  | 'wire'
  | 'machines'
  | 'ports'
  | 'runtime'
  | 'config'
  | 'feed'
  | 'actors'
  | 'adapters'
  | 'vppsim'
  | 'app'
  | 'cli'
  | 'bench'
  | 'test'
  | 'examples';

const LAYERS: readonly (readonly [string, Layer])[] = [
  ['machines/model/', 'model'],
  ['machines/', 'machines'],
  ['actors/', 'actors'],
  ['src/limits', 'limits'],
  ['src/policy/', 'policy'],
  ['src/supervision/', 'supervision'],
  ['src/lb/', 'lb'],
  ['src/wire/', 'wire'],
  ['src/ports/', 'ports'],
  ['src/runtime/', 'runtime'],
  ['src/config/', 'config'],
  ['src/feed/', 'feed'],
  ['src/adapters/', 'adapters'],
  ['src/vppsim/', 'vppsim'],
  ['src/app/', 'app'],
  ['src/cli/', 'cli'],
  ['bench/', 'bench'],
  ['test/', 'test'],
  ['examples/', 'examples'],
];

const PURE: readonly Layer[] = ['model', 'limits'];

/** What each layer may import besides itself and the model. */
const MAY: Readonly<Record<Layer, readonly Layer[]>> = {
  model: [],
  limits: [],
  policy: PURE,
  supervision: PURE,
  lb: PURE,
  wire: PURE,
  machines: ['policy', 'lb', ...PURE],
  ports: PURE,
  runtime: ['ports', 'supervision', ...PURE],
  config: ['ports', 'lb', 'policy', ...PURE],
  feed: ['ports', 'policy', ...PURE],
  actors: ['machines', 'ports', 'runtime', 'policy', 'lb', 'config', 'supervision', ...PURE],
  adapters: ['ports', 'wire', 'runtime', 'config', 'policy', 'feed', 'lb', ...PURE],
  vppsim: PURE,
  app: [
    'actors',
    'adapters',
    'ports',
    'runtime',
    'config',
    'wire',
    'supervision',
    'machines',
    'lb',
    'feed',
    'vppsim',
    'policy',
    ...PURE,
  ],
  cli: ['app', 'adapters', 'ports', 'config', 'feed', 'vppsim', 'machines', 'bench', 'lb', ...PURE],
  bench: [
    'app',
    'lb',
    'runtime',
    'ports',
    'adapters',
    'machines',
    'actors',
    'config',
    'wire',
    ...PURE,
  ],
  test: LAYERS.map(([, layer]) => layer),
  examples: [],
};

export function layerOf(file: string): Layer {
  const found = LAYERS.find(([prefix]) => file.startsWith(prefix));
  if (found === undefined) throw new Error(`${file} lies in no known layer`);
  return found[1];
}

export function mayImport(from: Layer, to: Layer): boolean {
  return from === to || MAY[from].includes(to);
}

/** Files of this repository that `file` imports, types included. */
export function importsOf(text: string, file: string): string[] {
  const specifiers = text.matchAll(/(?:from|import\(|^import)\s*['"](\.[^'"]+)['"]/gm);
  return [...specifiers].map((match) => {
    const path = posix.join(dirname(file), match[1] ?? '');
    return path.endsWith('.js') ? `${path.slice(0, -3)}.ts` : path;
  });
}

/** Each cycle once, as the path that closes it. */
export function cyclesOf(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start >= 0) {
      cycles.push([...path.slice(start), file].join(' > '));
      return;
    }
    if (done.has(file)) return;
    for (const target of graph.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return cycles;
}

const FREE: readonly Layer[] = ['adapters', 'app', 'cli', 'vppsim', 'test', 'examples', 'bench'];
const BANNED =
  /\b(Date\.now|new Date\(\)|setTimeout|setInterval|setImmediate|Math\.random|process\.env|performance\.now|console\.)/g;

export function bannedUses(text: string, layer: Layer): string[] {
  if (FREE.includes(layer)) return [];
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');
  return [...code.matchAll(BANNED)].map((match) => match[1] ?? '');
}

interface FunctionLength {
  readonly name: string;
  readonly lines: number;
  /** A factory of closures: it is as long as what it closes over. */
  readonly outer: boolean;
}

interface Node {
  readonly type: string;
  readonly loc?: {
    readonly start: { readonly line: number };
    readonly end: { readonly line: number };
  };
  readonly [key: string]: unknown;
}

const FUNCTIONS = [
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
  'ObjectMethod',
  'ClassMethod',
];

export function functionLengths(text: string): FunctionLength[] {
  const ast = parse(text, { sourceType: 'module', plugins: ['typescript'] });
  const found: FunctionLength[] = [];
  walk(ast.program as unknown as Node, (node) => {
    if (!FUNCTIONS.includes(node.type) || node.loc === undefined) return;
    const lines = node.loc.end.line - node.loc.start.line + 1;
    const name = (node['id'] as { name?: string } | null)?.name ?? 'a function';
    found.push({ name, lines, outer: innerFunctionLines(node) > lines / 2 });
  });
  return found;
}

/** Lines of the functions directly inside: a closure factory is mostly made of these. */
function innerFunctionLines(outer: Node): number {
  let lines = 0;
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) for (const item of value) visit(item);
    if (!isNode(value)) return;
    if (FUNCTIONS.includes(value.type) && value.loc !== undefined) {
      lines += value.loc.end.line - value.loc.start.line + 1;
      return;
    }
    for (const child of Object.values(value)) visit(child);
  };
  visit(outer['body']);
  return lines;
}

function walk(node: unknown, visit: (node: Node) => void): void {
  if (Array.isArray(node)) for (const item of node) walk(item, visit);
  if (!isNode(node)) return;
  visit(node);
  for (const child of Object.values(node)) walk(child, visit);
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
}

const RULE = /[A-Z]{2}-\d+/g;

/** In the order of the list, as often as they are there. */
export function definedRules(invariants: string): readonly string[] {
  return [...invariants.matchAll(/^- \*\*([A-Z]{2}-\d+)\*\*/gm)].map((match) => match[1] ?? '');
}

export interface Scenario {
  readonly id: string;
  /** Where it is shown. */
  readonly test: string;
}

/** Rows of docs/SCENARIOS.md: the number first, the test's file last. */
export function scenariosIn(page: string): readonly Scenario[] {
  const rows = page.matchAll(/^\| \*\*([A-Z]{2}-\d+)\*\* \|.*\| (test\/\S+) \|$/gm);
  return [...rows].map(([, id = '', test = '']) => ({ id, test }));
}

/** Rules a source file says it keeps: in brackets, wherever they stand. */
export function keptRules(text: string): string[] {
  return [...text.matchAll(/\[([A-Z]{2}-\d+)\]/g)].map((found) => found[1] ?? '');
}

/** What a merge left behind that nobody decided. */
export function conflictMarks(text: string): string[] {
  return text.match(/^(<{7}|={7}|>{7})( .*)?$/gm) ?? [];
}

/** Rules named in test titles: in brackets, in a string that opens with one. */
export function citedRules(text: string): string[] {
  const titles = text.matchAll(/['"`](\[[A-Z]{2}-\d+\][^'"`]*)/g);
  const heads = [...titles].map(
    (title) => (title[1] ?? '').match(/^(\[[A-Z]{2}-\d+\]\s*)+/)?.[0] ?? '',
  );
  // Tables carry the rule in a field of their rows; the title is made from it.
  const fields = [...text.matchAll(/\brule: '([A-Z]{2}-\d+)'/g)].map((match) => match[1] ?? '');
  return [...heads, ...fields].flatMap((head) => [...head.matchAll(RULE)].map((found) => found[0]));
}
