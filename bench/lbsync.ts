/**
 * Question: what does lbsync itself cost, from wishes to an acknowledged dataplane, and at an audit of a
 * site at rest? Over the real client and a socket, against a simulator in a process of its own.
 *
 * Input: the scale and which rows. Output: the rows, in order. The baseline of our CPU time is that of
 * the simulator for the same work; VPP's own is about 45 µs for each change of a server.
 */
import { atMost, type BenchRow, type Measured, median, rowOf, type Scale } from './rows.js';
import { benchOf } from './runtime/lab.js';
import { each, interleaved, type Lab } from './runtime/probe.js';

interface Size {
  readonly params: { readonly vips: number; readonly servers: number; readonly audits: number };
  readonly rounds: number;
}

const SIZES: Readonly<Record<Scale, Size>> = {
  tiny: { params: { vips: 3, servers: 2, audits: 1 }, rounds: 1 },
  full: { params: { vips: 1000, servers: 10, audits: 20 }, rounds: 3 },
};
const IDS = ['sync', 'sync-ours', 'audit', 'audit-ours', 'audit-ops'];

export const bench = benchOf('lbsync', [{ ids: IDS, rows: syncRows }]);

async function syncRows(lab: Lab): Promise<readonly BenchRow[]> {
  const { params, rounds } = SIZES[lab.scale];
  const { sync } = await interleaved(lab, rounds, {
    sync: { probe: 'lbsync-sync', params },
  });
  const of = (field: string) => median(each(sync, field));
  const what = `${params.vips} VIPs × ${params.servers} servers`;
  const rows: Measured[] = [
    {
      id: 'sync',
      question: `ms to build ${what} in an empty simulator, one op after the other`,
      unit: 'ms',
      value: of('syncMs'),
    },
    {
      id: 'sync-ours',
      question: 'of that, ms of our CPU time, against the simulator’s',
      unit: 'ms',
      value: of('syncOurMs'),
      ...told(of('syncSimulatorMs')),
    },
    {
      id: 'audit',
      question: 'ms for an audit at rest: everything read and compared',
      unit: 'ms',
      value: of('auditMs'),
    },
    {
      id: 'audit-ours',
      question: 'of that, ms of our CPU time, against the simulator’s',
      unit: 'ms',
      value: of('auditOurMs'),
      ...told(of('auditSimulatorMs')),
    },
    {
      id: 'audit-ops',
      question: 'ops of all audits at rest',
      unit: 'ops',
      value: Math.max(...each(sync, 'auditOps')),
      must: atMost(0, 'ops'),
      always: true,
    },
  ];
  return rows.map((row) => rowOf(row, lab.scale));
}

/** Where the system does not tell what the other process took there is no baseline. */
function told(baseline: number): { readonly baseline?: number } {
  return baseline > 0 ? { baseline } : {};
}
