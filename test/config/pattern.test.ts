/** Body patterns: what is refused, that the bounded pattern means the same, and that it is quick. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { boundPattern } from '../../src/config/pattern.js';
import { seedOfRun } from '../support/seed.js';

const ACCEPTED = [
  'ok',
  '^\\s*"status":\\s*"ok"',
  'ready|serving',
  '(?:GET|PUT) /',
  '(abc){2,5}',
  '[a-z]+',
  '[]a]',
  'a{2}',
  'x?y',
  '{"ok":true}',
  '^v\\d{1,3}\\.\\d{1,3}$',
  '(?<major>\\d{1,3})',
  'a.*?b',
];

const REFUSED = [
  ['(a+)+', 'a repeat inside a repeat is not safe'],
  ['((ab)*c)*', 'a repeat inside a repeat is not safe'],
  ['(a|a)*b', 'a repeated choice (a|b)* is not safe'],
  ['(?=a)', 'lookahead and lookbehind are not supported'],
  ['(?<!a)b', 'lookahead and lookbehind are not supported'],
  ['(a)\\1', 'back-references are not supported'],
  ['(?<n>a)\\k<n>', 'back-references are not supported'],
  ['a{2000}', 'at most 1000 repeats'],
  ['a*b*', 'too many repeats for one pattern; anchor it with ^ or bound them, e.g. ".{0,20}"'],
  ['(', 'not a regular expression'],
  ['a'.repeat(257), 'the pattern is longer than 256 characters'],
] as const;

test('[CF-15] patterns: common ones are accepted', () => {
  for (const pattern of ACCEPTED) assert.ok(boundPattern(pattern).ok, pattern);
});

test('[CF-15] patterns: unsafe ones are refused with the reason', () => {
  for (const [pattern, reason] of REFUSED) {
    const bounded = boundPattern(pattern);
    assert.equal(bounded.ok ? bounded.value : bounded.failure, reason, pattern);
  }
});

/** Small patterns over two letters, and bodies over the same. */
const atom = fc.constantFrom('a', 'b', '.', '[ab]', '(ab)', '(?:a|b)', '\\w');
const repeat = fc.constantFrom('', '', '?', '*', '+', '{2}', '{1,3}', '*?');
const pattern = fc
  .array(fc.tuple(atom, repeat), { minLength: 1, maxLength: 4 })
  .map((pieces) => pieces.flat().join(''));
const body = fc
  .array(fc.constantFrom('a', 'b', '\n'), { maxLength: 12 })
  .map((text) => text.join(''));

test('[CF-15] patterns: a bounded pattern matches what the written one matches', () => {
  fc.assert(
    fc.property(pattern, body, (written, text) => {
      const bounded = boundPattern(written);
      fc.pre(bounded.ok);
      assert.equal(new RegExp(bounded.value).test(text), new RegExp(written).test(text), written);
    }),
    { seed: seedOfRun(), numRuns: 1_000 },
  );
});

test('[CF-15] patterns: no text at all makes the reader throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      boundPattern(text);
    }),
    { seed: seedOfRun(), numRuns: 1_000 },
  );
});
