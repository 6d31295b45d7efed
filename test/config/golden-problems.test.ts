/**
 * Every sentence a configuration can earn, as an operator reads it: test/golden/config-problems.txt.
 * `npm run golden` rewrites the file; review reads the difference.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Environment } from '../../src/config/expand.js';
import { worstCode } from '../../src/config/problem.js';
import { problemsOf, saysOf } from '../support/config.js';
import { repoPath } from '../support/root.js';
import { PARTS, PROBLEM_CASES, type ProblemCase } from './problem-cases.js';

const GOLDEN = repoPath('test', 'golden', 'config-problems.txt');
const ENV: Environment = { WORD: 'word', NUMBER: '80', NOTHING: '' };

function transcript({ name, text }: ProblemCase): string {
  const verdict = worstCode(problemsOf(text, ENV));
  const own = text.replace(PARTS, '');
  const file = own
    .trimEnd()
    .split('\n')
    .map((line) => `    ${visible(line)}`);
  return [`## ${name} (${verdict})`, '', ...file, '', ...saysOf(text, ENV), ''].join('\n');
}

/** Long lines are cut and unprintable characters shown by number. */
function visible(line: string): string {
  const shown = [...line.slice(0, 160)].map((letter) =>
    /[ -~]/.test(letter) ? letter : `<U+${letter.codePointAt(0)?.toString(16).padStart(4, '0')}>`,
  );
  return `${shown.join('')}${line.length > 160 ? '…' : ''}`;
}

test('[CF-1] [CF-2] [CF-3] [CF-7] [CF-8] [CF-15] problems: every sentence is as recorded', () => {
  const actual = `${PROBLEM_CASES.map(transcript).join('\n')}`;
  if (process.env['GOLDEN'] === 'write') writeFileSync(GOLDEN, actual);
  assert.equal(actual, readFileSync(GOLDEN, 'utf8'));
});

test('[CF-1] problems: every bad file has at least one, inside the file', () => {
  for (const { name, text } of PROBLEM_CASES) {
    const problems = problemsOf(text, ENV);
    const lines = text.split('\n');
    assert.ok(problems.length > 0, name);
    for (const { line, column } of problems) {
      assert.ok(line >= 1 && line <= lines.length, `${name}: line ${line}`);
      assert.ok(column >= 1 && column <= (lines[line - 1]?.length ?? 0) + 1, `${name}: ${column}`);
    }
  }
});
