/** The words of the configuration, one row each: what is read, and what is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { z } from 'zod';
import { canonicalAddress, overlaps, parsePrefix } from '../../src/config/address.js';
import { nodeName } from '../../src/config/complete.js';
import { printDuration } from '../../src/config/diff.js';
import * as scalars from '../../src/config/scalars.js';
import { nearest } from '../../src/config/suggest.js';
import { seedOfRun } from '../support/seed.js';

const REFUSED = Symbol('refused');

const ROWS: readonly (readonly [type: z.ZodType, written: unknown, read: unknown])[] = [
  [scalars.duration, '500ms', 500],
  [scalars.duration, '5s', 5_000],
  [scalars.duration, '1m', 60_000],
  [scalars.duration, '2h', 7_200_000],
  [scalars.duration, '30d', 2_592_000_000],
  [scalars.duration, '0s', 0],
  [scalars.span, '0s', REFUSED],
  [scalars.duration, '5', REFUSED],
  [scalars.duration, 5, REFUSED],
  [scalars.duration, '-5s', REFUSED],
  [scalars.duration, '5 s', REFUSED],
  [scalars.duration, '1h30m', REFUSED],
  [scalars.duration, '99999999999999d', REFUSED],
  [scalars.share, '25%', 0.25],
  [scalars.share, '12.5%', 0.125],
  [scalars.share, '0%', 0],
  [scalars.share, '101%', REFUSED],
  [scalars.share, '0.25', REFUSED],
  [scalars.size, '1GiB', 2 ** 30],
  [scalars.size, '10B', 10],
  [scalars.size, '1GB', REFUSED],
  [scalars.rate, '10/s', 10],
  [scalars.rate, '30/m', 0.5],
  [scalars.rate, '1/5s', 0.2],
  [scalars.rate, '0/s', REFUSED],
  [scalars.rate, '1/0s', REFUSED],
  [scalars.name, 'cache-1', 'cache-1'],
  [scalars.name, 'a'.repeat(63), 'a'.repeat(63)],
  [scalars.name, 'a'.repeat(64), REFUSED],
  [scalars.name, '-a', REFUSED],
  [scalars.name, 'a-', REFUSED],
  [scalars.name, 'A', REFUSED],
  [scalars.name, '', REFUSED],
  [scalars.address, '192.0.2.1', '192.0.2.1'],
  [scalars.address, '192.0.2.01', REFUSED],
  [scalars.address, '192.0.2', REFUSED],
  [scalars.address, '0x7f.0.0.1', REFUSED],
  [scalars.address, '2001:DB8:0:0::1', '2001:db8::1'],
  [scalars.address, '::ffff:192.0.2.1', '192.0.2.1'],
  [scalars.address, 'fe80::1%eth0', REFUSED],
  [scalars.addressOfFamily(4), '::1', REFUSED],
  [scalars.addressOfFamily(6), '::1', '::1'],
  [scalars.prefix, '198.51.100.0/24', '198.51.100.0/24'],
  [scalars.prefix, '2001:DB8::/64', '2001:db8::/64'],
  [scalars.prefix, '198.51.100.1/24', REFUSED],
  [scalars.prefix, '198.51.100.0', REFUSED],
  [scalars.listenAddress, '127.0.0.1:0', '127.0.0.1:0'],
  [scalars.listenAddress, '[::1]:7080', '[::1]:7080'],
  [scalars.listenAddress, 'localhost', REFUSED],
  [scalars.listenAddress, ':7080', REFUSED],
  [scalars.url, 'http://127.0.0.1:8080/base', 'http://127.0.0.1:8080/base'],
  [scalars.url, 'http://user@host', REFUSED],
  [scalars.url, 'http://', REFUSED],
  [scalars.httpPath, '/healthz', '/healthz'],
  [scalars.httpPath, 'healthz', REFUSED],
  [scalars.httpPath, '/a\r\nX: y', REFUSED],
  [scalars.port, 0, REFUSED],
  [scalars.port, 65_535, 65_535],
  [scalars.port, 1.5, REFUSED],
  [scalars.flag, 'yes', REFUSED],
];

test('[CF-5] words: each reads what it should and refuses the rest', () => {
  for (const [type, written, read] of ROWS) {
    const parsed = type.safeParse(written);
    assert.deepEqual(parsed.success ? parsed.data : REFUSED, read, String(written));
  }
});

test('[CF-5] durations: what is printed reads back as the same', () => {
  const durations = fc.integer({ min: 0, max: 10 ** 11 });
  fc.assert(
    fc.property(durations, (durationMs) => {
      assert.equal(scalars.duration.parse(printDuration(durationMs)), durationMs);
    }),
    { seed: seedOfRun() },
  );
});

test('[CF-5] addresses: canonical text is its own canonical text', () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6());
  fc.assert(
    fc.property(address, (text) => {
      const canonical = canonicalAddress(text);
      assert.ok(canonical !== undefined, text);
      assert.equal(canonicalAddress(canonical), canonical);
    }),
    { seed: seedOfRun() },
  );
});

test('[CF-5] prefixes: overlap is mutual', () => {
  const rows = [
    ['10.0.0.0/8', '10.1.0.0/16', true],
    ['10.0.0.0/16', '10.1.0.0/16', false],
    ['10.0.0.0/8', '2001:db8::/32', false],
    ['::/0', '2001:db8::/32', true],
  ] as const;
  for (const [one, two, expected] of rows) {
    const [first, second] = [parsePrefix(one), parsePrefix(two)];
    assert.ok(first !== undefined && second !== undefined);
    assert.equal(overlaps(first, second), expected);
    assert.equal(overlaps(second, first), expected);
  }
});

test('[CF-6] node name: any host name becomes a name', () => {
  const rows = [
    ['edge-1', 'edge-1'],
    ['Edge1.example.net', 'edge1'],
    ['my_host', 'my-host'],
    ['-._', 'node'],
    ['', 'node'],
  ] as const;
  for (const [hostname, name] of rows) assert.equal(nodeName(hostname), name);
});

test('[CF-2] suggestions: near enough to be meant, or none', () => {
  const known = ['interval', 'fastInterval', 'timeout', 'healthChecks', 'rise'];
  const rows = [
    ['intervall', 'interval'],
    ['inetrval', 'interval'],
    ['fast-interval', 'fastInterval'],
    ['health_checks', 'healthChecks'],
    ['timeuot', 'timeout'],
    ['rize', 'rise'],
    ['x', undefined],
    ['something', undefined],
  ] as const;
  for (const [word, meant] of rows) assert.equal(nearest(word, known), meant, word);
});
