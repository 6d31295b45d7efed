/**
 * Question: a backend's check has failed: how long until VPP has been asked to take its weight away? In
 * the whole daemon, at a site of ten thousand backends, beside one of a few that has nothing else to do.
 *
 * Input: the scale and which rows. Output: the rows, in order. See bench/README.md.
 */
import { atMost, type BenchRow, median, rowOf } from './rows.js';
import { benchOf } from './runtime/lab.js';
import { each, interleaved, type Lab } from './runtime/probe.js';

const SIZES = {
  tiny: { rounds: 1, busy: { frontends: 3, servers: 3 }, idle: { frontends: 2, servers: 2 } },
  full: { rounds: 1, busy: { frontends: 100, servers: 100 }, idle: { frontends: 100, servers: 2 } },
};
const INTERVAL_MS = { tiny: 300, full: 2_000 };

export const bench = benchOf('failover', [
  { ids: ['p50', 'p99', 'own-p50', 'own-p99'], rows: failoverRows },
]);

async function failoverRows(lab: Lab): Promise<readonly BenchRow[]> {
  const { rounds, busy, idle } = SIZES[lab.scale];
  const intervalMs = INTERVAL_MS[lab.scale];
  const found = await interleaved(lab, rounds, {
    idle: { probe: 'failover', params: { ...idle, intervalMs } },
    busy: { probe: 'failover', params: { ...busy, intervalMs } },
  });
  const backends = busy.frontends * busy.servers;
  const what = `${backends} backends, each checked every ${intervalMs} ms: from the verdict until VPP has done what it was asked`;
  const own = `${what.replace('VPP has done', 'VPP has acknowledged')}, without what VPP was waited for`;
  const row = (id: string, key: string, question: string) => ({
    id,
    question: `${question}, against ${idle.frontends * idle.servers} backends`,
    unit: 'ms',
    value: median(each(found.busy, key)),
    baseline: median(each(found.idle, key)),
  });
  return [
    row('p50', 'p50Ms', `${what}, p50`),
    row('p99', 'p99Ms', `${what}, p99`),
    row('own-p50', 'ownP50Ms', `${own}, p50`),
    { ...row('own-p99', 'ownP99Ms', `${own}, p99`), must: atMost(5, 'ms') },
  ].map((measured) => rowOf(measured, lab.scale));
}
