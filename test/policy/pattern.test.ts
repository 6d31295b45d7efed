/** Body patterns: the same answers as JavaScript's own engine, and in linear time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compilePattern } from '../../src/policy/pattern.js';
import { seedOfRun } from '../support/seed.js';

function occurs(pattern: string, body: string): boolean {
  const compiled = compilePattern(pattern);
  assert.ok(compiled.ok, pattern);
  return compiled.value(body);
}

const anyAtom = fc.constantFrom(
  'a',
  'b',
  '.',
  '[ab]',
  '[^a]',
  '\\d',
  '\\n',
  '(a|b)',
  '(?:ab)',
  '\\.',
);
const anyQuantifier = fc.constantFrom('', '', '', '*', '+', '?', '{2}', '{1,}', '{0,2}');
const anyPart = fc.tuple(anyAtom, anyQuantifier).map((pair) => pair.join(''));
const anyBranch = fc.array(anyPart, { maxLength: 5 }).map((parts) => parts.join(''));
const anyPattern = fc
  .tuple(
    fc.constantFrom('', '^'),
    fc.array(anyBranch, { minLength: 1, maxLength: 3 }),
    fc.constantFrom('', '$'),
  )
  .map(([start, branches, end]) => `${start}${branches.join('|')}${end}`);
const anyBody = fc.string({ unit: fc.constantFrom('a', 'b', '1', '.', '\n'), maxLength: 8 });

test('[HE-20] patterns: agree with JavaScript on every pattern of the common language', () => {
  fc.assert(
    fc.property(anyPattern, anyBody, (pattern, body) => {
      assert.equal(occurs(pattern, body), new RegExp(pattern).test(body), `${pattern} on ${body}`);
    }),
    { seed: seedOfRun(), numRuns: 5_000 },
  );
});

const readings = [
  { pattern: 'ok', body: 'all is ok here', found: true },
  { pattern: '^ok$', body: 'ok\n', found: false },
  { pattern: '"status":\\s*"(up|ready)"', body: '{"status": "ready"}', found: true },
  { pattern: '[^-a-c]', body: 'a-b-c', found: false },
  { pattern: '[\\w-]+@[\\w.]+', body: 'mail me@example.org', found: true },
  { pattern: 'x{2,3}$', body: 'yxx', found: true },
  { pattern: '', body: '', found: true },
];

for (const { pattern, body, found } of readings) {
  test(`[HE-20] patterns: ${pattern} on ${JSON.stringify(body)}`, () => {
    assert.equal(occurs(pattern, body), found);
    assert.equal(new RegExp(pattern).test(body), found);
  });
}

const refused = [
  '(a',
  'a)',
  '*a',
  'a**',
  'a+?',
  '(?=a)',
  '(?<n>a)',
  '\\1',
  '[a',
  'a{3,2}',
  'a{999}',
];

for (const pattern of [
  ...refused,
  '\\',
  '[z-a]',
  'a{x}',
  '\\q',
  '(((a{50}){50}){50})',
  'a'.repeat(501),
]) {
  test(`[HE-21] patterns: ${pattern.slice(0, 20)} is refused with a sentence`, () => {
    const compiled = compilePattern(pattern);
    assert.ok(!compiled.ok);
    assert.match(compiled.failure.message, /^".*" (is|has|leaves|closes|repeats|looks|ends) /s);
  });
}

test('[HE-21] patterns: what makes a backtracking engine hang is answered', () => {
  const body = 'a'.repeat(64 * 1024);
  assert.equal(occurs('(a+)+b', body), false);
  assert.equal(occurs('.*.*.*.*x', body), false);
});
