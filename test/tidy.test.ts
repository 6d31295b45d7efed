/**
 * The laws of the tree as tests: who may import whom, what may not be used where, how long things may
 * be, that every file says what it is for, and that rules and tests cite each other.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { test } from 'node:test';
import { repoRoot } from './support/root.js';
import {
  bannedUses,
  citedRules,
  conflictMarks,
  cyclesOf,
  definedRules,
  functionLengths,
  importsOf,
  keptRules,
  layerOf,
  mayImport,
  scenariosIn,
} from './support/tidy.js';

const root = repoRoot();
const SOURCE_FOLDERS = ['machines', 'actors', 'src', 'bench', 'test', 'examples'];

function sourceFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : sourceFiles(path);
    return /\.(ts|mts|mjs)$/.test(entry.name) ? [path.split(sep).join('/')] : [];
  });
}

function pagesIn(folder: string): string[] {
  const names = readdirSync(join(root, folder)).filter((name) => name.endsWith('.md'));
  return names.map((name) => `${folder}/${name}`);
}

const files = SOURCE_FOLDERS.flatMap(sourceFiles);
const textOf = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
const text = (file: string): string => textOf.get(file) ?? '';
const own = files.filter((file) => !file.startsWith('test/'));

test('[TI-1] imports point one way', () => {
  const broken = own.flatMap((file) =>
    importsOf(text(file), file)
      .filter((target) => !mayImport(layerOf(file), layerOf(target)))
      .map((target) => `${file} (${layerOf(file)}) imports ${target} (${layerOf(target)})`),
  );
  assert.deepEqual(broken, []);
});

test('[TI-2] no import cycles, types included', () => {
  const graph = new Map(files.map((file) => [file, importsOf(text(file), file)]));
  assert.deepEqual(cyclesOf(graph), []);
});

test('[TI-3] no clock, chance, environment or console where decisions are made', () => {
  const found = own.flatMap((file) =>
    bannedUses(text(file), layerOf(file)).map((use) => `${file}: ${use}`),
  );
  assert.deepEqual(found, []);
});

test('[TI-4] files stay under 400 lines and open with a comment', () => {
  const long = files.filter((file) => text(file).split('\n').length > 400);
  const bare = files.filter((file) => !/^(#!.*\n)?\s*(\/\*\*|\/\/)/.test(text(file)));
  assert.deepEqual({ long, bare }, { long: [], bare: [] });
});

test('[TI-5] functions stay under 70 lines', () => {
  const long = own
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) =>
      functionLengths(text(file))
        .filter(({ lines, outer }) => lines > 70 && !outer)
        .map(({ name, lines }) => `${file}: ${name} has ${lines} lines`),
    );
  assert.deepEqual(long, []);
});

test('[TI-6] every rule is defined once and has a test, every cited rule is defined', () => {
  const rules = [
    ...definedRules(readFileSync(join(root, 'docs', 'INVARIANTS.md'), 'utf8')),
    ...scenariosIn(readFileSync(join(root, 'docs', 'SCENARIOS.md'), 'utf8')).map(({ id }) => id),
  ];
  const defined = new Set(rules);
  assert.deepEqual(
    rules.filter((rule, index) => rules.indexOf(rule) !== index),
    [],
  );
  const cited = new Set(
    files.filter((file) => file.startsWith('test/')).flatMap((file) => citedRules(text(file))),
  );
  const untested = [...defined].filter((rule) => !cited.has(rule));
  const undefinedRules = [...cited].filter((rule) => !defined.has(rule));
  assert.deepEqual({ untested, undefinedRules }, { untested: [], undefinedRules: [] });
  const promised = own.flatMap((file) =>
    keptRules(text(file)).flatMap((rule) => (defined.has(rule) ? [] : [`${file}: ${rule}`])),
  );
  assert.deepEqual(promised, []);
});

test('[TI-14] every scenario is shown by a test in the file that its row names', () => {
  const scenarios = scenariosIn(readFileSync(join(root, 'docs', 'SCENARIOS.md'), 'utf8'));
  assert.ok(scenarios.length > 40);
  const missing = scenarios.filter(({ id, test: file }) => !citedRules(text(file)).includes(id));
  assert.deepEqual(missing, []);
});

test('[TI-9] no merge is left undecided, in sources and documents', () => {
  const pages = ['README.md', 'CHANGELOG.md', ...pagesIn('docs'), ...pagesIn('docs/decisions')];
  const marked = [...files, ...pages].filter(
    (file) => conflictMarks(readFileSync(join(root, file), 'utf8')).length > 0,
  );
  assert.deepEqual(marked, []);
});

test('[TI-7] every source file is imported by somebody, or is an entry', () => {
  const imported = new Set(files.flatMap((file) => importsOf(text(file), file)));
  const entries =
    /^(src\/cli\/main|src\/(app|adapters)\/.*entry|src\/adapters\/.*worker|test\/|bench\/|examples\/)/;
  const orphans = files.filter((file) => !entries.test(file) && !imported.has(file));
  assert.deepEqual(orphans, []);
});

test('[TI-8] nothing names the machine it was written on', () => {
  const marker = ['', 'work', 'shared'].join('/');
  const found = files.filter(
    (file) => text(file).includes(marker) || /\.\.\/shared\//.test(text(file)),
  );
  assert.deepEqual(
    found.map((file) => relative('.', file)),
    [],
  );
});
