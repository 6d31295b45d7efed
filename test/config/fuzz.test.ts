/** Whatever the bytes: a configuration or problems inside the file, and never an exception. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadConfig, loadConfigBytes } from '../../src/config/load.js';
import type { Problem } from '../../src/ports/config-file.js';
import { SITE } from '../support/config.js';
import { seedOfRun } from '../support/seed.js';

const ENV = { WORD: 'word' };
const VARIABLE = `\${WORD}`;
const ESCAPED = `$\${`;

function assertInside(problems: readonly Problem[], text: string): void {
  assert.ok(problems.length > 0);
  const lines = text.split(/\n/);
  for (const { line, column, message } of problems) {
    assert.ok(line >= 1 && line <= lines.length, `line ${line} of ${lines.length}: ${message}`);
    const length = lines[line - 1]?.length ?? 0;
    assert.ok(column >= 1 && column <= length + 1, `${line}:${column} of ${length}: ${message}`);
  }
}

test('[CF-14] fuzz: random bytes never throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const loaded = loadConfigBytes({ bytes, file: '/f', env: ENV });
      if (!loaded.ok) assert.ok(loaded.failure.length > 0);
    }),
    { seed: seedOfRun(), numRuns: 300 },
  );
});

test('[CF-14] fuzz: random words of YAML never throw and have positions', () => {
  const words = fc.constantFrom(
    ...['a', 'log', ': ', '- ', '\n', '  ', '{', '}', '[', ']', ', ', '*a', '&a ', '!t ', '"', "'"],
    ...['|', '>', '?', '#', '$', VARIABLE, ESCAPED, '---\n', '...', '%', '@', '\t', '<<', '~', '0'],
  );
  const text = fc.array(words, { maxLength: 60 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, (written) => {
      const loaded = loadConfig({ text: written, file: '/f', env: ENV });
      if (!loaded.ok) assertInside(loaded.failure, written);
    }),
    { seed: seedOfRun(), numRuns: 500 },
  );
});

/** Cuts, doubles, swaps or overwrites a piece of a good file. */
const mutation = fc.record({
  at: fc.nat(SITE.length),
  length: fc.nat(30),
  insert: fc.constantFrom('', ' ', '\n', ': ', '{', '}', '[', ']', '10.0.0.1', 'x', '7', '~', '*a'),
});

test('[CF-14] fuzz: a good file with mistakes never throws and has positions', () => {
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
      const written = mutations.reduce(
        (text, { at, length, insert }) => text.slice(0, at) + insert + text.slice(at + length),
        SITE,
      );
      const loaded = loadConfig({ text: written, file: '/f', env: ENV });
      if (!loaded.ok) assertInside(loaded.failure, written);
    }),
    { seed: seedOfRun(), numRuns: 300 },
  );
});

test('[CF-14] fuzz: any tree of JSON never throws', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), (json) => {
      const loaded = loadConfig({ text: json, file: '/f', env: ENV });
      if (!loaded.ok) assertInside(loaded.failure, json);
    }),
    { seed: seedOfRun(), numRuns: 300 },
  );
});
