/**
 * The outlook: whatever frontends have and want, carrying it out is never refused and leads to exactly
 * the bucket counts it predicted.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type DesiredVip, vipKey } from '../../machines/model/lb.js';
import { type FrontendOutlook, outlook } from '../../src/lb/outlook.js';
import { seedOfRun } from '../support/seed.js';
import { createStrictLb } from '../support/strict-lb.js';
import { compatible, desiredVips } from './worlds.js';

interface Site {
  readonly lb: ReturnType<typeof createStrictLb>;
  readonly frontends: readonly FrontendOutlook[];
}

/** VPP has what `sent` asks for; each frontend then wants what `next` has for its key, with leave. */
function siteOf(sent: readonly DesiredVip[], next: readonly DesiredVip[]): Site {
  const lb = createStrictLb();
  for (const { vip, attributes, servers } of sent) {
    lb.apply({ op: 'vip.add', vip, attributes });
    for (const { address, weight } of servers) lb.apply({ op: 'as.add', vip, as: address, weight });
  }
  lb.acknowledged.length = 0;
  const found = new Map(lb.state().vips.map((one) => [vipKey(one.vip), one]));
  const wanted = new Map(next.map((one) => [one.frontend, { ...one, mayRecreate: true }]));
  const had = new Map(sent.map((one) => [one.frontend, one]));
  const frontends = [...new Set([...wanted.keys(), ...had.keys()])].map((frontend) => {
    const before = had.get(frontend);
    return {
      frontend,
      wanted: wanted.get(frontend),
      sent: before,
      found: before === undefined ? undefined : found.get(vipKey(before.vip)),
    };
  });
  return { lb, frontends };
}

const sites = fc
  .tuple(desiredVips(5), desiredVips(5))
  .map(([sent, next]) => [compatible(sent), compatible(next)] as const);

test('[LB-66] outlook: carried out, it leads to the buckets it predicted, and to nothing else', () => {
  fc.assert(
    fc.property(sites, ([sent, next]) => {
      const { lb, frontends } = siteOf(sent, next);
      const { vips, findings } = outlook(frontends);
      assert.deepEqual(findings, []);
      for (const op of vips.flatMap(({ ops }) => ops)) {
        assert.equal(lb.apply(op), undefined, JSON.stringify(op));
      }
      const after = new Map(lb.state().vips.map((one) => [vipKey(one.vip), one.servers]));
      // One that makes room for others on its prefix goes first and comes back later.
      const last = new Map(vips.map((one) => [one.vip, one.buckets]));
      for (const [vip, buckets] of last) {
        const shown = (after.get(vip) ?? []).filter((as) => as.buckets > 0);
        const predicted = buckets.filter((one) => one.after > 0);
        assert.deepEqual(
          Object.fromEntries(predicted.map((one) => [one.as, one.after])),
          Object.fromEntries(shown.map((as) => [as.address, as.buckets])),
        );
      }
      assert.deepEqual([...after.keys()].sort(), next.map(({ vip }) => vipKey(vip)).sort());
    }),
    { seed: seedOfRun(), numRuns: 300 },
  );
});

test('[LB-66] outlook: what is as wanted needs nothing, whatever was flushed before', () => {
  fc.assert(
    fc.property(desiredVips(5), (all) => {
      const sent = compatible(all);
      const { frontends } = siteOf(sent, sent);
      assert.deepEqual(outlook(frontends), { vips: [], findings: [] });
    }),
    { seed: seedOfRun(), numRuns: 200 },
  );
});
