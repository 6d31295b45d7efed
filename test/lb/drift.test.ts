/** What counts as somebody else's write: one difference at a time, and none at all. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ActualVip } from '../../machines/model/lb.js';
import { driftOf } from '../../src/lb/drift.js';
import { packActual } from '../../src/lb/packed/vips.js';

const VIP: ActualVip = {
  vip: { address: '192.0.2.1', prefixLength: 32, protocol: 'tcp', port: 80 },
  encap: 'gre4',
  dscp: 0,
  tableLength: 1024,
  servers: [
    { address: '10.0.0.1', weight: 2, buckets: 683 },
    { address: '10.0.0.2', weight: 1, buckets: 341 },
  ],
};
const [ONE, TWO] = VIP.servers;
const THREE = { address: '10.0.0.3', weight: 1, buckets: 0 };

function drift(expected: ActualVip | undefined, found: ActualVip | undefined): string | undefined {
  return driftOf(expected && packActual(expected), found && packActual(found));
}

const servers = (...list: readonly (typeof ONE | undefined)[]): ActualVip => ({
  ...VIP,
  servers: list.flatMap((one) => one ?? []),
});

const rows = [
  { name: 'nothing', found: VIP, says: undefined },
  { name: 'another order', found: servers(TWO, ONE), says: undefined },
  { name: 'other buckets', found: servers(ONE, { ...THREE, ...TWO, buckets: 1 }), says: undefined },
  {
    name: 'a weight',
    found: servers(ONE, { ...THREE, ...TWO, weight: 7 }),
    says: /10\.0\.0\.2 weighs 7, we gave it 1/,
  },
  { name: 'a new AS', found: servers(ONE, TWO, THREE), says: /10\.0\.0\.3 was added/ },
  { name: 'an AS gone', found: servers(ONE), says: /10\.0\.0\.2 was deleted/ },
  { name: 'the VIP gone', found: undefined, says: /it was deleted/ },
  { name: 'another table', found: { ...VIP, tableLength: 2048 }, says: /other attributes/ },
];

for (const { name, found, says } of rows) {
  test(`[LB-62] drift: ${name}`, () => {
    const said = drift(VIP, found);
    if (says === undefined) assert.equal(said, undefined);
    else assert.match(said ?? '', says);
  });
}

test('[LB-62] drift: a VIP that is there unasked was added', () => {
  assert.match(drift(undefined, VIP) ?? '', /it was added/);
  assert.equal(drift(undefined, undefined), undefined);
});
