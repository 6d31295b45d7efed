/**
 * Question: what do 10,000 health checks a second cost, and do they leave when they are due? Against
 * `net.connect` as anybody would write it, and Debian's haproxy where it is installed.
 *
 * Input: the scale and which rows. Output: the rows, in order. See bench/README.md.
 */
import { spawnSync } from 'node:child_process';
import { atMost, type BenchRow, median, ratioAtMost, rowOf } from './rows.js';
import { benchOf } from './runtime/lab.js';
import { each, interleaved, type Lab, type Variant } from './runtime/probe.js';

const SIZES = {
  tiny: { rounds: 1, targets: 20, intervalMs: 20, durationMs: 200 },
  full: { rounds: 3, targets: 1_000, intervalMs: 100, durationMs: 4_000 },
};
/** The same number of checks a second, of ten times as many backends. */
const MANY = {
  tiny: { targets: 40, intervalMs: 40, durationMs: 200 },
  full: { targets: 10_000, intervalMs: 1_000, durationMs: 4_000 },
};

export const bench = benchOf('probe', [
  { ids: ['tcp', 'haproxy'], rows: tcpRows },
  { ids: ['lag'], rows: lagRows },
]);

async function tcpRows(lab: Lab): Promise<readonly BenchRow[]> {
  const { rounds, ...params } = SIZES[lab.scale];
  const variants: Readonly<Record<string, Variant>> = {
    ours: { probe: 'health-tcp-ours', params },
    naive: { probe: 'health-tcp-naive', params },
    ...(hasHaproxy() ? { haproxy: { probe: 'health-tcp-haproxy', params } } : {}),
  };
  const outcomes = await interleaved(lab, rounds, variants);
  const cost = (name: string): number => median(each(outcomes[name] ?? [], 'per10000'));
  const what = 'CPU seconds of the process that makes 10,000 TCP checks';
  const row = { unit: 's', value: cost('ours') };
  const tcp = {
    ...row,
    id: 'tcp',
    question: `${what}, against net.connect`,
    baseline: cost('naive'),
  };
  const rows = [rowOf({ ...tcp, must: ratioAtMost(1) }, lab.scale)];
  if (outcomes['haproxy'] === undefined) {
    lab.progress('haproxy is not installed (apt-get install haproxy): no row for it');
    return rows;
  }
  const beside = { ...row, id: 'haproxy', question: `${what}, against haproxy` };
  const measured = { ...beside, baseline: cost('haproxy'), must: ratioAtMost(1.5) };
  return [...rows, rowOf(measured, lab.scale)];
}

function hasHaproxy(): boolean {
  return spawnSync('haproxy', ['-v']).status === 0;
}

async function lagRows(lab: Lab): Promise<readonly BenchRow[]> {
  const params = MANY[lab.scale];
  const { ours } = await interleaved(lab, 1, { ours: { probe: 'health-tcp-ours', params } });
  const first = (field: string): number => each(ours, field)[0] ?? Number.NaN;
  const what = `${params.targets} backends, each checked every ${params.intervalMs} ms`;
  const lag = (part: string) => ({
    id: `lag-${part}`,
    question: `${what}: how late a check leaves, ${part}`,
    unit: 'ms',
    value: first(`lag${part.toUpperCase()}Ms`),
  });
  const wrong = {
    id: 'lag-failed',
    question: `${what}: checks of a sound backend that failed`,
    unit: 'checks',
    value: first('failed'),
    must: atMost(0, 'checks'),
    always: true,
  };
  return [lag('p50'), lag('p99'), wrong].map((measured) => rowOf(measured, lab.scale));
}
