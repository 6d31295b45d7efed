/** The laws of tidy.test.ts catch what they are meant to catch: each is shown a planted violation. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
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

test('[TI-1] a machine that imports an adapter is caught, types and side effects included', () => {
  const text = "import type { A } from '../src/adapters/x.js';\nimport '../src/app/y.js';\n";
  const targets = importsOf(text, 'machines/group.ts');
  assert.deepEqual(targets, ['src/adapters/x.ts', 'src/app/y.ts']);
  assert.ok(targets.every((target) => !mayImport(layerOf('machines/group.ts'), layerOf(target))));
  assert.throws(() => layerOf('elsewhere/z.ts'));
});

test('[TI-2] a cycle is found, however long, and a diamond is none', () => {
  const cycle = new Map([
    ['a', ['b']],
    ['b', ['c']],
    ['c', ['a']],
  ]);
  assert.deepEqual(cyclesOf(cycle), ['a > b > c > a']);
  const diamond = new Map([
    ['a', ['b', 'c']],
    ['b', ['d']],
    ['c', ['d']],
    ['d', []],
  ]);
  assert.deepEqual(cyclesOf(diamond), []);
});

test('[TI-3] a clock in a policy is caught, in an adapter or a comment it is not', () => {
  assert.deepEqual(bannedUses('const at = Date.now();', 'policy'), ['Date.now']);
  assert.deepEqual(bannedUses('// Date.now() is banned\n/* Math.random */', 'policy'), []);
  assert.deepEqual(bannedUses('const at = Date.now();', 'adapters'), []);
});

test('[TI-5] a long function is measured; a factory of closures is told apart', () => {
  const body = 'call();\n'.repeat(80);
  const [long] = functionLengths(`function f() {\n${body}}`);
  assert.deepEqual([long?.name, long?.outer, (long?.lines ?? 0) > 70], ['f', false, true]);
  const [factory] = functionLengths(`function g() {\nreturn () => {\n${body}};\n}`);
  assert.equal(factory?.outer, true);
});

test('[TI-6] rules are read from titles, rows and the list', () => {
  const rule = (n: number): string => `AB-${n}`;
  assert.deepEqual(citedRules(`test('[${rule(1)}] [${rule(2)}] subject')`), [rule(1), rule(2)]);
  assert.deepEqual(citedRules(`{ rule: '${rule(3)}', name: 'x' }`), [rule(3)]);
  const list = `- **${rule(4)}** Text.\ntext ${rule(5)}\n- **${rule(4)}** Again.`;
  assert.deepEqual(definedRules(list), [rule(4), rule(4)]);
  assert.deepEqual(keptRules(` * Rules: [${rule(6)}] it holds; ${rule(7)}`), [rule(6)]);
});

test('[TI-14] a scenario is a row with its number first and its test last', () => {
  const id = `AB-${1}`;
  const page = `| **${id}** | given | then | test/x.test.ts |\n| **${id}** | no test |\n`;
  assert.deepEqual(scenariosIn(page), [{ id, test: 'test/x.test.ts' }]);
});

test('[TI-9] what a merge left behind is found, a heading underlined is none', () => {
  const marks = ['<'.repeat(7), '='.repeat(7), '>'.repeat(7)];
  const text = `one\n${marks[0]} HEAD\ntwo\n${marks[1]}\nthree\n${marks[2]} main\n`;
  assert.equal(conflictMarks(text).length, 3);
  assert.deepEqual(conflictMarks('Title\n========\na <<<<<<< b'), []);
});
